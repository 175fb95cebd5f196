//! The simulated platform that the suite plays: both sides of every exchange, conforming unless a
//! [`Behaviour`] says otherwise.
//!
//! There is one correct peer. A behaviour is a set of small deviations from it, each labelled as
//! injected in the transcript. What the contract leaves free, the peer varies by its seed
//! ([`PermittedChoices`]), so that no target is fitted to one aspect of it. Shares no logic with the
//! reference platform: a mistake in one is caught by the other.

mod acts;
mod apply;
mod behaviour;
pub mod behaviours;
mod calls;
mod excerpt;
mod link;
mod pace;
mod permitted_choices;
mod profile;
mod recording_budget;
mod serve;
mod snapshot;
mod state;
#[cfg(test)]
mod tests;
mod versions;

pub use behaviour::{Answers, Asked, Behaviour, Requests, Sending, Stores};
pub use calls::{Call, CallOutcome, StepContext};
pub use pace::Pace;
pub use permitted_choices::{IdentityWay, PermittedChoices};
pub use profile::{DEFAULT_RELEASE, Profile};
pub use snapshot::PeerSnapshot;
pub use state::{IssuedGrant, Received};

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;
use tokio::sync::watch;
use url::Url;

use covenant_model::clock::{Clock, Ids, Seed};
use covenant_model::transcript::Recorder;
use covenant_model::wire::header::CallerForm;
use covenant_net::net::{Limits, NetError, Port, Server};
use covenant_net::pki::{Authority, Identity, PkiError, ServerTls, TlsOptions, Trust};
use state::State;

/// What a peer is made of.
#[derive(Debug)]
pub struct Options {
    /// What the scenario calls it.
    pub name: String,
    /// Its choices.
    pub seed: Seed,
    /// Its time.
    pub clock: Clock,
    /// Its deviations.
    pub behaviours: Vec<&'static Behaviour>,
    /// Where its exchanges are told.
    pub recorder: Recorder,
    /// Where it listens.
    pub listen: SocketAddr,
    /// The address it advertises, where that is another: `https://peers.example:8443`.
    pub advertise: Option<Url>,
    /// What it says of itself.
    pub profile: Profile,
    /// How it uses its freedom.
    pub permitted_choices: PermittedChoices,
    /// What it reads at most.
    pub limits: Limits,
    /// Who it was before, where it goes on as that.
    pub snapshot: Option<PeerSnapshot>,
    /// How fast it calls at most; none is as fast as it can.
    pub pace: Option<Pace>,
}

/// Days that the certificate of its server lives.
const SERVER_DAYS: u32 = 3650;

/// Where the target is.
#[derive(Clone, Debug)]
pub struct TargetAddress {
    /// Without the federation prefix.
    pub base_url: Url,
    /// Whom to trust there; without it, the first certificate seen is pinned.
    pub ca_bundle_pem: Option<String>,
    /// How a caller makes itself known there.
    pub caller: CallerForm,
}

/// Why a peer could not be set up: the machine's fault, never the target's.
#[derive(Debug, Error)]
pub enum PeerError {
    /// No port.
    #[error("peer {name}: cannot listen on {address}: {source}")]
    Listen {
        /// The peer.
        name: String,
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// No keys.
    #[error("peer {name}: {source}")]
    Keys {
        /// The peer.
        name: String,
        /// What went wrong.
        source: PkiError,
    },
    /// A call that could not be made at all.
    #[error("peer {name}: {source}")]
    Call {
        /// The peer.
        name: String,
        /// What went wrong.
        source: NetError,
    },
}

/// A simulated platform. Clones are the same one.
#[derive(Clone, Debug)]
pub struct Peer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    ids: Ids,
    authority: Authority,
    /// Whom its server lets in.
    trust: Trust,
    state: Mutex<State>,
    /// How many calls it has received: moved with each.
    received: watch::Sender<usize>,
    /// What its server shows: the same after it was down, for a target may have pinned it.
    server_identity: Identity,
    /// None while it is down.
    server: Mutex<Option<Server>>,
    /// Its own, also while it is down.
    port: Port,
}

