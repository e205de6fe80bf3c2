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
    let function: &_ = Box::leak(Box::new(runtime::or_report_init_error(&api, assemble(settings)).await?));
    // Boxed: one allocation an answer, instead of 50 KB that are moved about.
    let handle = |invocation, responder| Box::pin(function.handle(invocation, responder));
    startup::as_task(runtime::run(api, handle)).await??;
    Ok(())
}

fn assemble(
    settings: Settings,
) -> anyhow::Result<Function<impl chat::Model, impl auth::FetchJwks, impl stream_log::Store>> {
    let http = HttpClient::new();
    let aws = Aws::from_settings(settings, http.clone())?;
    let (model, model_id) = bedrock::from_settings(settings, &aws)?;
    Ok(Function {
        verifier: verifier(settings, http)?,
        log: stream_log::from_settings(settings, &aws)?,
        model,
        model_id,
        request_limits: settings.request_limits()?,
        tuning: settings.tuning(&chat::Tuning::default())?,
        ledger: Ledger::from_settings(settings)?,
    })
}
