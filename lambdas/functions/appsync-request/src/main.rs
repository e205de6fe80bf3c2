use appsync_request::Function;
use lambda_runtime::{LambdaEvent, service_fn};
use sqs_queue::Queue;
use startup::{Aws, HttpClient, Ledger, Settings, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = Settings;
    init_telemetry(settings)?;
    let function = assemble(settings)?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<_>| function.handle(event).await)).await
}

fn assemble(settings: Settings) -> anyhow::Result<Function<impl stream_log::Store>> {
    let aws = Aws::from_settings(settings, HttpClient::new())?;
    Ok(Function {
        queue: Queue::from_settings(settings, &aws)?,
        log: stream_log::from_settings(settings, &aws)?,
        client_id: settings.required("COGNITO_CLIENT_ID")?,
        request_limits: settings.request_limits()?,
        ledger: Ledger::from_settings(settings)?,
    })
}
