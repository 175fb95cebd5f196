//! The target of a command, as the command line and `covenant.toml` name it.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use semver::Version;
use serde_json::json;
use url::Url;

use super::config::Config;
use super::contract_choice::ContractChoice;
use super::identity::IdentityForm;
use super::number::{AdapterTimeout, MaxWait, PollTimeout, RequestTimeout};
use super::operator::{adapter, operator_targets, variable_name};
use super::operator_choice::OperatorChoice;
use super::pem::{read_bundle, server_identity, system_bundle};
use super::{Exit, Failure, block_on};
use crate::contract::HeldText;
use crate::doctor::{DetectError, detect_caller_form};
use crate::nearest::{did_you_mean, with_nearest};
use crate::net::Limits;
use crate::operator::{Address, At, Identified, Kinds, NamedRecord, is_plain_elsewhere};
use crate::reference::{DEFECTS, Patch, VARIANTS, contradiction};
use crate::runner::{ExternalTarget, MAX_WAIT_SECONDS, Target, run_context};
use crate::scenario::RunContext;
use crate::transcript::WayBack;
use crate::wire::generation::{CallerForm, GENERATIONS};

/// The default time to wait for the result of one method, in seconds.
const ADAPTER_TIMEOUT_SECONDS: u64 = 60;

/// The arguments that name a target.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "The target")]
pub(super) struct TargetArguments {
    /// Defect to apply to the embedded reference platform (repeatable); see `covenant list defects`
    #[arg(long, value_name = "NAME")]
    pub(super) defect: Vec<String>,
    /// Variant to apply to the embedded reference platform (repeatable); see `covenant list variants`
    #[arg(long, value_name = "NAME")]
    pub(super) variant: Vec<String>,
    /// Command line of an adapter to your platform; the program is started for each scenario
    #[arg(long, value_name = "PROGRAM ARGS", conflicts_with_all = ["defect", "variant", "operator"])]
    pub(super) adapter: Option<String>,
    /// Environment variable that the adapter inherits (repeatable); without it, PATH, HOME, LANG, TMPDIR and the like
    #[arg(long, value_name = "NAME", value_parser = variable_name)]
    pub(super) adapter_env: Vec<String>,
    /// Operator of your platform: the URL of an adapter (its token in COVENANT_OPERATOR_TOKEN),
    /// powernode:URL, or person
    #[arg(long, value_name = "URL|powernode:URL|person", conflicts_with_all = ["defect", "variant"])]
    pub(super) operator: Option<OperatorChoice>,
    /// TOML file with the log-in for powernode:URL: email, password, worker_token [default:
    /// COVENANT_POWERNODE_EMAIL, …_PASSWORD and …_WORKER_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub(super) credentials: Option<PathBuf>,
    /// Seconds to wait for the result of one method [default: 60]
    #[arg(long, value_name = "SECONDS")]
    pub(super) adapter_timeout: Option<AdapterTimeout>,
    /// URL of the federation plane of a running platform [default: that of powernode:URL]
    #[arg(long, value_name = "URL", value_parser = super::url::parse, conflicts_with_all = ["defect", "variant"])]
    pub(super) target: Option<Url>,
    /// PEM file with the authorities to trust for the target, whose certificate has to be for the host of its URL
    /// [default: pin the first certificate seen]. An operator with an https URL is trusted by them too, and by those
    /// of this system
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Trust the authorities of this system for the target, whose certificate has to be for the host of its URL
    #[arg(long, conflicts_with = "ca")]
    pub(super) system_roots: bool,
    /// Way in which the simulated peers identify themselves to the target [default: detected]
    #[arg(long, value_parser = IdentityForm::parser())]
    pub(super) identity: Option<IdentityForm>,
    /// Contract text that the target keeps: an id of `covenant list texts`, or a SHA-256 [default: the target
    /// is asked]
    #[arg(long, value_name = "TEXT|DIGEST")]
    pub(super) contract: Option<ContractChoice>,
    /// Allow a target on another machine, or an operator that gets a token, to be called with plain http
    #[arg(long)]
    pub(super) plain_http: bool,
    /// Seconds that one call on the federation plane may take [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub(super) request_timeout: Option<RequestTimeout>,
    /// URL at which the target calls the simulated peers [default: the address they listen on]
    #[arg(long, value_name = "URL", value_parser = super::url::parse)]
    pub(super) advertise: Option<Url>,
    /// Release that the simulated peers report [default: the target's, if it reports one]
    #[arg(long, value_name = "VERSION", value_parser = release)]
    pub(super) release: Option<Version>,
    /// Address that the simulated peers and an embedded target listen on [default: 127.0.0.1]
    #[arg(long, value_name = "ADDR", value_parser = ip_address)]
    pub(super) listen: Option<IpAddr>,
    /// State that the target can reach the simulated peers: a notice that never comes is broken then, though no
    /// call of the target shows the way. The report says that it rests on this
    #[arg(long)]
    pub(super) way_back_open: bool,
    /// Seconds that one scenario may wait in real time, where no method moves the target's clock; 0 never waits. The
    /// limits of the contract are 5 minutes and more: 420 shows those of minutes [default: 15]
    #[arg(long, value_name = "SECONDS")]
    pub(super) max_wait: Option<MaxWait>,
    /// PEM file with the certificate chain that the simulated peers present, which the target can verify; needs
    /// --peer-key [default: each peer has an authority of its own]
    #[arg(long, value_name = "FILE", requires = "peer_key")]
    pub(super) peer_certificate: Option<PathBuf>,
    /// PEM file with the private key of --peer-certificate
    #[arg(long, value_name = "FILE", requires = "peer_certificate")]
    pub(super) peer_key: Option<PathBuf>,
    /// Record that the target has already, for powernode:URL, whose operator can store none (repeatable):
    /// '{"kind": "skill", "id": "…"}'. Scenarios that change no record read it
    #[arg(long = "record", value_name = "JSON", value_parser = named_record)]
    pub(super) records: Vec<NamedRecord>,
    /// Kinds of the target, which only the configuration file names
    #[arg(skip)]
    pub(super) kinds: Option<Kinds>,
    /// Configuration file [default: covenant.toml, if it exists]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

impl TargetArguments {
    /// Returns whether the arguments name a target.
    pub(super) fn name_target(&self) -> bool {
        let embedded = !(self.defect.is_empty() && self.variant.is_empty());
        embedded || self.adapter.is_some() || self.operator.is_some() || self.target.is_some()
    }

