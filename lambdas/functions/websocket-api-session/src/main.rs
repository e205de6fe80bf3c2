use lambda_runtime::{LambdaEvent, service_fn};
use startup::{Settings, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    init_telemetry(Settings)?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<_>| websocket_api_session::handle(&event))).await
}
