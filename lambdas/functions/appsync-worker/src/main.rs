use appsync_worker::{Function, Publisher};
use lambda_runtime::{LambdaEvent, service_fn};
use sqs_queue::Queue;
use startup::{Aws, HttpClient, Ledger, Settings, init_telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = Settings;
    init_telemetry(settings)?;
    let function: &_ = Box::leak(Box::new(assemble(settings)?));
    startup::as_task(lambda_runtime::run(service_fn(|event: LambdaEvent<_>| function.handle(event)))).await?
}

fn assemble(settings: Settings) -> anyhow::Result<Function<impl chat::Model, impl stream_log::Store>> {
    let aws = Aws::from_settings(settings, HttpClient::new())?;
    let (model, model_id) = bedrock::from_settings(settings, &aws)?;
    Ok(Function {
        queue: Queue::from_settings(settings, &aws)?,
        publisher: Publisher::new(&aws, &settings.required("GRAPHQL_URL")?)?,
        log: stream_log::from_settings(settings, &aws)?,
        model,
        model_id,
        max_age: settings.seconds_or("MAX_MESSAGE_AGE_SECONDS", appsync_worker::DEFAULT_MAX_AGE)?,
        tuning: settings.tuning(&appsync_worker::tuning())?,
        ledger: Ledger::from_settings(settings)?,
    })
}