    /// Fills in from the file what the command line leaves out. A defect or a variant selects the embedded
    /// platform, so the target of the file is ignored then.
    pub(super) fn or(mut self, config: &Config) -> Self {
        self.listen = self.listen.or(config.peers.listen);
        self.advertise = self.advertise.or_else(|| config.peers.advertise.clone());
        self.release = self.release.or_else(|| config.peers.release.clone());
        if self.peer_certificate.is_none() {
            self.peer_certificate.clone_from(&config.peers.certificate);
            self.peer_key.clone_from(&config.peers.key);
        }
        if !(self.defect.is_empty() && self.variant.is_empty()) {
            return self;
        }
        let target = config.target.clone();
        if self.operator.is_none() && self.adapter.is_none() {
            self.operator = target.operator;
            self.adapter = target.adapter;
        }
        self.credentials = self.credentials.or(target.credentials);
        if self.adapter_env.is_empty() {
            self.adapter_env = target.adapter_env;
        }
        self.adapter_timeout = self.adapter_timeout.or(target.adapter_timeout_seconds);
        self.target = self.target.or(target.url);
        self.ca = self.ca.or(target.ca);
        self.system_roots |= target.system_roots && self.ca.is_none();
        self.identity = self.identity.or(target.identity);
        self.contract = self.contract.or(target.contract);
        self.plain_http |= target.plain_http;
        self.way_back_open |= target.way_back_open;
        self.max_wait = self.max_wait.or(target.max_wait_seconds);
        if self.records.is_empty() {
            self.records = target.records;
        }
        self.kinds = self.kinds.or(target.kinds);
        self.request_timeout = self.request_timeout.or(target.request_timeout_seconds);
        self
    }

