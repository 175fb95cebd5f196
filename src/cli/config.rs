//! `covenant.toml`: names the target and how to reach it, which keeps command lines short.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, SchemaGenerator};
use semver::Version;
use serde::Deserialize;
use url::Url;

use super::Failure;
use super::contract_choice::ContractChoice;
use super::identity::IdentityForm;
use super::number::{AdapterTimeout, Cases, Jobs, MaxWait, PollTimeout, RequestTimeout};
use super::operator_choice::OperatorChoice;
use crate::input;
use crate::nearest::elsewhere;
use crate::operator::{Kinds, NamedRecord, ResourceKind};
use crate::scenario::shown_in_file;
use crate::secret;

/// The configuration file that is read by default.
pub(super) const DEFAULT: &str = "covenant.toml";
/// The longest configuration file that is read, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// The contents of `covenant.toml`. A command-line flag of the same name takes precedence.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The platform under test.
    pub target: TargetSection,
    /// The simulated peers.
    pub peers: PeersSection,
    /// The options of a run.
    pub run: RunSection,
}

/// The platform under test: its address and its operator.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TargetSection {
    /// The adapter: a program that is started for each scenario.
    pub adapter: Option<String>,
    /// The environment variables that the adapter inherits, beside PATH, HOME, LANG, TMPDIR and the like.
    pub adapter_env: Vec<String>,
    /// The operator: a URL, `powernode:URL`, or `person`.
    #[schemars(with = "Option<String>")]
    pub operator: Option<OperatorChoice>,
    /// The time to wait for the result of one method, in seconds. The default is 60.
    pub adapter_timeout_seconds: Option<AdapterTimeout>,
    /// A file with the log-in of `powernode:URL`: TOML with `email`, `password`, `worker_token`.
    pub credentials: Option<PathBuf>,
    /// The URL of the federation plane of a running platform. A path before the federation prefix is kept.
    #[schemars(with = "Option<String>")]
    #[serde(deserialize_with = "super::url::deserialize")]
    pub url: Option<Url>,
    /// A PEM file with the authorities that the target's certificate must chain to.
    pub ca: Option<PathBuf>,
    /// Trust the authorities of this system for the target's certificate.
    pub system_roots: bool,
    /// The way in which the peers identify themselves to the target.
    pub identity: Option<IdentityForm>,
    /// The contract text that the target keeps: its id, such as `2026-06`, or its SHA-256. Without it, the
    /// target is asked.
    #[schemars(with = "Option<String>")]
    pub contract: Option<ContractChoice>,
    /// Allow an `http:` URL of another machine.
    pub plain_http: bool,
    /// The platform can reach the simulated peers. A notice that never comes is broken then, though no call of
    /// the platform shows the way, and the report says that it rests on this.
    pub way_back_open: bool,
    /// The time that one scenario may wait in real time, in seconds, where no method moves the platform's clock. The
    /// default is 15; 0 never waits.
    pub max_wait_seconds: Option<MaxWait>,
    /// Records that the platform has already, for `powernode:URL`. Scenarios that change no record read them.
    pub records: Vec<NamedRecord>,
    /// The kinds of record that the platform has, as `describe` of an adapter names them. They take precedence.
    #[schemars(with = "Option<Vec<ResourceKind>>")]
    pub kinds: Option<Kinds>,
    /// The time limit of one call on the federation plane, in seconds. The default is 10.
    pub request_timeout_seconds: Option<RequestTimeout>,
}

/// The simulated peers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PeersSection {
    /// The address that the peers listen on.
    #[schemars(with = "Option<String>")]
    pub listen: Option<IpAddr>,
    /// The URL that the peers give to the target, if it is not their own: `https://tests.example`.
    #[schemars(with = "Option<String>")]
    #[serde(deserialize_with = "super::url::deserialize")]
    pub advertise: Option<Url>,
    /// The release that the peers report, if it is not the target's: `1.4.0`.
    #[schemars(with = "Option<String>")]
    pub release: Option<Version>,
    /// A PEM file with the certificate chain that the peers present, which the platform can verify. Without it, each
    /// peer has an authority of its own.
    pub certificate: Option<PathBuf>,
    /// A PEM file with the private key of `certificate`.
    pub key: Option<PathBuf>,
}

/// The run.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunSection {
    /// The number of scenarios that run in parallel. The default is 4.
    pub jobs: Option<Jobs>,
    /// The number of cases of each property. The default is 12.
    pub cases: Option<Cases>,
    /// The time to wait for a finding, an event or a notice that is due, in seconds. The default is 10.
    pub poll_timeout_seconds: Option<PollTimeout>,
    /// Exit with code 3 if something is unproven.
    pub strict: bool,
}

