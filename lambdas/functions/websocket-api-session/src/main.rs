use lambda_runtime::{LambdaEvent, service_fn};
use startup::{Aws, HttpClient, Ledger, Settings, init_telemetry};
use websocket_api_session::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = Settings;
    init_telemetry(settings)?;
    let function = assemble(settings)?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<_>| function.handle(event).await)).await
}

fn assemble(settings: Settings) -> anyhow::Result<Function<impl stream_log::Store>> {
    let aws = Aws::from_settings(settings, HttpClient::new())?;
    Ok(Function { log: stream_log::from_settings(settings, &aws)?, ledger: Ledger::from_settings(settings)? })
}