    /// Builds the target that the arguments name. Adapters log their standard error into `folder`.
    pub(super) fn target(&self, folder: Option<&Path>) -> Result<Target, Failure> {
        let (name, targets) = match (&self.adapter, &self.operator) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage("adapter and operator: give one of the two, not both"));
            }
            (Some(line), None) => (
                format!("the platform behind the adapter {line}"),
                adapter(line, &self.adapter_env, self.method_time_max(), folder)?,
            ),
            (None, Some(operator)) => {
                let targets = operator_targets(operator, self, self.records.clone())?;
                (format!("the platform behind the operator {operator}"), targets)
            }
            (None, None) if self.target.is_some() => {
                return Err(Failure::usage(
                    "--target URL: an operator is needed; add --adapter or --operator (`--operator person` asks you), \
                     or check it from outside with `covenant audit URL`",
                ));
            }
            (None, None) => return patches(&self.variant, &self.defect).map(Target::Embedded),
        };
        let arguments = self.record();
        let Some(address) = self.address()? else {
            let targets = match self.identity {
                Some(IdentityForm(caller)) => Arc::new(Identified::new(caller, targets)),
                None => targets,
            };
            return Ok(Target::ExternalTarget(ExternalTarget { name, arguments, targets }));
        };
        let name = format!("{} ({name})", address.base_url);
        Ok(Target::ExternalTarget(ExternalTarget {
            name,
            arguments,
            targets: Arc::new(At::new(address, targets)),
        }))
    }

    /// Returns the run context of the scenarios.
    pub(super) fn run_context(&self, poll_timeout: Option<PollTimeout>) -> Result<RunContext, Failure> {
        let mut found = run_context(self.listen.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST)));
        found.advertise.clone_from(&self.advertise);
        found.release.clone_from(&self.release);
        if let Some(seconds) = poll_timeout {
            found.poll_timeout = Duration::from_secs(seconds.get());
        }
        found.limits = self.limits();
        found.plain_http = self.plain_http;
        found.host_names_checked = self.url().is_some() && (self.ca.is_some() || self.system_roots);
        found.real_time.max_wait = Duration::from_secs(self.max_wait.map_or(MAX_WAIT_SECONDS, MaxWait::get));
        if matches!(self.operator, Some(OperatorChoice::Powernode(_))) {
            found.records.clone_from(&self.records);
        }
        found.way_back = self.way_back_open.then_some(WayBack::Stated);
        found.kinds = self.kinds.clone().map(Arc::new);
        found.server_identity = server_identity(self.peer_certificate.as_deref(), self.peer_key.as_deref())?;
        Ok(found)
    }

    /// Returns the contract text that the user names.
    pub(super) fn contract_text(&self) -> Option<HeldText> {
        self.contract.clone().map(|choice| choice.0)
    }

    /// Returns the limits on what is read from the target.
    pub(super) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if let Some(seconds) = self.request_timeout {
            limits.exchange_time_max = Duration::from_secs(seconds.get());
            limits.connect_time_max = Duration::from_secs(seconds.get());
        }
        limits
    }

    /// Returns the URL of the federation plane. A Powernode has it beside its REST surface, unless the user names
    /// another.
    fn url(&self) -> Option<&Url> {
        match (&self.target, &self.operator) {
            (None, Some(OperatorChoice::Powernode(url))) => Some(url),
            (target, _) => target.as_ref(),
        }
    }

    /// Returns the URL of a running platform that may be called, or `None` if none is named.
    pub(super) fn callable(&self) -> Result<Option<&Url>, Failure> {
        let Some(url) = self.url() else { return Ok(None) };
        match url.scheme() {
            "https" => Ok(Some(url)),
            "http" if self.plain_http || !is_plain_elsewhere(url) => Ok(Some(url)),
            "http" => Err(Failure::usage(format!("--target {url}: plain http needs --plain-http"))),
            other => {
                Err(Failure::usage(format!("--target {url}: http or https was expected, found {other}")))
            }
        }
    }

    /// Returns the authorities that the user names for the target, as PEM; `None` if the user names none.
    pub(super) fn authorities(&self) -> Result<Option<String>, Failure> {
        match self.named_authorities()? {
            None if self.system_roots => system_bundle().map(Some),
            named => Ok(named),
        }
    }

    /// Returns the authorities of the file that the user names, as PEM; `None` if the user names no file.
    pub(super) fn named_authorities(&self) -> Result<Option<String>, Failure> {
        self.ca.as_deref().map(read_bundle).transpose()
    }

    /// Returns the address of a running platform, or `None` if none is named. Calls one behind plain HTTP, to find out how
    /// callers identify themselves, unless the user says so.
    pub(super) fn address(&self) -> Result<Option<Address>, Failure> {
        let Some(url) = self.callable()? else { return Ok(None) };
        let ca_bundle_pem = self.authorities()?;
        let caller = match self.identity {
            Some(IdentityForm(form)) => form,
            None if url.scheme() == "https" => CallerForm::Tls,
            None => detect(url, self.limits())?,
        };
        Ok(Some(Address { base_url: url.clone(), ca_bundle_pem, caller }))
    }

    pub(super) fn method_time_max(&self) -> Duration {
        Duration::from_secs(self.adapter_timeout.map_or(ADAPTER_TIMEOUT_SECONDS, AdapterTimeout::get))
    }

    /// Returns the words that name an external target, and how it is reached. Settings are recorded apart.
    pub(super) fn record(&self) -> Vec<String> {
        let path = |path: &PathBuf| path.display().to_string();
        let identity = self.identity.map(|IdentityForm(form)| form.name().to_owned());
        let flags = [
            ("--adapter", self.adapter.clone()),
            ("--operator", self.operator.as_ref().map(ToString::to_string)),
            ("--credentials", self.credentials.as_ref().map(path)),
            ("--adapter-timeout", self.adapter_timeout.map(|seconds| seconds.to_string())),
            ("--target", self.target.as_ref().map(ToString::to_string)),
            ("--ca", self.ca.as_ref().map(path)),
            ("--identity", identity),
            ("--advertise", self.advertise.as_ref().map(ToString::to_string)),
            ("--listen", self.listen.map(|address| address.to_string())),
            ("--peer-certificate", self.peer_certificate.as_ref().map(path)),
            ("--peer-key", self.peer_key.as_ref().map(path)),
        ];
        let switches = [("--system-roots", self.system_roots), ("--plain-http", self.plain_http)];
        let flags = flags.into_iter().filter_map(|(flag, value)| Some([flag.to_owned(), value?]));
        let inherited = self.adapter_env.iter().map(|name| ["--adapter-env".to_owned(), name.clone()]);
        let records = self.records.iter().map(|record| ["--record".to_owned(), json!(record).to_string()]);
        let switches = switches.into_iter().filter(|(_, is_on)| *is_on).map(|(flag, _)| flag.to_owned());
        flags.chain(inherited).chain(records).flatten().chain(switches).collect()
    }
}

