use std::time::Duration;

use auth::{FetchJwks, JwksUnavailable, Verifier};
use http::Request;
use http_body_util::Full;

use crate::{HttpClient, Settings, SettingsError, Url};

const LIMIT: Duration = Duration::from_secs(3);

/// The user pool's keys over HTTPS.
#[derive(Debug, Clone)]
pub struct HttpJwks {
    client: HttpClient,
    url: Url,
}

/// The verifier of the user pool that the settings name.
pub fn verifier(settings: Settings, client: HttpClient) -> Result<Verifier<HttpJwks>, SettingsError> {
    let pool = auth::Settings {
        issuer: settings.required("COGNITO_ISSUER")?,
        client_id: settings.required("COGNITO_CLIENT_ID")?,
    };
    let url = settings.required("COGNITO_JWKS_URL")?;
    Ok(Verifier::new(pool, HttpJwks { client, url }))
}

impl FetchJwks for HttpJwks {
    async fn fetch(&self) -> Result<Vec<u8>, JwksUnavailable> {
        match self.client.send(&self.url, Request::new(Full::default()), LIMIT).await {
            Ok((status, body)) if status.is_success() => Ok(body.into()),
            Ok((status, _)) => Err(JwksUnavailable(format!("{} answered {status}", self.url).into())),
            Err(error) => Err(JwksUnavailable(error.into())),
        }
    }
}
