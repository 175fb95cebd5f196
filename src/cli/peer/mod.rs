//! `covenant peer`: the simulated peers on their own.

mod keys;
mod many;
mod named;
mod tokens;

use std::io::{BufRead, IsTerminal};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use semver::Version;
use url::Url;

use self::named::{NamedPeer, peer, twice};
use self::tokens::Tokens;
use super::behaviour_choice::{self, BehaviourChoice};
use super::contract_choice::ContractChoice;
use super::duration::duration;
use super::identity::IdentityForm;
use super::number::{Count, RequestTimeout};
use super::stop::stopped;
use super::target_choice::{TargetArguments, release, socket_address};
use super::{Exit, Failure, block_on, message, print};
use crate::clock::Seed;
use crate::operator::is_here;
use crate::peer::Behaviour;
use crate::simulate::{
    Control, ControlError, Federates, HELP, Show, Simulate, SimulateError, SimulatedPeer, Simulation, ask,
};
use crate::wire::generation::CallerForm;

/// The name of the peer, if none is given.
const NAME: &str = "mallory";
/// The maximum number of peers with a port each.
const PEERS_MAX: usize = 64;

/// Arguments of `covenant peer`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// Behaviour or family of behaviours that each peer shows (repeatable); see `covenant list behaviours`
    #[arg(long, value_name = "NAME", value_parser = behaviour_choice::parse)]
    behaviour: Vec<BehaviourChoice>,
    /// Peer, with behaviours of its own (repeatable): 'carol' or 'carol=late-excerpt,bogus-kind' [default: mallory]
    #[arg(long, value_name = "NAME[=BEHAVIOUR,…]", value_parser = peer)]
    peer: Vec<NamedPeer>,
    /// Address that the first peer listens on; the others take the ports after it, or any free ones for port 0
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7443", value_parser = socket_address)]
    listen: SocketAddr,
    /// Accept a platform that joins with this token, one for each peer. Without a token covenant makes them, and writes
    /// them into the file of --control
    #[arg(long, value_name = "TOKEN", num_args = 0.., conflicts_with = "join")]
    accept: Option<Vec<String>>,
    /// Join the platform at this URL with these tokens, one for each peer [default tokens: those of --token-file, or
    /// COVENANT_ACCEPTANCE_TOKEN]
    #[arg(long, value_names = ["URL", "TOKEN"], num_args = 1.., required = false)]
    join: Vec<String>,
    /// File with one token a line, in place of those of --join and --accept
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Number of peers on one listener, each with an identity and a token of its own, and their heartbeats spread over
    /// --every; for --join alone
    #[arg(long, value_name = "N", requires = "join", conflicts_with_all = ["peer", "random", "record", "control",
        "conforming_first"])]
    count: Option<Count>,
    /// Join as conforming peers, and misbehave from the first heartbeat on
    #[arg(long)]
    conforming_first: bool,
    /// Draw the behaviours of each peer before each heartbeat, from those given or from all
    #[arg(long)]
    random: bool,
    /// Seed of every choice [default: random]
    #[arg(long, value_name = "S")]
    seed: Option<Seed>,
    /// Time between two heartbeats of a peer
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    every: Duration,
    /// New folder for a transcript of every exchange; `covenant show` prints its entries
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// File that gets the address and token of the control socket, and how to reach each peer; only its owner can read
    /// it. `covenant peer control FILE COMMAND` uses it
    #[arg(long, value_name = "FILE")]
    control: Option<PathBuf>,
    /// Host name of a target on another machine: you state that it is yours to be misbehaved at [default: covenant asks]
    #[arg(long, value_name = "HOST")]
    yes: Vec<String>,
    /// Hide the lines about the exchanges
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    target: PeerTarget,
}

/// How the target is reached, and what the peers say about themselves.
#[derive(Debug, Args)]
#[command(next_help_heading = "The target")]
struct PeerTarget {
    /// PEM file with the authorities to trust for the target [default: pin the first certificate seen]
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Trust the authorities of this system for the target
    #[arg(long, conflicts_with = "ca")]
    system_roots: bool,
    /// Way in which the peers identify themselves to the target [default: detected]
    #[arg(long, value_parser = IdentityForm::parser())]
    identity: Option<IdentityForm>,
    /// Contract text that the peers acknowledge: an id of `covenant list texts`, or a SHA-256
    #[arg(long, value_name = "TEXT|DIGEST")]
    contract: Option<ContractChoice>,
    /// Allow plain http: to a target on another machine, and to any that joined
    #[arg(long)]
    plain_http: bool,
    /// Seconds that one call may take [default: 10]
    #[arg(long, value_name = "SECONDS")]
    request_timeout: Option<RequestTimeout>,
    /// URL at which the target calls the first peer; the others have the ports after it [default: the address it listens on]
    #[arg(long, value_name = "URL", value_parser = super::url::parse)]
    advertise: Option<Url>,
    /// Release that the peers report
    #[arg(long, value_name = "VERSION", value_parser = release)]
    release: Option<Version>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Change a running simulation: covenant peer control FILE on late-excerpt
    #[command(after_help = HELP)]
    Control {
        /// File of --control
        file: PathBuf,
        /// Command, such as `on late-excerpt`
        #[arg(required = true, num_args = 1.., trailing_var_arg = true, allow_hyphen_values = true)]
        command: Vec<String>,
    },
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Some(Command::Control { file, command }) => control(file, &command.join(" ")),
        None => match arguments.count {
            Some(count) => many::main(arguments, usize::try_from(count.get()).unwrap_or(usize::MAX)),
            None => simulate(arguments),
        },
    }
}

