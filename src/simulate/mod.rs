//! The simulator on its own: peers that stand beside a platform under development and misbehave as they are asked to.
//!
//! Each peer federates with the target, sends its heartbeats and does what its behaviours ask for. The behaviours are
//! changed while it runs. It evaluates nothing: what it shows is what it does, with the clause that this breaks.

mod command;
mod control;
mod deeds;
mod error;
mod federating;
mod flood;
mod line;
mod many;
mod random;
mod simulated;
mod transcript_files;

pub use command::{CommandError, HELP};
pub use control::{Control, ControlError, ask};
pub use deeds::makes_calls;
pub use error::SimulateError;
pub use flood::{Flood, FloodError, Flooded, flood, in_milliseconds};
pub use many::{Many, ManyCounts, ManyPeers};

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use self::line::Lines;
use self::simulated::Simulated;
use self::transcript_files::TranscriptFiles;
use crate::clock::{Clock, Seed};
use crate::contract::HeldText;
use crate::nearest::did_you_mean;
use crate::operator::Address;
use crate::peer::{Behaviour, Options, Peer, PermittedChoices, Profile, Standing};
use crate::scenario::RunContext;
use crate::transcript::{Outcome, ScenarioStart, Transcript};
use crate::wire::generation::CallerForm;

/// The number of calls that a peer keeps in memory.
const INBOX_MAX: usize = 100;
/// The number of entries of a peer's audit log.
const AUDIT_MAX: usize = 10_000;

/// The function that shows a line to the user.
#[derive(Clone)]
pub struct Show(pub Arc<dyn Fn(&str) + Send + Sync>);

impl fmt::Debug for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Show")
    }
}

/// The settings of a simulation.
#[derive(Clone, Debug)]
pub struct Simulate {
    /// The seed of every choice.
    pub seed: Seed,
    /// The peers.
    pub peers: Vec<SimulatedPeer>,
    /// The first address to listen on. The peers take the ports from it on, or any free ones if it has port 0.
    pub listen: SocketAddr,
    /// The time between two heartbeats of a peer.
    pub every: Duration,
    /// True to draw the behaviours of each peer from the seed before each heartbeat.
    pub random: bool,
    /// True to federate as conforming peers, and to misbehave from the first heartbeat on.
    pub conforming_first: bool,
    /// The contract text that the peers acknowledge; `None` for that of the default profile.
    pub contract: Option<HeldText>,
    /// The addresses, timeouts and limits.
    pub run_context: RunContext,
    /// The hosts that may be called beside this machine: the user typed their names.
    pub confirmed_hosts: Vec<String>,
    /// The form of a caller's identity at a target that joins.
    pub caller: CallerForm,
    /// The folder of the transcript.
    pub record: Option<PathBuf>,
    /// The function that shows what happens.
    pub show: Show,
}

/// One peer of a simulation.
#[derive(Clone, Debug)]
pub struct SimulatedPeer {
    /// Its name.
    pub name: String,
    /// Its behaviours at the start.
    pub behaviours: Vec<&'static Behaviour>,
    /// The way in which it federates.
    pub federates: Federates,
}

/// The way in which a peer federates.
#[derive(Clone, Debug)]
pub enum Federates {
    /// It joins a platform with a token of that platform.
    Joins {
        /// The address of the platform.
        address: Address,
        /// The token.
        token: String,
    },
    /// It accepts a platform that joins it with this token.
    Accepts {
        /// The token.
        token: String,
    },
}

/// A running simulation. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Simulation(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    peers: Vec<Arc<Simulated>>,
    transcript: Transcript,
    /// Remains of a start that comes to nothing.
    files: Option<TranscriptFiles>,
    clock: Clock,
    stopper: watch::Sender<bool>,
    /// The turn to change behaviours.
    switching: Mutex<()>,
}

impl Simulation {
    /// Starts the peers. They listen when this returns.
    pub fn start(settings: &Simulate) -> Result<Self, SimulateError> {
        let clock = Clock::system();
        let (transcript, files) = transcript_files::open(settings, &clock)?;
        let (stopper, _) = watch::channel(false);
        let started = settings.peers.iter().enumerate();
        let started =
            started.map(|(place, peer)| start(settings, peer, place, &transcript, &clock).map(Arc::new));
        match started.collect() {
            Ok(peers) => {
                let switching = Mutex::new(());
                Ok(Self(Arc::new(Inner { peers, transcript, files, clock, stopper, switching })))
            }
            Err(error) => {
                files.iter().for_each(TranscriptFiles::discard);
                Err(error)
            }
        }
    }

    /// Stops the peers before they lived, and leaves no transcript behind.
    pub async fn discard(&self) {
        for peer in &self.0.peers {
            peer.end().await;
        }
        self.0.files.iter().for_each(TranscriptFiles::discard);
    }

    /// Lets the peers federate and live until the simulation is stopped. Returns the first fault of the transcript.
    pub async fn run(&self) -> Option<String> {
        let mut tasks = JoinSet::new();
        for peer in &self.0.peers {
            tasks.spawn(peer.clone().live(self.0.stopper.subscribe()));
        }
        let _ = self.0.stopper.subscribe().wait_for(|stopped| *stopped).await;
        tasks.shutdown().await;
        for peer in &self.0.peers {
            peer.end().await;
        }
        self.0.transcript.end(Outcome::Completed, &self.0.clock);
        self.0.transcript.fault()
    }

    /// Ends the simulation.
    pub fn stop(&self) {
        self.0.stopper.send_replace(true);
    }