impl Peer {
    /// Starts a peer: it listens when this returns.
    pub fn start(options: Options) -> Result<Self, PeerError> {
        let keys = |source| PeerError::Keys { name: options.name.clone(), source };
        let authority = match &options.snapshot {
            Some(snapshot) => snapshot.authority(&options.clock),
            None => Authority::new(&format!("{} federation authority", options.name), &options.clock),
        }
        .map_err(keys)?;
        let trust = Trust::new();
        trust.add("self", authority.pem()).map_err(keys)?;
        let ids = Ids::new(options.clock.clone(), options.seed.derive("ids"));
        let state = Mutex::new(State::new(ids.uuid().to_string()));
        let listen = |source| listen_error(&options, options.listen, source);
        let port = Port::take(options.listen).map_err(listen)?;
        let server_identity = match &options.snapshot {
            Some(snapshot) => snapshot.server_identity(),
            None => server_identity(&authority, &options),
        }
        .map_err(keys)?;
        let received = watch::Sender::new(0);
        let peer = Self(Arc::new(Inner {
            options,
            ids,
            authority,
            trust,
            state,
            received,
            server_identity,
            server: Mutex::new(None),
            port,
        }));
        if let Some(snapshot) = peer.0.options.snapshot.clone() {
            let keys = |source| PeerError::Keys { name: peer.name().to_owned(), source };
            peer.restore(&snapshot).map_err(keys)?;
        }
        peer.listen()?;
        Ok(peer)
    }

    /// Listens, again on the address it had.
    pub fn listen(&self) -> Result<(), PeerError> {
        let options = &self.0.options;
        let keys = |source| PeerError::Keys { name: options.name.clone(), source };
        let trust = self.0.trust.clone();
        let tls = ServerTls::new(&self.0.server_identity, trust, &options.clock, TlsOptions::default())
            .map_err(keys)?;
        let listen = |source| listen_error(options, self.address(), source);
        let handler = Arc::new(serve::FederationHandler(Arc::downgrade(&self.0)));
        let listener = self.0.port.listen().map_err(listen)?;
        let server = Server::start(listener, Some(tls), handler, options.limits).map_err(listen)?;
        *lock(&self.0.server) = Some(server);
        Ok(())
    }

    /// Stops listening, and drops every connection: no one is there. Its port stays its own.
    pub async fn stop(&self) {
        let server = lock(&self.0.server).take();
        if let Some(server) = server {
            server.kill().await;
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.port.address()
    }

    /// How many of the target's heartbeats are not told, since they said nothing new; none where all are.
    #[must_use]
    pub fn beats_counted(&self) -> Option<u64> {
        self.state().recording_budget.counted()
    }

    /// How many calls of the target were told before it was turned away for making more, if it was.
    #[must_use]
    pub fn calls_too_many(&self) -> Option<u64> {
        self.state().recording_budget.too_many()
    }

    /// What the scenario calls it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.options.name
    }

    /// Where it can be called, without the federation prefix.
    #[must_use]
    pub fn base_url(&self) -> Url {
        match &self.0.options.advertise {
            Some(url) => url.clone(),
            None => Url::parse(&format!("https://{}", self.address())).expect("an address makes a URL"),
        }
    }

    /// Its authority: whom to trust in order to reach it.
    #[must_use]
    pub fn ca_bundle_pem(&self) -> &str {
        self.0.authority.pem()
    }

    /// Tells it where the target is.
    pub fn set_target(&self, target: TargetAddress) {
        self.state().set_target(target);
    }

    /// The row that the target keeps for it, once it knows.
    #[must_use]
    pub fn id_at_target(&self) -> Option<String> {
        self.state().id_at_target.clone()
    }

    /// Everything that it has been sent, in order.
    #[must_use]
    pub fn inbox(&self) -> Vec<Received> {
        self.state().inbox.clone()
    }

    /// Waits until something in the inbox answers `wanted`, or `poll_timeout` is over.
    pub async fn wait_for(
        &self,
        wanted: impl Fn(&Received) -> bool,
        poll_timeout: std::time::Duration,
    ) -> Option<Received> {
        let mut moved = self.0.received.subscribe();
        let search = async {
            loop {
                if let Some(found) = self.state().inbox.iter().find(|received| wanted(received)) {
                    return Some(found.clone());
                }
                if moved.changed().await.is_err() {
                    return None;
                }
            }
        };
        tokio::time::timeout(poll_timeout, search).await.ok().flatten()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen_error(options: &Options, address: SocketAddr, source: io::Error) -> PeerError {
    PeerError::Listen { name: options.name.clone(), address, source }
}

fn server_identity(authority: &Authority, options: &Options) -> Result<Identity, PkiError> {
    let ip = options.listen.ip().to_string();
    let advertised = options.advertise.as_ref().and_then(Url::host_str).unwrap_or("localhost");
    let mut names = vec!["localhost", "127.0.0.1", "::1"];
    for name in [&*ip, advertised.trim_matches(['[', ']'])] {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    authority.leaf(&options.name, &names, SERVER_DAYS)
}