impl Config {
    /// Reads the named file, or `covenant.toml` in the current folder if it exists. Otherwise returns the
    /// defaults.
    pub(super) fn find(named: Option<&Path>) -> Result<Self, Failure> {
        match named {
            Some(path) => Self::read(path),
            // A folder or a pipe of this name is an error, and not passed over.
            None if Path::new(DEFAULT).symlink_metadata().is_ok() => {
                super::message(&format!("config: {DEFAULT}\n"));
                Self::read(Path::new(DEFAULT))
            }
            None => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        let text = input::read_text(path, BYTES_MAX)
            .map_err(|error| Failure::usage(format!("configuration {error}")))?;
        // An error quotes the line.
        secret::learn_own_urls(&text);
        let shown = path.display().to_string();
        Self::parse(&text).map_err(|error| {
            let rendered = shown_in_file(&error, &shown, &text);
            match place_of_unknown(error.message()) {
                Some(place) if !rendered.contains("did you mean") => {
                    Failure::usage(format!("{}\nhint: {place}", rendered.trim_end()))
                }
                _ => Failure::usage(rendered),
            }
        })
    }

    /// Parses the text of a file. An error names the line, the column, the found and the expected value.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

/// Returns where an unknown word belongs, if an error is about one that another place knows.
fn place_of_unknown(message: &str) -> Option<String> {
    let word = message.strip_prefix("unknown field `")?.split('`').next()?;
    let places = [
        ("[target]", members_of::<TargetSection>()),
        ("[peers]", members_of::<PeersSection>()),
        ("[run]", members_of::<RunSection>()),
    ];
    if let Some(section) = elsewhere(word, &places) {
        return Some(format!("`{word}` belongs to {section}"));
    }
    (word == "base_url").then(|| "the URL of the platform is `url` in [target]".to_owned())
}

/// Returns the names of the members of a section.
fn members_of<S: JsonSchema>() -> Vec<String> {
    let schema = SchemaGenerator::default().into_root_schema_for::<S>().to_value();
    schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

/// The file that `covenant init` writes. Every line is a comment, so the file changes nothing until edited.
pub(super) const COMMENTED: &str = r#"# covenant.toml: the target of `covenant run`, and how to reach it.
# A command-line flag of the same name takes precedence. Schema: `covenant schema config`.

[target]
# The operator of your platform: one of the two. See docs/plug-your-platform-in.md.
# adapter = "python3 adapter.py"            # a program, started for each scenario
# operator = "http://127.0.0.1:9000/operator"  # or "powernode:https://platform.example", or "person"
# adapter_env = ["MY_TOKEN"]                # variables that it inherits, beside PATH, HOME, LANG, TMPDIR and the like
# adapter_timeout_seconds = 60              # time to wait for the result of one method
# credentials = "operator.toml"             # for powernode: email, password, worker_token

# The federation plane of a running platform. Without it, `platform.start` returns the URL.
# url = "https://platform.example"          # a path before /api/v1/system/federation_api is kept
# ca = "authorities.pem"                    # authorities to trust; without it, the first certificate is pinned
# system_roots = false                      # or: trust the authorities of this system
# identity = "tls"                          # "forwarded" or "forwarded-g1": the suite plays the proxy
# contract = "2026-05"                      # contract text that it keeps (`covenant list texts`); else it is asked
# plain_http = false                        # allow an http: URL of another machine
# max_wait_seconds = 15                     # real time that a scenario may wait where no method moves the clock
# records = [{ kind = "skill", id = "0190b2f0-0000-7000-8000-00000000c0de" }]  # for powernode: that are there
# way_back_open = false                     # state that the platform can reach the simulated peers
# request_timeout_seconds = 10              # time limit of one call

# The kinds of record that the platform has, if its adapter does not name them. Roles of members: text, slug,
# reference (with `to`), object, fixed (sent as in the sample). See docs/plug-your-platform-in.md.
# kinds = [{ kind = "workflow", sample = { title = "Weaving", state = "draft" }, members = { title = { role = "text", required = true }, state = { required = true } } }]

[peers]
# listen = "127.0.0.1"                      # address that the simulated peers listen on
# advertise = "https://tests.example"       # URL that they give to the target, if different
# release = "1.4.0"                         # release that they report; without it, the target's
# certificate = "peers.pem"                 # chain that they present, which the target can verify
# key = "peers.key"                         # its private key

[run]
# jobs = 4                                  # scenarios to run in parallel
# cases = 12                                # cases of each property
# poll_timeout_seconds = 10                 # time to wait for a finding, an event or a notice
# strict = false                            # exit with code 3 if something is unproven
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
        assert_eq!(config.run.poll_timeout_seconds, PollTimeout::new(10));
    }

    #[test]
    fn a_word_in_the_wrong_section_is_shown_its_own() {
        for (text, place) in [
            ("kinds = []", "`kinds` belongs to [target]"),
            ("[run]\nlisten = \"::1\"", "`listen` belongs to [peers]"),
            ("[target]\njobs = 3", "`jobs` belongs to [run]"),
            ("[target]\nbase_url = \"x\"", "`url` in [target]"),
        ] {
            let error = Config::parse(text).expect_err(text);
            let found = place_of_unknown(error.message());
            assert!(found.as_ref().is_some_and(|found| found.contains(place)), "{text}: {found:?}");
        }
        let error = Config::parse("[run]\nfoo = 1").expect_err("no such word");
        assert_eq!(place_of_unknown(error.message()), None);
    }

    #[test]
    fn an_unknown_word_is_reported_with_its_place() {
        let error = Config::parse("[target]\nadaptor = \"x\"\n").expect_err("no such word").to_string();
        assert!(error.contains("line 2") && error.contains("unknown field `adaptor`"), "{error}");
        let error = Config::parse("[target]\noperator = \"ftp://x\"\n").expect_err("no operator").to_string();
        assert!(error.contains("line 2") && error.contains("powernode:URL"), "{error}");
        let error = Config::parse("[target]\ncontract = \"v1\"\n").expect_err("no text").to_string();
        assert!(error.contains("line 2") && error.contains("2026-05"), "{error}");
    }
}
