//! `covenant target`: serves the reference platform alone.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::number::Count;
use super::stop::stopped;
use super::target_choice::{patches, socket_address};
use super::{Exit, Failure, block_on, message, print};
use crate::clock::{Clock, Seed};
use crate::input;
use crate::operator::OperatorMethod;
use crate::operator::peer::Propose;
use crate::reference::{Database, Options, Platform, Settings, StartError};
use crate::runner::{refuse_unwritable, write_private};
use crate::with_causes;

/// Arguments of `covenant target`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Address that the platform listens on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8443", value_parser = socket_address)]
    listen: SocketAddr,
    /// Database file [default: in memory]
    #[arg(long, value_name = "FILE")]
    db: Option<PathBuf>,
    /// Defect to apply to the platform (repeatable); see `covenant list defects`
    #[arg(long, value_name = "NAME")]
    defect: Vec<String>,
    /// Variant to apply to the platform (repeatable); see `covenant list variants`
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
    /// URL of a peer to propose; covenant prints the token with which it can accept (repeatable)
    #[arg(long, value_name = "URL")]
    propose: Vec<String>,
    /// Number of proposals of each URL, for `covenant peer --count`
    #[arg(long, value_name = "N", default_value = "1", requires = "propose")]
    proposals: Count,
    /// File that gets the tokens, one a line, in place of the output; only its owner can read it
    #[arg(long, value_name = "FILE", requires = "propose")]
    tokens: Option<PathBuf>,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let patches = patches(&arguments.variant, &arguments.defect)?;
    if let Some(path) = arguments.db.as_deref().filter(|path| path.symlink_metadata().is_ok()) {
        // A pipe or a device would be waited for.
        input::open(path).map_err(|error| Failure::usage(format!("--db {error}")))?;
    }
    let options = Options {
        clock: Clock::system(),
        seed: Seed::fresh(),
        database: arguments.db.clone().map_or(Database::Memory, Database::File),
        listen: arguments.listen,
        settings: Settings::default(),
        patches,
    };
    if let Some(path) = &arguments.tokens {
        refuse_unwritable(path)?;
    }
    block_on(serve(options, arguments))?
}

async fn serve(options: Options, arguments: &Arguments) -> Result<Exit, Failure> {
    let stopped = stopped();
    message("The reference platform is for testing only: whoever reaches it can make it misbehave.\n");
    if !options.listen.ip().is_loopback() {
        message("warning: it listens on an address that others may reach\n");
    }
    let running = Platform::start(options).await.map_err(|error| match error {
        error @ StartError::Listen { .. } => Failure::new(
            Exit::Environment,
            anyhow::anyhow!("{}; name another with --listen", with_causes(&error)),
        ),
        other => Failure::new(Exit::Environment, other),
    })?;
    let mut reported = json!({"base_url": running.base_url(), "ca_bundle_pem": running.ca_bundle_pem()});
    let mut peers = Vec::new();
    for url in &arguments.propose {
        for _ in 0..arguments.proposals.get() {
            let proposed = running.platform.call(Propose::METHOD, json!({"remote_instance_url": url})).await;
            peers.push(proposed.map_err(|error| Failure::usage(format!("--propose {url}: {error}")))?);
        }
    }
    if let Some(path) = &arguments.tokens {
        let tokens = peers.iter().filter_map(|peer| peer["acceptance_token"].as_str());
        let lines = tokens.collect::<Vec<_>>().join("\n") + "\n";
        write_private(path, lines.as_bytes())?;
    } else if !peers.is_empty() {
        reported["peers"] = peers.into();
    }
    print(&format!("{reported}\n"))?;
    let mut seconds = tokio::time::interval(std::time::Duration::from_secs(1));
    // Timers that take longer than a second, as with thousands of peers, leave the calls of the peers their time.
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let ticking = async {
        loop {
            seconds.tick().await;
            running.platform.run_due_timers(Clock::system().now()).await;
        }
    };
    tokio::select! {
        () = ticking => {}
        () = stopped => {}
    }
    running.stop().await;
    Ok(Exit::Kept)
}
