//! The operator of the target, as the command line and `covenant.toml` name it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use url::Url;

use super::url::has_no_secret;

/// The operator of the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorChoice {
    /// An adapter behind a URL.
    Http(Url),
    /// The REST surface of a Powernode.
    Powernode(Url),
    /// A person at this terminal.
    Person,
}

impl FromStr for OperatorChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let url = |text: &str| {
            let url: Option<Url> = text.parse().ok();
            let url =
                url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()).ok_or_else(
                    || format!("{text:?}: expected an http or https URL, powernode:URL, or person"),
                )?;
            has_no_secret(&url).map(|()| url)
        };
        match text.strip_prefix("powernode:") {
            Some(rest) => url(rest).map(Self::Powernode),
            None if text == "person" => Ok(Self::Person),
            None => url(text).map(Self::Http),
        }
    }
}

impl fmt::Display for OperatorChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(url) => url.fmt(f),
            Self::Powernode(url) => write!(f, "powernode:{url}"),
            Self::Person => f.write_str("person"),
        }
    }
}

impl<'de> Deserialize<'de> for OperatorChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_a_url_a_powernode_or_a_person() {
        assert_eq!("person".parse(), Ok(OperatorChoice::Person));
        for text in ["https://a.example/operator", "powernode:https://a.example/"] {
            let choice: OperatorChoice = text.parse().expect("a choice");
            assert_eq!(choice.to_string(), text);
        }
        for text in ["", "a.example", "powernode:", "ftp://a.example", "powernode:person"] {
            assert!(text.parse::<OperatorChoice>().is_err(), "{text}");
        }
        for text in ["https://u:hidden-pw@a.example/", "powernode:https://hidden-pw@a.example"] {
            let error = text.parse::<OperatorChoice>().expect_err(text);
            assert!(!error.contains("hidden-pw"), "{error}");
        }
    }
}
