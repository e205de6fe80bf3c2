use aws_credential_types::Credentials;

use crate::{HttpClient, Settings, SettingsError};

/// AWS as seen from inside a function.
///
/// Lambda puts the role's credentials and the region into the environment, fixed for the environment's life, so
/// the provider chain of `aws-config`, with its profiles, STS and metadata service, would be weight without use.
#[derive(Debug, Clone)]
pub struct Aws {
    http: HttpClient,
    region: String,
    credentials: Credentials,
}

impl Aws {
    pub fn from_settings(settings: Settings, http: HttpClient) -> Result<Self, SettingsError> {
        let credentials = Credentials::new(
            settings.required::<String>("AWS_ACCESS_KEY_ID")?,
            settings.required::<String>("AWS_SECRET_ACCESS_KEY")?,
            settings.optional("AWS_SESSION_TOKEN")?,
            None,
            "Lambda",
        );
        Ok(Self::new(http, settings.required("AWS_REGION")?, credentials))
    }

    pub fn new(http: HttpClient, region: String, credentials: Credentials) -> Self {
        Self { http, region, credentials }
    }

    pub fn http(&self) -> &HttpClient {
        &self.http
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }
}