fn control(file: &std::path::Path, command: &str) -> Result<Exit, Failure> {
    let answer = block_on(ask(file, command))?.map_err(|error| match error {
        ControlError::NoAnswer { .. } => Failure::new(Exit::Environment, error),
        ControlError::Failed(_) => Failure::new(Exit::Target, error),
        other => Failure::new(Exit::Usage, other),
    })?;
    print(&answer)?;
    Ok(Exit::Kept)
}

fn simulate(arguments: &Arguments) -> Result<Exit, Failure> {
    let settings = arguments.settings()?;
    message(&format!("seed: {}\n", settings.seed));
    if !arguments.listen.ip().is_loopback() {
        message("warning: the peers listen on an address that others may reach\n");
    }
    block_on(serve(arguments, settings))?
}

async fn serve(arguments: &Arguments, settings: Simulate) -> Result<Exit, Failure> {
    let stopped = stopped();
    let simulation = Simulation::start(&settings).map_err(failed)?;
    for (name, url) in simulation.peers() {
        message(&format!("{name} listens at {url}\n"));
    }
    let control = match &arguments.control {
        Some(path) => match Control::start(path, &simulation).await {
            Ok(control) => Some(control),
            Err(error) => {
                simulation.discard().await;
                return Err(Failure::new(Exit::Environment, error));
            }
        },
        None => None,
    };
    if let Some(path) = &arguments.control {
        message(&format!("control: covenant peer control {} help\n", path.display()));
    }
    message(&simulation.command("status").await.unwrap_or_default());
    let commanded = async {
        match &control {
            Some(control) => control.serve(&simulation).await,
            None => std::future::pending().await,
        }
    };
    let pressed = keys::serve(&simulation);
    let running = simulation.run();
    tokio::pin!(running);
    let fault = tokio::select! {
        fault = &mut running => fault,
        () = async { tokio::select! { () = stopped => {} () = commanded => {} () = pressed => {} } } => {
            simulation.stop();
            running.await
        }
    };
    if let Some(folder) = &arguments.record {
        message(&format!("files: {}\n", folder.display()));
    }
    match fault {
        Some(why) => Err(Failure::new(Exit::Environment, anyhow::anyhow!(why))),
        None => Ok(Exit::Kept),
    }
}

fn failed(error: SimulateError) -> Failure {
    let exit = match error {
        SimulateError::Ports(_) | SimulateError::Recorded(_) => Exit::Usage,
        _ => Exit::Environment,
    };
    Failure::new(exit, error)
}

impl Arguments {
    fn settings(&self) -> Result<Simulate, Failure> {
        let asked = self.asked()?;
        let address = asked.address()?;
        if let Some(address) = &address {
            self.confirm(&address.base_url)?;
        }
        self.refuse_unreachable()?;
        let named = self.named();
        if named.len() > PEERS_MAX {
            return Err(Failure::usage(format!("--peer: at most {PEERS_MAX} peers have a port each")));
        }
        if let Some(twice) = twice(&named) {
            return Err(Failure::usage(format!("--peer {twice}: the name is given twice")));
        }
        if self.target.advertise.is_some() && self.listen.port() == 0 && named.len() > 1 {
            return Err(Failure::usage(
                "--advertise: each peer is called at the port after that of the one before, and with --listen …:0 they have any; name \
                 the first port with --listen",
            ));
        }
        let tokens = self.tokens().read(named.len(), address.is_some())?;
        let peers = named.into_iter().zip(tokens).map(|(named, token)| {
            let federates = match &address {
                Some(address) => Federates::Joins { address: address.clone(), token },
                None => Federates::Accepts { token },
            };
            SimulatedPeer { name: named.name, behaviours: named.behaviours, federates }
        });
        let quiet = self.quiet;
        let show = move |line: &str| {
            if !quiet {
                // A reader that has closed standard output is of no concern to the peers.
                let _ = print(&format!("{}\n", crate::secret::without_any(line)));
            }
        };
        Ok(Simulate {
            seed: self.seed.unwrap_or_else(Seed::fresh),
            peers: peers.collect(),
            listen: self.listen,
            every: self.every,
            random: self.random,
            conforming_first: self.conforming_first,
            contract: asked.contract_text(),
            run_context: asked.run_context(None)?,
            confirmed_hosts: self.yes.clone(),
            caller: asked.identity.map_or(CallerForm::Tls, |IdentityForm(form)| form),
            record: self.record.clone(),
            show: Show(Arc::new(show)),
        })
    }

