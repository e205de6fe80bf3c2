use lambda_runtime::{LambdaEvent, service_fn};
use startup::{HttpClient, Ledger, Settings, init_telemetry, verifier};
use websocket_api_authorizer::handle;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = Settings;
    init_telemetry(settings)?;
    let verifier = verifier(settings, HttpClient::new())?;
    let ledger = Ledger::from_settings(settings)?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<_>| handle(&verifier, &ledger, event).await))
        .await
}
