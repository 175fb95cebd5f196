//! Builds the operator client that a command line names.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::operator_choice::OperatorChoice;
use super::target_choice::TargetArguments;
use super::{Exit, Failure, block_on};
use crate::clock::Clock;
use crate::input;
use crate::nearest::with_nearest;
use crate::operator::powernode::{Credentials, Powernode, Rest};
use crate::operator::{
    Dialogue, Http, Log, NamedRecord, Person, Program, Stdio, Targets, is_plain_elsewhere,
};
use crate::pki::{ClientTls, TlsOptions, Trust};
use crate::secret;
use crate::wire::harmless::visible;

/// The environment variable with the bearer token of each request to `--operator URL`.
const OPERATOR_TOKEN: &str = "COVENANT_OPERATOR_TOKEN";
/// The environment variables with the log-in of a Powernode.
const POWERNODE: [&str; 3] =
    ["COVENANT_POWERNODE_EMAIL", "COVENANT_POWERNODE_PASSWORD", "COVENANT_POWERNODE_WORKER_TOKEN"];
/// The file in the run folder that holds the standard errors of the adapters.
const ADAPTER_LOG: &str = "adapter.log";
/// The longest credentials file that is read, in bytes.
const CREDENTIALS_BYTES_MAX: u64 = 64 * 1024;

/// Builds the operator client of a program that is started for each scenario.
pub(super) fn adapter(
    line: &str,
    inherits: &[String],
    method_time_max: Duration,
    folder: Option<&Path>,
) -> Result<Arc<dyn Targets>, Failure> {
    learn_flags(&shlex::split(line).unwrap_or_default());
    let program = Program::parse(line).map_err(|error| Failure::new(Exit::Usage, error))?;
    let log = folder.map_or_else(Log::default, |folder| Log::at(&folder.join(ADAPTER_LOG)));
    Ok(Arc::new(Stdio::new(guarded(program, inherits)?, method_time_max, log)))
}

/// Returns the program as this suite starts it: under its guard, and with the variables that the user names.
pub(super) fn guarded(program: Program, inherits: &[String]) -> Result<Program, Failure> {
    for name in inherits {
        // An empty value is one: an adapter may tell it from none.
        let value = std::env::var(name).map_err(|_| {
            Failure::usage(format!("--adapter-env {name}: the variable is not set, or is not text"))
        })?;
        if is_secret_name(name) {
            secret::learn_own("adapter_secret", &value);
        }
        secret::learn_own_urls(&value);
    }
    let program = program.inheriting(inherits);
    // Without its own path the suite starts the program alone, which ends when its input does.
    Ok(match own_path() {
        Some(covenant) if cfg!(unix) => program.guarded_by(covenant),
        _ => program,
    })
}

/// Returns the path of this program. On Linux it holds even if the file is replaced meanwhile.
fn own_path() -> Option<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() { Some(running) } else { std::env::current_exe().ok() }
}

/// Parses the name of an environment variable.
pub(super) fn variable_name(text: &str) -> Result<String, String> {
    let is_valid = !text.is_empty() && !text.contains(['=', '\0']);
    is_valid
        .then(|| text.to_owned())
        .ok_or_else(|| "write the name of a variable, without its value".to_owned())
}

/// Adds the values of flags such as `--token` in an adapter's command line to the secrets.
pub(super) fn learn_flags(words: &[String]) {
    for (place, word) in words.iter().enumerate() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.as_str(), words.get(place + 1).map(String::as_str)),
        };
        if name.starts_with('-') && is_secret_name(name) {
            secret::learn_own("adapter_secret", value.unwrap_or_default());
        }
    }
}

/// Words in the names of variables and flags that hold a secret.
const SECRET_WORDS: [&str; 13] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "credential",
    "credentials",
    "key",
    "apikey",
    "auth",
    "cookie",
];

/// Returns whether a variable or a flag of this name holds a secret.
fn is_secret_name(name: &str) -> bool {
    name.to_ascii_lowercase().split(['-', '_', '.']).any(|word| SECRET_WORDS.contains(&word))
}

