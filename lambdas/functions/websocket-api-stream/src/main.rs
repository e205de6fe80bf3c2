use lambda_runtime::{LambdaEvent, service_fn};
use startup::{Aws, HttpClient, Ledger, Settings, init_telemetry};
use websocket_api_stream::{Function, connections};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_runtime::Error> {
    let settings = Settings;
    init_telemetry(settings)?;
    let function = assemble(settings)?;
    // Boxed: the SDK's futures, nested in the relay's, are deeper than the compiler looks.
    lambda_runtime::run(service_fn(async |event: LambdaEvent<_>| Box::pin(function.handle(event)).await))
        .await
}

fn assemble(settings: Settings) -> anyhow::Result<Function<impl chat::Model>> {
    let aws = Aws::from_settings(settings, HttpClient::new())?;
    let bedrock = bedrock::client(&aws.sdk_config(settings.optional("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")?));
    let model_id = settings.required("MODEL_ID")?;
    let model =
        bedrock::BedrockModel::new(bedrock, model_id.as_str(), settings.optional("MODEL_REQUEST_FIELDS")?);
    Ok(Function {
        connections: connections(&aws.sdk_config(Some(settings.required("CONNECTIONS_URL")?))),
        model: chat::Retrying::new(model, chat::Backoff::default()),
        model_id: model_id.into(),
        request_limits: settings.request_limits()?,
        tuning: settings.tuning(&websocket_api_stream::tuning())?,
        ledger: Ledger::from_settings(settings)?,
    })
}
