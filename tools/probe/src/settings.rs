//! The frontend's settings, read the way it reads them: a dotenv file, overridden by the environment.

use std::{
    collections::HashMap,
    net::IpAddr,
    path::{Path, PathBuf},
};

use http::Uri;

use crate::{Architecture, ProbeError};

/// Where the deployment is. A value is missing when it is empty, which matters only to who needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    pub region: String,
    pub user_pool_id: String,
    pub user_pool_client_id: String,
    pub user_pool_endpoint: String,
    pub auth_flow: String,
    pub function_url: String,
    pub websocket_url: String,
    pub graphql_url: String,
    pub graphql_realtime_url: String,
}

impl Settings {
    /// From this file, else `frontend/.env.local`, else `frontend/.env`, else from the environment alone.
    pub fn load(env_file: Option<&Path>) -> Result<Self, ProbeError> {
        let file = env_file.map(Path::to_path_buf).or_else(|| {
            ["frontend/.env.local", "frontend/.env"].map(PathBuf::from).into_iter().find(|path| path.exists())
        });
        let text = match file {
            Some(path) => std::fs::read_to_string(&path).map_err(|error| ProbeError::EnvFile {
                path: path.display().to_string(),
                reason: error.to_string(),
            })?,
            None => String::new(),
        };
        Ok(Self::from_sources(&text, |key| std::env::var(key).ok()))
    }

    /// From the text of a dotenv file and an environment; what the environment sets wins.
    pub fn from_sources(dotenv: &str, environment: impl Fn(&str) -> Option<String>) -> Self {
        let file = parse_dotenv(dotenv);
        let get = |key: &str| {
            let set = environment(key).filter(|value| !value.is_empty());
            set.or_else(|| file.get(key).map(|value| (*value).to_owned())).unwrap_or_default()
        };
        let region = get("VITE_AWS_REGION");
        let mut user_pool_endpoint = get("VITE_USER_POOL_ENDPOINT");
        if user_pool_endpoint.is_empty() && !region.is_empty() {
            user_pool_endpoint = format!("https://cognito-idp.{region}.amazonaws.com/");
        }
        Self {
            region,
            user_pool_id: get("VITE_USER_POOL_ID"),
            user_pool_client_id: get("VITE_USER_POOL_CLIENT_ID"),
            user_pool_endpoint,
            auth_flow: get("VITE_AUTH_FLOW"),
            function_url: get("VITE_FUNCTION_URL"),
            websocket_url: get("VITE_WEBSOCKET_URL"),
            graphql_url: get("VITE_GRAPHQL_URL"),
            graphql_realtime_url: get("VITE_GRAPHQL_REALTIME_URL"),
        }
    }

    /// Whether the deployment has this architecture, as far as the settings say. One that is half set is there, so that
    /// what is missing gets named.
    pub fn has(&self, architecture: Architecture) -> bool {
        let urls = match architecture {
            Architecture::FunctionUrl => &[&self.function_url][..],
            Architecture::WebsocketApi => &[&self.websocket_url],
            Architecture::Appsync => &[&self.graphql_url, &self.graphql_realtime_url],
        };
        urls.iter().any(|url| !url.is_empty())
    }

    /// Whether sign-in happens on this machine: only then is the well-known test user's password a default.
    pub fn signs_in_locally(&self) -> bool {
        is_loopback(&self.user_pool_endpoint)
    }
}

/// The value as a URL, or the setting's name in the complaint.
pub(crate) fn require(value: &str, key: &'static str) -> Result<Uri, ProbeError> {
    if value.is_empty() {
        return Err(ProbeError::MissingSetting(key));
    }
    let uri: Uri = value.parse().map_err(|_| ProbeError::InvalidUrl { key })?;
    if uri.scheme().is_none() || uri.authority().is_none() {
        return Err(ProbeError::InvalidUrl { key });
    }
    Ok(uri)
}

pub(crate) fn is_loopback(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn parse_dotenv(text: &str) -> HashMap<&str, &str> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('='))
        .map(|(key, value)| (key.trim(), unquote(value.trim())))
        .collect()
}

fn unquote(value: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_read_and_the_environment_wins() {
        let file = "# comment\n\nexport VITE_AWS_REGION=eu-west-1\nVITE_FUNCTION_URL = \"http://a/?x=1\" \r\n\
                    VITE_WEBSOCKET_URL='ws://file'\nVITE_AUTH_FLOW=USER_SRP_AUTH\n#VITE_GRAPHQL_URL=http://no\nnonsense\nVITE_USER_POOL_ID=";
        let environment = |key: &str| match key {
            "VITE_WEBSOCKET_URL" => Some("ws://environment".to_owned()),
            "VITE_FUNCTION_URL" => Some(String::new()),
            _ => None,
        };
        let expected = Settings {
            region: "eu-west-1".into(),
            user_pool_endpoint: "https://cognito-idp.eu-west-1.amazonaws.com/".into(),
            auth_flow: "USER_SRP_AUTH".into(),
            function_url: "http://a/?x=1".into(),
            websocket_url: "ws://environment".into(),
            ..Settings::default()
        };
        assert_eq!(Settings::from_sources(file, environment), expected);
    }

    #[test]
    fn an_architecture_with_no_url_is_not_there() {
        for (key, expected) in [
            ("VITE_AWS_REGION", [false, false, false]),
            ("VITE_FUNCTION_URL", [true, false, false]),
            ("VITE_WEBSOCKET_URL", [false, true, false]),
            ("VITE_GRAPHQL_URL", [false, false, true]),
            ("VITE_GRAPHQL_REALTIME_URL", [false, false, true]),
        ] {
            let settings = Settings::from_sources(&format!("{key}=x"), |_| None);
            assert_eq!(Architecture::ALL.map(|architecture| settings.has(architecture)), expected, "{key}");
        }
    }

    #[test]
    fn only_loopback_addresses_are_local() {
        for (url, local) in [
            ("http://127.0.0.1:4000/", true),
            ("http://[::1]:4000/", true),
            ("http://localhost", true),
            ("https://cognito-idp.eu-west-1.amazonaws.com/", false),
            ("https://localhost.example.com/", false),
            ("http://127.0.0.1.example.com/", false),
            ("http://127.0.0.1@example.com/", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(url), local, "{url}");
        }
    }

    #[test]
    fn a_setting_that_is_missing_or_no_url_is_named() {
        for (value, complaint) in [
            ("", "VITE_X is not set: run `make local`, or set it in frontend/.env or the environment"),
            ("no url", "VITE_X is not a URL"),
            ("/path", "VITE_X is not a URL"),
        ] {
            assert_eq!(require(value, "VITE_X").expect_err("must fail").to_string(), complaint);
        }
    }
}
