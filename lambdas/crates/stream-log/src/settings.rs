use std::time::Duration;

use startup::{Aws, Ledger, Settings, SettingsError};

use crate::{Caps, DynamoDb, Options, StreamLog};

const DEFAULT_RETENTION: Duration = Duration::from_hours(24);
const DEFAULT_ABANDON_AFTER: Duration = Duration::from_secs(30);

/// The log that the settings name; without `STREAM_LOG_TABLE` there is none.
pub fn from_settings(settings: Settings, aws: &Aws) -> Result<StreamLog<DynamoDb>, SettingsError> {
    let Some(table) = settings.optional("STREAM_LOG_TABLE")? else { return Ok(StreamLog::off()) };
    let store = DynamoDb::new(aws, settings.optional("AWS_ENDPOINT_URL_DYNAMODB")?, table)?;
    let options = Options {
        retention: settings.seconds_or("STREAM_LOG_RETENTION_SECONDS", DEFAULT_RETENTION)?,
        caps: Caps {
            streams: settings.optional("MAX_STREAMS_PER_USER")?,
            tokens_per_day: settings.optional("MAX_OUTPUT_TOKENS_PER_USER_PER_DAY")?,
        },
        abandon_after: settings.seconds_or("ABANDON_AFTER_SECONDS", DEFAULT_ABANDON_AFTER)?,
    };
    Ok(StreamLog::new(store, options, Ledger::from_settings(settings)?))
}