    /// Describes the peers and how to reach them, with their tokens. It is for a file that only its owner reads.
    #[must_use]
    pub fn description(&self) -> Value {
        let peers = self.0.peers.iter().map(|peer| peer.description());
        json!(peers.collect::<Vec<_>>())
    }

    /// Returns the names of the peers and their URLs.
    #[must_use]
    pub fn peers(&self) -> Vec<(String, String)> {
        let peers = self.0.peers.iter().map(|peer| &peer.peer);
        peers.map(|peer| (peer.name().to_owned(), peer.base_url_text())).collect()
    }

    /// Returns the behaviours that some peer shows, now or once it is federated.
    #[must_use]
    pub fn shown(&self) -> Vec<&'static Behaviour> {
        self.0.peers.iter().flat_map(|peer| peer.behaviours().0).collect()
    }

    /// Returns the peers that a name stands for: one, or all of them.
    fn named(&self, name: &str) -> Result<Vec<Arc<Simulated>>, String> {
        if name == command::ALL {
            return Ok(self.0.peers.clone());
        }
        let names = || self.0.peers.iter().map(|peer| peer.peer.name());
        let found = self.0.peers.iter().find(|peer| peer.peer.name() == name);
        found.map(|peer| vec![peer.clone()]).ok_or_else(|| {
            let known = names().collect::<Vec<_>>().join(", ");
            format!("no peer is called {name:?}; there are {known}{}", did_you_mean(name, names()))
        })
    }
}

fn start(
    settings: &Simulate,
    peer: &SimulatedPeer,
    place: usize,
    transcript: &Transcript,
    clock: &Clock,
) -> Result<Simulated, SimulateError> {
    let context = &settings.run_context;
    let seed = settings.seed.derive(&peer.name);
    let lines = Arc::new(Lines::new(&peer.name, settings.show.clone()));
    let start = ScenarioStart { source: source(&peer.name), seed };
    let recorder =
        transcript.begin_observed(&format!("peer/{}", peer.name), start, clock.clone(), lines.clone());
    let mut profile = Profile::of_release(context.release());
    if let Some(contract) = &settings.contract {
        profile.contract_digest = json!(contract.digest_to_send());
    }
    let behaviours = if settings.conforming_first { vec![] } else { peer.behaviours.clone() };
    let options = Options {
        name: peer.name.clone(),
        seed,
        clock: clock.clone(),
        behaviours,
        recorder: recorder.clone(),
        listen: listen(settings.listen, place)?,
        advertise: advertised(context.advertise.as_ref(), place)?,
        profile,
        permitted_choices: PermittedChoices::plain(),
        limits: context.limits,
        snapshot: None,
        server_identity: context.server_identity.clone(),
        pace: None,
    };
    let standing = Standing { inbox_max: INBOX_MAX, audit_max: AUDIT_MAX, listener: None };
    let simulated = Peer::start_standing(options, standing)?;
    Ok(Simulated::new(settings, peer, simulated, recorder, seed, clock.clone()))
}

/// Returns the scenario that a trace of a simulated peer is of: one without a check.
fn source(name: &str) -> String {
    format!(
        "title = \"A simulated peer, which nothing evaluates\"\n\n[[peer]]\nname = \"{name}\"\n\n[[step]]\n\
         heartbeat = {{ peer = \"{name}\" }}\n"
    )
}

/// Returns the address of the peer at a place of the list.
fn listen(first: SocketAddr, place: usize) -> Result<SocketAddr, SimulateError> {
    let port = match (first.port(), u16::try_from(place)) {
        (0, _) => Some(0),
        (port, Ok(place)) => port.checked_add(place),
        (_, Err(_)) => None,
    };
    let port = port.ok_or(SimulateError::Ports(first))?;
    Ok(SocketAddr::new(first.ip(), port))
}

/// Returns the URL at which the peer at a place of the list is called: each has the port after the one before.
fn advertised(first: Option<&Url>, place: usize) -> Result<Option<Url>, SimulateError> {
    let Some(first) = first else { return Ok(None) };
    let mut url = first.clone();
    if place > 0 {
        let port = first.port_or_known_default().zip(u16::try_from(place).ok());
        let port = port.and_then(|(port, place)| port.checked_add(place));
        let moved = port.is_some_and(|port| url.set_port(Some(port)).is_ok());
        if !moved {
            return Err(SimulateError::Advertised(first.clone()));
        }
    }
    Ok(Some(url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    #[test]
    fn the_source_of_a_trace_is_a_scenario_without_a_check() {
        let loaded = load("peer/mallory", "peer/mallory", &source("mallory")).expect("a scenario");
        assert!(loaded.scenario.checks.is_empty());
    }

    #[test]
    fn each_peer_has_a_port_of_its_own() {
        let first: SocketAddr = "127.0.0.1:7443".parse().expect("an address");
        assert_eq!(listen(first, 2).expect("a port").port(), 7445);
        assert_eq!(listen(SocketAddr::new(first.ip(), 0), 2).expect("a port").port(), 0);
        assert!(listen(SocketAddr::new(first.ip(), 65535), 1).is_err());
        let url: Url = "https://peers.example:7443/base".parse().expect("a URL");
        let of = |place| advertised(Some(&url), place).expect("a URL").expect("one").to_string();
        assert_eq!(
            (of(0).as_str(), of(2).as_str()),
            ("https://peers.example:7443/base", "https://peers.example:7445/base")
        );
    }
}
