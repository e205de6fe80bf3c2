use lambda_runtime::{LambdaEvent, service_fn};
use startup::{Aws, HttpClient, Ledger, Settings, init_telemetry};
use websocket_api_stream::{Connections, Function};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = Settings;
    init_telemetry(settings)?;
    let function: &_ = Box::leak(Box::new(assemble(settings)?));
    // Boxed: with a stream and its log in it, the future has 50 KB, which the runtime would move about.
    let handle = |event: LambdaEvent<_>| Box::pin(function.handle(event));
    startup::as_task(lambda_runtime::run(service_fn(handle))).await?
}

fn assemble(settings: Settings) -> anyhow::Result<Function<impl chat::Model, impl stream_log::Store>> {
    let aws = Aws::from_settings(settings, HttpClient::new())?;
    let (model, model_id) = bedrock::from_settings(settings, &aws)?;
    Ok(Function {
        connections: Connections::new(&aws, settings.required("CONNECTIONS_URL")?)?,
        log: stream_log::from_settings(settings, &aws)?,
        model,
        model_id,
        request_limits: settings.request_limits()?,
        tuning: settings.tuning(&websocket_api_stream::tuning())?,
        ledger: Ledger::from_settings(settings)?,
    })
}
