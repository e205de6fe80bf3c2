use function_url::{
    Function,
    runtime::{self, RuntimeApi},
};
use startup::{Aws, HttpClient, Ledger, Settings, init_telemetry, verifier};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let settings = Settings;
    init_telemetry(settings)?;
    let api = RuntimeApi::from_env();
    let function = runtime::or_report_init_error(&api, assemble(settings)).await?;
    runtime::run(&api, |invocation, responder| function.handle(invocation, responder)).await?;
    Ok(())
}

fn assemble(settings: Settings) -> anyhow::Result<Function<impl chat::Model, impl auth::FetchJwks>> {
    let http = HttpClient::new();
    let aws = Aws::from_settings(settings, http.clone())?;
    let bedrock = bedrock::client(&aws.sdk_config(settings.optional("AWS_ENDPOINT_URL_BEDROCK_RUNTIME")?));
    let model_id = settings.required("MODEL_ID")?;
    let model =
        bedrock::BedrockModel::new(bedrock, model_id.as_str(), settings.optional("MODEL_REQUEST_FIELDS")?);
    Ok(Function {
        verifier: verifier(settings, http)?,
        model: chat::Retrying::new(model, chat::Backoff::default()),
        model_id: model_id.into(),
        request_limits: settings.request_limits()?,
        tuning: settings.tuning(&chat::Tuning::default())?,
        ledger: Ledger::from_settings(settings)?,
    })
}