/// Parses the address of an interface of this machine.
pub(super) fn ip_address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "an IP address without a port was expected, such as 127.0.0.1 or ::1".to_owned())
}

/// Parses the address and the port that something listens on.
pub(super) fn socket_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "an IP address and a port were expected, such as 127.0.0.1:8443 or [::1]:8443".to_owned()
    })
}

/// Parses the release of a platform.
pub(super) fn release(text: &str) -> Result<Version, String> {
    text.parse().map_err(|error| format!("a semantic version was expected, such as 1.4.0: {error}"))
}

/// Parses a record that the target has already.
fn named_record(text: &str) -> Result<NamedRecord, String> {
    serde_json::from_str(text).map_err(|error| with_nearest(&error.to_string()))
}

fn detect(url: &Url, limits: Limits) -> Result<CallerForm, Failure> {
    block_on(detect_caller_form(url, limits))?.map_err(|error| {
        let exit = if matches!(error, DetectError::Pki(_)) { Exit::Suite } else { Exit::Target };
        Failure::new(exit, error)
    })
}

/// Returns the variants and then the defects of these names: a variant must not take a defect back. Two that contradict
/// each other are an error.
pub(super) fn patches(variants: &[String], defects: &[String]) -> Result<Vec<&'static Patch>, Failure> {
    let variants = variants.iter().map(|name| named(VARIANTS, "variant", name));
    let defects = defects.iter().map(|name| named(DEFECTS, "defect", name));
    let patches = variants.chain(defects).collect::<Result<Vec<_>, _>>()?;
    match contradiction(&patches) {
        Some(contradiction) => Err(Failure::new(Exit::Usage, contradiction)),
        None => Ok(patches),
    }
}

