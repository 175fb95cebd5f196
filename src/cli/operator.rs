//! Builds the operator client that a command line names.

use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::operator_choice::OperatorChoice;
use super::{Exit, Failure, block_on};
use crate::clock::Clock;
use crate::operator::powernode::{Credentials, Powernode, Rest};
use crate::operator::{Dialogue, Http, Log, NamedRecord, Person, Program, Stdio, Targets};
use crate::pki::{ClientTls, TlsOptions, Trust};

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
    method_time_max: Duration,
    folder: Option<&Path>,
) -> Result<Arc<dyn Targets>, Failure> {
    let program = Program::parse(line).map_err(|error| Failure::new(Exit::Usage, error))?;
    Ok(Arc::new(Stdio::new(program, method_time_max, log(folder)?)))
}

/// Builds an operator client: an adapter behind a URL, a Powernode's REST surface, or a person.
pub(super) fn operator_targets(
    operator: &OperatorChoice,
    credentials: Option<&Path>,
    method_time_max: Duration,
    records: Vec<NamedRecord>,
) -> Result<Arc<dyn Targets>, Failure> {
    Ok(match operator {
        OperatorChoice::Http(url) => {
            let token = variable(OPERATOR_TOKEN);
            Arc::new(Http::new(url.clone(), tls(url)?, token, method_time_max))
        }
        OperatorChoice::Powernode(url) => {
            let rest = Rest::new(url.clone(), tls(url)?, log_in(credentials)?, method_time_max);
            block_on(rest.log_in())?.map_err(|error| Failure::new(Exit::Adapter, error))?;
            Arc::new(Powernode::new(rest, records))
        }
        OperatorChoice::Person => Arc::new(Person::new(Terminal)),
    })
}

fn log(folder: Option<&Path>) -> Result<Log, Failure> {
    let Some(folder) = folder else { return Ok(Log::default()) };
    let path = folder.join(ADAPTER_LOG);
    std::fs::create_dir_all(folder).and_then(|()| Log::create(&path)).map_err(|error| {
        Failure::new(Exit::Environment, anyhow::anyhow!("{}: cannot write: {error}", path.display()))
    })
}

/// Builds the TLS client for an operator's URL. It trusts the authorities of the system.
fn tls(url: &Url) -> Result<Option<ClientTls>, Failure> {
    if url.scheme() == "http" {
        return Ok(None);
    }
    let trust = Trust::of_system().map_err(|error| Failure::new(Exit::Environment, error))?;
    let options = TlsOptions { host_names_checked: true, ..TlsOptions::default() };
    let tls = ClientTls::new(None, trust, &Clock::system(), options);
    tls.map(Some).map_err(|error| Failure::new(Exit::Suite, error))
}

/// Reads the log-in from the file if there is one, else from the environment.
fn log_in(file: Option<&Path>) -> Result<Credentials, Failure> {
    if let Some(path) = file {
        let wrong = |why: String| Failure::usage(format!("--credentials {}: {why}", path.display()));
        let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
        if length > CREDENTIALS_BYTES_MAX {
            return Err(wrong("longer than 64 KiB".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        // The message alone is shown: the whole error quotes the line, which may hold a password.
        return toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()));
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
        terminal.write_all(text.as_bytes())?;
        terminal.flush()
    }

    fn hear(&mut self) -> std::io::Result<Option<String>> {
        let mut line = String::new();
        let count = std::io::stdin().lock().read_line(&mut line)?;
        Ok((count > 0).then_some(line))
    }
}
