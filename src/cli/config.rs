//! `covenant.toml`: what names the target and how it is reached, so that a command line stays short.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use semver::Version;
use serde::Deserialize;
use url::Url;

use super::Failure;
use super::target_choice::{IdentityForm, OperatorChoice};

/// The file that is read where no other is named.
pub(super) const DEFAULT: &str = "covenant.toml";
/// A file is read up to here, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// What `covenant.toml` can say. A flag of the same name goes before it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The platform under test.
    pub target: TargetSection,
    /// The simulated peers.
    pub peers: PeersSection,
    /// The run.
    pub run: RunSection,
}

/// The platform under test: where it is, and whose operator are on it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetSection {
    /// The adapter: a program that is started for each scenario.
    pub adapter: Option<String>,
    /// The operator: a URL, `powernode:URL`, or `person`.
    #[schemars(with = "Option<String>")]
    pub operator: Option<OperatorChoice>,
    /// How long the answer to one method is waited for, in seconds.
    pub adapter_time_seconds: Option<u64>,
    /// A file with the log-in of `powernode:URL`: TOML with `email`, `password`, `worker_token`.
    pub credentials: Option<PathBuf>,
    /// Where the federation plane of a platform is that runs already; a path before the prefix stays.
    #[schemars(with = "Option<String>")]
    pub url: Option<Url>,
    /// A PEM file with the authorities to trust there.
    pub ca: Option<PathBuf>,
    /// Trust the authorities of this system there.
    pub system_roots: bool,
    /// How the peers make themselves known there.
    pub identity: Option<IdentityForm>,
    /// Allow an `http:` URL.
    pub plain_http: bool,
    /// How long one call of the federation plane may take, in seconds.
    pub call_time_seconds: Option<u64>,
}

/// The simulated peers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PeersSection {
    /// The address on which they listen.
    #[schemars(with = "Option<String>")]
    pub listen: Option<IpAddr>,
    /// The address that they give to the target, where that is another: `https://tests.example`.
    #[schemars(with = "Option<String>")]
    pub advertise: Option<Url>,
    /// The release that they say they run, where that is not the target's: `1.4.0`.
    #[schemars(with = "Option<String>")]
    pub release: Option<Version>,
}

/// The run.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunSection {
    /// How many scenarios are played side by side.
    pub jobs: Option<u16>,
    /// How many cases of each property.
    pub cases: Option<u32>,
    /// How long a finding, an event or a notice that is due is waited for, in seconds.
    pub poll_timeout_seconds: Option<u64>,
    /// Fail also where something could not be proved.
    pub strict: bool,
}

impl Config {
    /// The file that was named, or the one that stands here, or nothing.
    pub(super) fn find(named: Option<&Path>) -> Result<Self, Failure> {
        match named {
            Some(path) => Self::read(path),
            None if Path::new(DEFAULT).is_file() => {
                super::tell(&format!("config: {DEFAULT}\n"));
                Self::read(Path::new(DEFAULT))
            }
            None => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let wrong = |why: String| Failure::usage(format!("{}: {why}", path.display()));
        let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if length > BYTES_MAX {
            return Err(wrong(format!("longer than {} MiB", BYTES_MAX >> 20)));
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        Self::parse(&text).map_err(|error| wrong(error.to_string()))
    }

    /// Reads its text. The error names line, column, what was found and what was expected.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

/// The file that `covenant init` writes: every line a comment, so that it changes nothing until it is edited.
pub(super) const COMMENTED: &str = r#"# covenant.toml: what `covenant run` checks, and how it is reached.
# A flag of the same name goes before what stands here. Its schema: `covenant schema config`.

[target]
# The operator on your platform. One of the two; docs/plug-your-platform-in.md tells how to make them.
# adapter = "python3 adapter.py"            # a program, started for each scenario
# operator = "http://127.0.0.1:9000/operator"  # or "powernode:https://platform.example", or "person"
# adapter_time_seconds = 60                 # how long the answer to one method is waited for
# credentials = "operator.toml"             # for powernode: email, password, worker_token

# Where the federation plane is, for a platform that runs already. Without it, `platform.start` tells.
# url = "https://platform.example"          # a path before /api/v1/system/federation_api stays
# ca = "authorities.pem"                    # whom to trust there; without it, the first certificate is pinned
# system_roots = false                      # or: trust what this system trusts
# identity = "tls"                          # "forwarded" or "forwarded-g1": the suite plays the proxy before it
# plain_http = false                        # allow an http: URL
# call_time_seconds = 10                    # how long one call may take

[peers]
# listen = "127.0.0.1"                      # where the simulated peers listen
# advertise = "https://tests.example"       # the address that they give to the target, if that is another
# release = "1.4.0"                         # what they say they run; without it, what the target runs

[run]
# jobs = 4                                  # scenarios side by side
# cases = 12                                # cases of each property
# poll_timeout_seconds = 10                     # how long what is due is waited for
# strict = false                            # fail also where something could not be proved
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_init_writes_is_read_and_says_nothing_until_it_is_edited() {
        let config = Config::parse(COMMENTED).expect("it reads");
        assert!(config.target.adapter.is_none() && config.run.jobs.is_none());
        let edited: String = COMMENTED
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.split_whitespace().nth(1) == Some("=") => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let config = Config::parse(&edited).expect("every example reads");
        assert_eq!(config.target.adapter.as_deref(), Some("python3 adapter.py"));
        assert_eq!(config.run.poll_timeout_seconds, Some(10));
    }

    #[test]
    fn an_unknown_word_is_told_with_its_place() {
        let error = Config::parse("[target]\nadaptor = \"x\"\n").expect_err("no such word").to_string();
        assert!(error.contains("line 2") && error.contains("unknown field `adaptor`"), "{error}");
        let error = Config::parse("[target]\noperator = \"ftp://x\"\n").expect_err("no operator").to_string();
        assert!(error.contains("line 2") && error.contains("powernode:URL"), "{error}");
    }
}