/// Returns the patch of this name, or an error that suggests the nearest name.
fn named(patches: &'static [&'static Patch], what: &str, name: &str) -> Result<&'static Patch, Failure> {
    patches.iter().copied().find(|patch| patch.name == name).ok_or_else(|| {
        let is_generation = GENERATIONS.iter().any(|one| one.name.eq_ignore_ascii_case(name));
        let hint = if is_generation {
            format!("\nhint: {name} is a generation of the wire: `covenant list generations`")
        } else {
            did_you_mean(name, patches.iter().map(|patch| patch.name))
        };
        Failure::usage(format!("no {what} is called {name}; `covenant list {what}s` lists them{hint}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::generation::FORWARDED_G1;

    #[test]
    fn a_generation_is_no_variant_and_the_error_says_so() {
        for name in ["g1", "G3"] {
            let error = named(VARIANTS, "variant", name).expect_err(name).error.to_string();
            assert!(error.contains("list generations"), "{error}");
        }
        let error = named(VARIANTS, "variant", "g9x").expect_err("no variant").error.to_string();
        assert!(!error.contains("list generations"), "{error}");
    }

    #[test]
    fn a_run_records_the_words_that_named_its_target() {
        let given = TargetArguments {
            adapter: Some("python3 'my adapter.py' --port 1".to_owned()),
            target: Some("https://a.example/base".parse().expect("a URL")),
            identity: Some(IdentityForm(CallerForm::Forwarded(&FORWARDED_G1))),
            plain_http: true,
            max_wait: MaxWait::new(420),
            records: vec![named_record(r#"{"kind": "skill", "id": "it's"}"#).expect("a record")],
            ..TargetArguments::default()
        };
        let record = r#"{"id":"it's","kind":"skill","record":{}}"#;
        assert_eq!(
            given.record(),
            [
                "--adapter",
                "python3 'my adapter.py' --port 1",
                "--target",
                "https://a.example/base",
                "--identity",
                "forwarded-g1",
                "--record",
                record,
                "--plain-http",
            ]
        );
        assert!(given.name_target() && !TargetArguments::default().name_target());
    }

    #[test]
    fn plain_http_to_another_machine_has_to_be_allowed() {
        let at = |url: &str, plain_http: bool| {
            let target = Some(url.parse().expect("a URL"));
            let identity = Some(IdentityForm(CallerForm::Tls));
            TargetArguments { target, identity, plain_http, ..TargetArguments::default() }.address()
        };
        assert!(at("http://127.0.0.1:3000", false).is_ok());
        assert!(at("http://platform.example", true).is_ok());
        let operator = Some("powernode:http://127.0.0.1:3000".parse().expect("a choice"));
        let identity = Some(IdentityForm(CallerForm::Tls));
        let alone = TargetArguments { operator, identity, ..TargetArguments::default() };
        let address = alone.address().ok().flatten().expect("the address of the Powernode");
        assert_eq!(address.base_url.as_str(), "http://127.0.0.1:3000/");
        let refused = at("http://platform.example", false).err().map(|failure| failure.error.to_string());
        assert!(refused.is_some_and(|text| text.contains("--plain-http")));
    }

    #[test]
    fn a_flag_goes_before_the_file_and_a_defect_sets_its_target_aside() {
        let config = Config::parse(
            "[target]\nadapter = \"a\"\nadapter_timeout_seconds = 5\ncontract = \"2026-06\"\n[peers]\nlisten = \"::1\"\n",
        )
        .expect("it reads");
        let from_file = TargetArguments::default().or(&config);
        assert_eq!(
            (from_file.adapter.as_deref(), from_file.adapter_timeout),
            (Some("a"), AdapterTimeout::new(5))
        );
        assert_eq!(from_file.contract_text(), HeldText::named("2026-06").ok());
        let flag = TargetArguments { operator: Some(OperatorChoice::Person), ..TargetArguments::default() };
        assert_eq!(flag.or(&config).adapter, None);
        let defect =
            TargetArguments { defect: vec!["x".to_owned()], ..TargetArguments::default() }.or(&config);
        assert!(defect.adapter.is_none() && defect.contract.is_none() && defect.listen.is_some());
    }
}
