use std::{fmt, str::FromStr, sync::Arc};

use http::{HeaderValue, Uri, uri::Scheme};

/// Where requests go, taken apart once and not for each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    whole: Uri,
    origin: Arc<str>,
    host: HeaderValue,
    target: Uri,
}

/// What no request can be sent to.
#[derive(Debug, thiserror::Error)]
#[error("not a URL such as https://host/path")]
pub struct NotAUrl;

impl Url {
    /// The header of that name: without the port, where that is the scheme's own.
    pub fn host(&self) -> &HeaderValue {
        &self.host
    }

    pub fn path(&self) -> &str {
        self.target.path()
    }

    pub fn query(&self) -> Option<&str> {
        self.target.query()
    }

    pub(crate) fn whole(&self) -> &Uri {
        &self.whole
    }

    /// Scheme, host and port: what a connection is made to.
    pub(crate) fn origin(&self) -> &Arc<str> {
        &self.origin
    }

    /// What stands in a request's first line.
    pub(crate) fn target(&self) -> &Uri {
        &self.target
    }
}

impl FromStr for Url {
    type Err = NotAUrl;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        let whole: Uri = url.parse().map_err(|_| NotAUrl)?;
        let (scheme, usual_port) = match whole.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => ("https", 443),
            Some(scheme) if *scheme == Scheme::HTTP => ("http", 80),
            Some(_) | None => return Err(NotAUrl),
        };
        let host = whole.host().filter(|host| !host.is_empty()).ok_or(NotAUrl)?;
        let host = match whole.port_u16().filter(|port| *port != usual_port) {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        };
        let origin = format!("{scheme}://{host}").into();
        let target = whole.path_and_query().cloned().map(Uri::from).ok_or(NotAUrl)?;
        Ok(Self { whole, origin, host: HeaderValue::try_from(host).map_err(|_| NotAUrl)?, target })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.whole.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_known_before_anything_is_sent() {
        let check = |text: &str, origin: &str, host: &str, target: &str| {
            let url: Url = text.parse().unwrap();
            let (found, sent) = (url.origin().to_string(), url.target().to_string());
            assert_eq!((&*found, url.host().to_str().unwrap(), &*sent), (origin, host, target), "{text}");
        };
        check("https://a.example", "https://a.example", "a.example", "/");
        check("https://a.example:443/graphql", "https://a.example", "a.example", "/graphql");
        check("http://a.example:80/", "http://a.example", "a.example", "/");
        check("https://a.example:80/a/b/?c=d", "https://a.example:80", "a.example:80", "/a/b/?c=d");
        check("http://[::1]:4566", "http://[::1]:4566", "[::1]:4566", "/");
        check("http://ann@a.example/", "http://a.example", "a.example", "/");
    }

    #[test]
    fn what_is_no_url_is_refused() {
        for text in [
            "",
            "a.example",
            "/path",
            "ftp://a.example",
            "https://",
            "https://:1/",
            "https://ü.example/",
            "https://a example",
        ] {
            assert!(text.parse::<Url>().is_err(), "{text}");
        }
    }
}
