use std::{fmt::Write as _, str::FromStr};

use startup::{Aws, SettingsError, Url};

/// Where calls go, with the parts of it that are signed: taken apart once, not for each call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    canonical_path: String,
}

/// A setting that is no endpoint.
#[derive(Debug, thiserror::Error)]
#[error("not a URL such as https://host/path, without a query and without . or .. in its path")]
pub struct NotAnEndpoint;

impl Endpoint {
    /// Where a service is in the function's region, usually.
    pub fn of_service(name: &str, aws: &Aws) -> Result<Self, SettingsError> {
        let region = aws.region();
        let url = format!("https://{name}.{region}.{}", dns_suffix(region));
        url.parse().map_err(|NotAnEndpoint| SettingsError::Wrong {
            name: "AWS_REGION",
            problem: "it is no part of a host's name".to_owned(),
        })
    }

    /// What is done to this resource: `<endpoint>/<name>`.
    pub fn operation(&self, name: &'static str) -> Result<Self, NotAnEndpoint> {
        format!("{}/{name}", self.url).parse()
    }

    /// One resource of a collection below this endpoint: `<endpoint>/<collection>/<id>`, whatever characters the id has.
    pub fn resource(&self, collection: &str, id: &str) -> Result<Self, NotAnEndpoint> {
        // Without an id it would be the collection.
        if id.is_empty() {
            return Err(NotAnEndpoint);
        }
        let mut url = self.url.to_string();
        if !url.ends_with('/') {
            url.push('/');
        }
        url.push_str(collection);
        url.push('/');
        encode(id, &mut url);
        url.parse()
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn canonical_path(&self) -> &str {
        &self.canonical_path
    }
}

impl FromStr for Endpoint {
    type Err = NotAnEndpoint;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let url: Url = url.parse().map_err(|_| NotAnEndpoint)?;
        // Signed is the path without its dots and its empty segments; there are none.
        let odd = |segment: &str| matches!(segment, "" | "." | "..");
        let path = url.path().strip_prefix('/').unwrap_or_default();
        let segments = path.strip_suffix('/').unwrap_or(path);
        if url.query().is_some() || (!segments.is_empty() && segments.split('/').any(odd)) {
            return Err(NotAnEndpoint);
        }
        // Encoded once more than it is sent: AWS signs the path as it stands in the request line, as one more string.
        let mut canonical_path = String::with_capacity(url.path().len() + 8);
        for (at, segment) in url.path().split('/').enumerate() {
            if at > 0 {
                canonical_path.push('/');
            }
            encode(segment, &mut canonical_path);
        }
        Ok(Self { url, canonical_path })
    }
}

/// Of the partition that a region is in, as the SDKs' `partitions.json` has them.
fn dns_suffix(region: &str) -> &'static str {
    let suffixes = [
        ("cn-", "amazonaws.com.cn"),
        ("eusc-", "amazonaws.eu"),
        ("us-iso-", "c2s.ic.gov"),
        ("us-isob-", "sc2s.sgov.gov"),
        ("eu-isoe-", "cloud.adc-e.uk"),
        ("us-isof-", "csp.hci.ic.gov"),
    ];
    suffixes
        .iter()
        .find(|(prefix, _)| region.starts_with(prefix))
        .map_or("amazonaws.com", |(_, suffix)| suffix)
}

/// Everything but RFC 3986's unreserved characters.
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            write!(into, "%{byte:02X}").expect("a string can be written to");
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_credential_types::Credentials;
    use startup::HttpClient;

    use super::*;

    #[test]
    fn a_resource_is_below_its_collection_whatever_its_id() {
        let check = |base: &str, id: &str, url: &str, path: &str| {
            let resource = base.parse::<Endpoint>().unwrap().resource("@connections", id).unwrap();
            assert_eq!((resource.url().to_string().as_str(), resource.canonical_path()), (url, path));
        };
        check(
            "https://a.example/live",
            "Lw2-_~.1",
            "https://a.example/live/@connections/Lw2-_~.1",
            "/live/%40connections/Lw2-_~.1",
        );
        check(
            "https://a.example/live/",
            "IhA=",
            "https://a.example/live/@connections/IhA%3D",
            "/live/%40connections/IhA%253D",
        );
        check(
            "http://127.0.0.1:4566",
            "a/b?c#ü",
            "http://127.0.0.1:4566/@connections/a%2Fb%3Fc%23%C3%BC",
            "/%40connections/a%252Fb%253Fc%2523%25C3%25BC",
        );
        let base: Endpoint = "https://a.example".parse().unwrap();
        for id in ["", ".", ".."] {
            assert!(base.resource("@connections", id).is_err(), "another resource");
        }
    }

    #[test]
    fn a_service_is_where_its_region_has_it() {
        let check = |region: &str, url: Option<&str>| {
            let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test");
            let aws = Aws::new(HttpClient::new(), region.to_owned(), credentials);
            let endpoint = Endpoint::of_service("bedrock-runtime", &aws).ok();
            assert_eq!(endpoint.map(|endpoint| endpoint.url().to_string()).as_deref(), url, "{region}");
        };
        check("us-east-1", Some("https://bedrock-runtime.us-east-1.amazonaws.com/"));
        check("us-gov-west-1", Some("https://bedrock-runtime.us-gov-west-1.amazonaws.com/"));
        check("cn-north-1", Some("https://bedrock-runtime.cn-north-1.amazonaws.com.cn/"));
        check("eusc-de-east-1", Some("https://bedrock-runtime.eusc-de-east-1.amazonaws.eu/"));
        check("a b", None);
    }

    #[test]
    fn the_path_is_signed_as_it_stands_in_the_request() {
        let check = |url: &str, path: &str| {
            let endpoint: Endpoint = url.parse().unwrap();
            assert_eq!(endpoint.canonical_path(), path, "{url}");
        };
        check("https://dynamodb.eu-west-1.amazonaws.com", "/");
        check("https://a.example/graphql", "/graphql");
        check("https://a.example/a/b/", "/a/b/");
        check("http://a.example/a%20b", "/a%2520b");
    }

    #[test]
    fn what_is_no_endpoint_is_refused_before_anything_is_sent() {
        for url in [
            "",
            "a.example",
            "/path",
            "ftp://a.example",
            "https://",
            "https://a.example/?query",
            "https://a.example//b",
            "https://a.example/a/../b",
            "https://a.example/./b",
            "https://a example",
        ] {
            assert!(url.parse::<Endpoint>().is_err(), "{url}");
        }
    }
}
