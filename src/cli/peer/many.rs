//! `covenant peer --count`: many peers of one target, on one listener.

use std::fmt::Write;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::super::stop::stopped;
use super::super::{Exit, Failure, block_on, message, print};
use super::{Arguments, failed};
use crate::clock::{Seed, Stopwatch};
use crate::peer::Behaviour;
use crate::report::terminal;
use crate::secret::without_any;
use crate::simulate::{Many, ManyPeers, makes_calls};

/// The time between two lines about the peers.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Keeps `count` peers federated until it is stopped.
pub(super) fn main(arguments: &Arguments, count: usize) -> Result<Exit, Failure> {
    let asked = arguments.asked()?;
    let address = asked
        .address()?
        .ok_or_else(|| Failure::usage("--count: name the platform that the peers join with --join URL"))?;
    arguments.confirm(&address.base_url)?;
    arguments.refuse_unreachable()?;
    let tokens = arguments.tokens().read(count, true)?;
    let behaviours: Vec<&'static Behaviour> =
        arguments.named().into_iter().next().map(|peer| peer.behaviours).unwrap_or_default();
    if let Some(behaviour) = behaviours.iter().find(|behaviour| makes_calls(behaviour)) {
        return Err(Failure::usage(format!(
            "--count: its peers send heartbeats alone, and {} shows in other calls; leave it out, or leave --count out",
            behaviour.name
        )));
    }
    let many = Many {
        seed: arguments.seed.unwrap_or_else(Seed::fresh),
        listen: arguments.listen,
        address,
        tokens,
        behaviours,
        every: arguments.every,
        contract: asked.contract_text(),
        run_context: asked.run_context(None)?,
    };
    message(&format!("seed: {}\n", many.seed));
    block_on(serve(many, arguments.quiet))?
}

async fn serve(many: Many, quiet: bool) -> Result<Exit, Failure> {
    let stopped = stopped();
    let took = Stopwatch::start();
    let count = many.tokens.len();
    let peers = ManyPeers::start(many).map_err(failed)?;
    message(&format!("{count} peers at {} to p{count}, {:.1?}\n", peers.first_url(), took.elapsed()));
    let living = async {
        peers.federate().await;
        message(&format!("federated after {:.1?}: {}\n{}", took.elapsed(), peers.counts(), reasons(&peers)));
        if peers.counts().federated() == 0 {
            return;
        }
        peers.keep_up().await;
    };
    let reporting = async {
        let mut ticks = interval(REPORT_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        loop {
            ticks.tick().await;
            if !quiet {
                let _ = print(&format!("{:.0?}: {}{}\n", took.elapsed(), peers.counts(), memory()));
            }
        }
    };
    let is_stopped = tokio::select! {
        () = living => false,
        () = reporting => false,
        () = stopped => true,
    };
    let _ = print(&format!("{}{}\n{}", peers.counts(), memory(), reasons(&peers)));
    peers.stop().await;
    if is_stopped {
        return Ok(Exit::Kept);
    }
    Err(Failure::new(Exit::Target, anyhow::anyhow!("the target admitted none of the peers")))
}

/// Lists why calls failed, one line a reason; empty if none did.
fn reasons(peers: &ManyPeers) -> String {
    let mut text = String::new();
    for (why, count) in peers.counts().reasons() {
        let _ = writeln!(text, "{count} failed: {}", terminal(&without_any(&why)));
    }
    text
}

/// Returns the peak of this process's memory, for a person; empty where the system does not say.
#[cfg(unix)]
fn memory() -> String {
    use nix::sys::resource::{UsageWho, getrusage};
    // Linux counts in KiB.
    getrusage(UsageWho::RUSAGE_SELF)
        .map_or_else(|_| String::new(), |usage| format!("; peak memory {} MiB", usage.max_rss() / 1024))
}

#[cfg(not(unix))]
fn memory() -> String {
    String::new()
}