/// Builds an operator client: an adapter behind a URL, a Powernode's REST surface, or a person.
pub(super) fn operator_targets(
    operator: &OperatorChoice,
    arguments: &TargetArguments,
    records: Vec<NamedRecord>,
) -> Result<Arc<dyn Targets>, Failure> {
    let (method_time_max, plain_http) = (arguments.method_time_max(), arguments.plain_http);
    let tls = |url: &Url| tls(url, arguments.named_authorities()?.as_deref());
    Ok(match operator {
        OperatorChoice::Http(url) => {
            let token = variable(OPERATOR_TOKEN);
            if let Some(token) = &token {
                secret::learn_own("operator_token", token);
                is_not_overheard(url, plain_http, OPERATOR_TOKEN)?;
            }
            Arc::new(Http::new(url.clone(), tls(url)?, token, method_time_max))
        }
        OperatorChoice::Powernode(url) => {
            is_not_overheard(url, plain_http, "the password of the log-in")?;
            let rest =
                Rest::new(url.clone(), tls(url)?, log_in(arguments.credentials.as_deref())?, method_time_max);
            block_on(rest.log_in())?.map_err(|error| Failure::new(Exit::Adapter, error))?;
            Arc::new(Powernode::new(rest, records))
        }
        OperatorChoice::Person => Arc::new(Person::new(Terminal)),
    })
}

/// Returns an error if a secret would cross the network in plain HTTP, unless the user allows it. This machine is no
/// network.
fn is_not_overheard(url: &Url, plain_http: bool, what: &str) -> Result<(), Failure> {
    if plain_http || !is_plain_elsewhere(url) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--operator {url}: {what} would go to another machine in plain http, where anyone between reads it: use https, \
         or allow it with --plain-http"
    )))
}

/// Builds the TLS client for an operator's URL. It trusts the authorities of the system, and those that the user names.
fn tls(url: &Url, named: Option<&str>) -> Result<Option<ClientTls>, Failure> {
    if url.scheme() == "http" {
        return Ok(None);
    }
    let trust = Trust::of_system().map_err(|error| Failure::new(Exit::Environment, error))?;
    if let Some(bundle) = named {
        trust.add("named", bundle).map_err(|error| Failure::usage(format!("--ca: {error}")))?;
    }
    let options = TlsOptions { host_names_checked: true, ..TlsOptions::default() };
    let tls = ClientTls::new(None, trust, &Clock::system(), options);
    tls.map(Some).map_err(|error| Failure::new(Exit::Suite, error))
}

/// Reads the log-in, and adds it to the secrets.
fn log_in(file: Option<&Path>) -> Result<Credentials, Failure> {
    let credentials = read_log_in(file)?;
    secret::learn_own("password", &credentials.password);
    secret::learn_own("worker_token", credentials.worker_token.as_deref().unwrap_or_default());
    Ok(credentials)
}

/// Reads the log-in from the file if there is one, else from the environment.
fn read_log_in(file: Option<&Path>) -> Result<Credentials, Failure> {
    if let Some(path) = file {
        let wrong = |why: String| Failure::usage(format!("--credentials {}: {why}", path.display()));
        let text = input::read_text(path, CREDENTIALS_BYTES_MAX)
            .map_err(|error| Failure::usage(format!("--credentials {error}")))?;
        // The message alone is shown: the whole error quotes the line, which may hold a password.
        return toml::from_str(&text).map_err(|error| wrong(with_nearest(error.message())));
    }
    let [email, password, worker_token] = POWERNODE.map(variable);
    match (email, password) {
        (Some(email), Some(password)) => Ok(Credentials { email, password, worker_token }),
        _ => Err(Failure::usage(format!(
            "powernode: a log-in is needed: set {} and {}, or name a file with --credentials",
            POWERNODE[0], POWERNODE[1]
        ))),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The terminal of the program. Standard output is reserved for the report.
struct Terminal;

impl Dialogue for Terminal {
    fn say(&mut self, text: &str) -> std::io::Result<()> {
        let mut terminal = anstream::stderr();
        terminal.write_all(visible(&secret::without_own(text)).as_bytes())?;
        terminal.flush()
    }

    fn hear(&mut self) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        let count = std::io::stdin().lock().read_line(&mut line)?;
        Ok((count > 0).then_some(line))
    }
}
