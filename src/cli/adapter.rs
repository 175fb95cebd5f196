//! `covenant adapter`: serves the reference platform as an adapter, and checks other adapters.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use url::Url;

use super::config::Config;
use super::number::AdapterTimeout;
use super::operator::{guarded, learn_flags};
use super::operator_choice::OperatorChoice;
use super::stop::stopped;
use super::target_choice::{TargetArguments, ip_address, patches};
use super::unused;
use super::{Exit, Failure, block_on, block_on_unless_stopped, message, print};
use crate::adapter::{Finding, check_operator};
use crate::clock::Seed;
use crate::operator::{Embedded, EmbeddedOptions, Log, Program, Stdio, TargetRequest, Targets, serve};
use crate::runner::Target;
use crate::secret;

/// Arguments of `covenant adapter`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Defect to apply to the platform (repeatable); see `covenant list defects`
    #[arg(long, value_name = "NAME")]
    defect: Vec<String>,
    /// Variant to apply to the platform (repeatable); see `covenant list variants`
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
    /// Address that the platform listens on
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = ip_address)]
    listen: IpAddr,
    /// Seed of the platform's keys and ids [default: random]
    #[arg(long, value_name = "S")]
    seed: Option<Seed>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check each method of an adapter: present, missing or malformed
    Check(Box<CheckArguments>),
    /// Start an adapter, and end it when the suite is gone. The suite calls this
    #[command(hide = true)]
    Guard(super::guard::Arguments),
}

#[derive(Debug, Args)]
struct CheckArguments {
    /// Seconds to wait for the result of one method
    #[arg(long, value_name = "SECONDS", default_value = "60")]
    adapter_timeout: AdapterTimeout,
    /// Operator of a running platform, in place of an adapter: a URL, or powernode:URL
    #[arg(long, value_name = "URL|powernode:URL", conflicts_with = "program")]
    operator: Option<OperatorChoice>,
    /// TOML file with the log-in for powernode:URL [default: as of `covenant run`]
    #[arg(long, value_name = "FILE", requires = "operator")]
    credentials: Option<PathBuf>,
    /// URL of the federation plane of the running platform, on which a peer accepts
    #[arg(long, value_name = "URL", value_parser = super::url::parse, requires = "operator")]
    target: Option<Url>,
    /// PEM file with authorities to trust for the target and for an operator with an https URL
    #[arg(long, value_name = "FILE", requires = "operator")]
    ca: Option<PathBuf>,
    /// Allow a target on another machine, or an operator that gets a token, to be called with plain http
    #[arg(long, requires = "operator")]
    plain_http: bool,
    /// Environment variable that the adapter inherits (repeatable); without it, PATH, HOME, LANG, TMPDIR and the like
    #[arg(long, value_name = "NAME", value_parser = super::operator::variable_name, conflicts_with = "operator")]
    adapter_env: Vec<String>,
    /// Command line of the adapter
    #[arg(last = true, required_unless_present = "operator", value_name = "PROGRAM ARGS")]
    program: Vec<String>,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Some(Command::Check(arguments)) => check(arguments),
        Some(Command::Guard(arguments)) => super::guard::main(arguments),
        None => block_on(serve_reference(arguments))?,
    }
}

impl CheckArguments {
    /// Returns the adapter of the program.
    fn adapter(&self) -> Result<Arc<dyn Targets>, Failure> {
        let program = Program::of(self.program.clone())
            .ok_or_else(|| Failure::usage("adapter check -- PROGRAM ARGS: the program's name is empty"))?;
        learn_flags(&self.program);
        message(&format!("adapter: {program}\n"));
        let program = guarded(program, &self.adapter_env)?;
        Ok(Arc::new(Stdio::new(program, Duration::from_secs(self.adapter_timeout.get()), Log::default())))
    }

    /// Returns the operator of a running platform.
    fn running(&self) -> Result<Arc<dyn Targets>, Failure> {
        let named = TargetArguments {
            operator: self.operator.clone(),
            credentials: self.credentials.clone(),
            adapter_timeout: Some(self.adapter_timeout),
            target: self.target.clone(),
            ca: self.ca.clone(),
            plain_http: self.plain_http,
            ..TargetArguments::default()
        };
        let asked = named.clone().or(&Config::find(None)?);
        unused::refuse(&named, &asked)?;
        match asked.target(None)? {
            Target::ExternalTarget(external) => Ok(external.targets),
            Target::Embedded(_) => Err(Failure::usage("adapter check: name an operator")),
        }
    }
}

/// Serves the reference platform over standard input and output. Standard output carries responses only.
async fn serve_reference(arguments: &Arguments) -> Result<Exit, Failure> {
    let stopped = stopped();
    let patches = patches(&arguments.variant, &arguments.defect)?;
    let targets = Embedded::new(EmbeddedOptions { listen: arguments.listen, patches, settings: json!({}) });
    let seed = arguments.seed.unwrap_or_else(Seed::fresh);
    let request = TargetRequest { scenario: "adapter", seed, alone: false, durable: true };
    let lease = targets.lease(request).await.map_err(|error| Failure::new(Exit::Environment, error))?;
    tokio::select! {
        served = serve(&*lease.operator, tokio::io::stdin(), tokio::io::stdout()) => {
            served.map_err(|error| Failure::new(Exit::Environment, error))?;
        }
        () = stopped => {}
    }
    Ok(Exit::Kept)
}

fn check(arguments: &CheckArguments) -> Result<Exit, Failure> {
    let targets = match &arguments.operator {
        Some(operator) => {
            message(&format!("operator: {operator}\n"));
            arguments.running()?
        }
        None => arguments.adapter()?,
    };
    let lines = block_on_unless_stopped(check_operator(&*targets))?
        .map_err(|error| Failure::new(Exit::Adapter, error))?;
    let mut faults = 0;
    for line in &lines {
        print(&format!("{}\n", secret::without_any(&line.to_string())))?;
        faults += usize::from(matches!(line.finding, Finding::Malformed { .. } | Finding::Failed { .. }));
    }
    let missing = lines.iter().filter(|line| line.finding == Finding::Missing).count();
    print(&format!("{} methods: {missing} missing, {faults} malformed or failed\n", lines.len()))?;
    Ok(if faults == 0 { Exit::Kept } else { Exit::Adapter })
}
