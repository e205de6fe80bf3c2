use lambda_runtime::{LambdaEvent, service_fn};
use startup::{Ledger, Settings, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = Settings;
    init_telemetry(settings)?;
    let ledger = Ledger::from_settings(settings)?;
    let handle = async |event: LambdaEvent<_>| websocket_api_session::handle(&ledger, &event);
    lambda_runtime::run(service_fn(handle)).await
}
