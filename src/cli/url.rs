//! URLs of the command line and of `covenant.toml`. One with a user name or a password is refused and not repeated.

use serde::{Deserialize, Deserializer};
use url::Url;

/// Parses a URL of HTTP.
pub(super) fn parse(text: &str) -> Result<Url, String> {
    const EXPECTED: &str = "a URL such as https://host was expected";
    let url: Url = text.parse().map_err(|error: url::ParseError| format!("{error}; {EXPECTED}"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(EXPECTED.to_owned());
    }
    has_no_secret(&url).map(|()| url)
}

/// Returns an error if a URL holds a user name or a password.
pub(super) fn has_no_secret(url: &Url) -> Result<(), String> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(());
    }
    Err("a URL with a user name or a password is not accepted, since it would be recorded; a token is given in a file \
         or in an environment variable"
        .to_owned())
}

/// Reads a URL of the configuration file.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| parse(&text).map_err(serde::de::Error::custom)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_with_a_secret_is_refused_and_not_repeated() {
        for text in
            ["https://user:hidden-pw@a.example/", "https://hidden-pw@a.example", "http://:hidden-pw@[::1]:3/"]
        {
            let error = parse(text).expect_err(text);
            assert!(error.contains("not accepted") && !error.contains("hidden-pw"), "{error}");
        }
        assert!(parse("https://a.example/@x?u=a:b@c").is_ok());
        for text in ["a.example", "", "ftp://a.example", "https://"] {
            assert!(
                parse(text).expect_err(text).contains("a URL such as https://host was expected"),
                "{text}"
            );
        }
    }
}
