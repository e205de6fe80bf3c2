use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_async::{rt::sleep::SharedAsyncSleep, rt::sleep::TokioSleep, time::SharedTimeSource};
use aws_types::{SdkConfig, region::Region};

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

    /// The configuration for one service's client. `endpoint` moves the service from its usual address; the SDKs'
    /// own variables for that are `AWS_ENDPOINT_URL_<SERVICE>`
    /// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
    pub fn sdk_config(&self, endpoint: Option<String>) -> SdkConfig {
        let mut builder = SdkConfig::builder()
            .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(self.credentials.clone()))
            .http_client(self.http.for_sdk())
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .time_source(SharedTimeSource::default());
        builder.set_endpoint_url(endpoint);
        builder.build()
    }
}