    fn tokens(&self) -> Tokens<'_> {
        Tokens {
            join: self.join.get(1..),
            accept: self.accept.as_deref(),
            file: self.token_file.as_deref(),
            are_written: self.control.is_some(),
        }
    }

    /// Returns the peers with their behaviours.
    fn named(&self) -> Vec<NamedPeer> {
        let mut named = self.peer.clone();
        if named.is_empty() {
            named.push(NamedPeer { name: NAME.to_owned(), behaviours: vec![] });
        }
        let shared: Vec<&'static Behaviour> =
            self.behaviour.iter().flat_map(BehaviourChoice::together).collect();
        for peer in &mut named {
            for behaviour in &shared {
                if !peer.behaviours.iter().any(|own| own.name == behaviour.name) {
                    peer.behaviours.push(behaviour);
                }
            }
        }
        named
    }

    fn asked(&self) -> Result<TargetArguments, Failure> {
        let url = self.join.first().map(|text| {
            super::url::parse(text).map_err(|error| Failure::usage(format!("--join {text}: {error}")))
        });
        let target = &self.target;
        let asked = TargetArguments {
            target: url.transpose()?,
            ca: target.ca.clone(),
            system_roots: target.system_roots,
            identity: target.identity,
            contract: target.contract.clone(),
            plain_http: target.plain_http,
            request_timeout: target.request_timeout,
            advertise: target.advertise.clone(),
            release: target.release.clone(),
            ..TargetArguments::default()
        };
        let of_join = [("--ca", asked.ca.is_some()), ("--system-roots", asked.system_roots)];
        match of_join.iter().find(|(_, given)| *given && asked.target.is_none()) {
            Some((flag, _)) => {
                Err(Failure::usage(format!("{flag} is of no use here: without --join no URL is called")))
            }
            None => Ok(asked),
        }
    }

    /// Refuses to let the target call an address that is none: where all interfaces are listened on, only the user knows
    /// at which one the target is.
    fn refuse_unreachable(&self) -> Result<(), Failure> {
        let listen = self.listen;
        let port = Some(listen.port()).filter(|port| *port != 0);
        let port = port.map_or_else(|| "PORT".to_owned(), |port| port.to_string());
        if !listen.ip().is_unspecified() || self.target.advertise.is_some() {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "--listen {listen}: no one can call {}, and the peers tell the target where to call them; add --advertise https://HOST:{port} \
             with a host name or address of this machine that the target reaches",
            listen.ip()
        )))
    }

    /// Asks the user to type the name of a target on another machine, so that a wrong URL misbehaves at no one.
    fn confirm(&self, url: &Url) -> Result<(), Failure> {
        confirm(url, &self.yes, "a simulated peer misbehaves there, and raises alarms")
    }
}

/// Asks the user to type the name of a host that is not this machine, unless `--yes` names it.
pub(super) fn confirm(url: &Url, yes: &[String], what: &str) -> Result<(), Failure> {
    let host = url.host_str().unwrap_or_default();
    if is_here(url) || yes.iter().any(|own| own == host) {
        return Ok(());
    }
    let other = yes.first().map(|own| format!(" (--yes names {own})")).unwrap_or_default();
    if !std::io::stdin().is_terminal() {
        return Err(Failure::usage(format!(
            "{url}: {what}{other}; if it is yours, give --yes {host}. Nothing was done"
        )));
    }
    message(&format!("{url}: {what}. Type its host name ({host}) to continue: "));
    let mut line = String::new();
    match std::io::stdin().lock().read_line(&mut line) {
        Ok(_) if line.trim() == host => Ok(()),
        _ => Err(Failure::usage(format!("{:?} was typed, expected {host}: nothing was done", line.trim()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_machine_is_confirmed_by_its_name() {
        let url = |text: &str| text.parse::<Url>().expect("a URL");
        let yes = ["platform.example".to_owned()];
        assert!(confirm(&url("https://127.0.0.1:8443"), &[], "x").is_ok());
        assert!(confirm(&url("https://platform.example"), &yes, "x").is_ok());
    }
}
