//! Simulated platform of the suite. It plays both sides of every exchange, and is conforming unless a
//! [`Behaviour`] says otherwise.
//!
//! There is one correct peer. A behaviour is a set of small deviations from it, each marked as injected in
//! the transcript. The peer draws its permitted choices from its seed ([`PermittedChoices`]), so that no
//! target can rely on one form only. This crate shares no logic with the reference platform, so that each
//! detects a mistake in the other.

mod apply;
mod behaviour;
pub mod behaviours;
mod call;
mod call_outcome;
mod calls;
mod conforming;
mod excerpt;
mod families;
mod keys;
mod link;
mod pace;
mod permitted_choices;
mod profile;
mod recorded;
mod recording_budget;
mod serve;
mod services;
mod snapshot;
mod standing;
mod state;
#[cfg(test)]
mod tests;
mod versions;

pub use behaviour::{Answers, Asked, Behaviour, Requests, Sending, Stores};
pub use call::{Call, CallOutcome, OtherCertificate, StepContext};
pub use families::{FAMILIES, Family, Named, family, family_of};
pub use pace::Pace;
pub use permitted_choices::{IdentityWay, PermittedChoices};
pub use profile::{DEFAULT_RELEASE, Profile};
pub use services::OFFERING;
pub use snapshot::PeerSnapshot;
pub use standing::{ListenerError, SharedListener, Standing};
pub use state::{InjectedRead, IssuedGrant, Received};

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use thiserror::Error;
use tokio::sync::watch;
use url::Url;

use covenant_model::Fault;
use covenant_model::clock::{Clock, Ids, Seed};
use covenant_model::transcript::Recorder;
use covenant_model::wire::generation::CallerForm;
use covenant_net::net::{Limits, NetError, Port, Server};
use covenant_net::pki::{Authority, Identity, PkiError, ServerTls, TlsOptions, Trust};
use state::State;

/// Options of a peer.
#[derive(Debug)]
pub struct Options {
    /// Name of the peer in the scenario.
    pub name: String,
    /// Seed of its ids and choices.
    pub seed: Seed,
    /// Clock of the peer.
    pub clock: Clock,
    /// Behaviours of the peer.
    pub behaviours: Vec<&'static Behaviour>,
    /// Recorder of its exchanges.
    pub recorder: Recorder,
    /// Address on which it listens.
    pub listen: SocketAddr,
    /// Address that it advertises; `None` if it is the listening address. Example:
    /// `https://peers.example:8443`.
    pub advertise: Option<Url>,
    /// Profile of the peer.
    pub profile: Profile,
    /// Permitted choices of the peer.
    pub permitted_choices: PermittedChoices,
    /// Limits of its reads and waits.
    pub limits: Limits,
    /// Snapshot to restore; `None` for a new peer.
    pub snapshot: Option<PeerSnapshot>,
    /// Identity of its server, which a target can verify by itself; `None` for one of its own authority.
    pub server_identity: Option<Identity>,
    /// Upper limit of its call rate; `None` for no limit.
    pub pace: Option<Pace>,
}

/// Address of the target, and the data to reach it.
#[derive(Clone, Debug)]
pub struct TargetAddress {
    /// Base URL, without the federation prefix.
    pub base_url: Url,
    /// Certificate authorities to trust. If `None`, the peer pins the first certificate that it sees.
    pub ca_bundle_pem: Option<String>,
    /// `true` if the user names these authorities. They certify other hosts too, so the certificate of the target has
    /// to be for the host of its URL. `false` if they are the target's own.
    pub host_names_checked: bool,
    /// Form of a caller's identity at the target.
    pub caller: CallerForm,
}

/// Error of the peer's setup. Its cause is the machine, never the target.
#[derive(Debug, Error)]
pub enum PeerError {
    /// The peer could not listen on a port.
    #[error("peer {name}: cannot listen on {address}")]
    Listen {
        /// Name of the peer.
        name: String,
        /// Address of the port.
        address: SocketAddr,
        /// Error of the system.
        source: io::Error,
    },
    /// The keys could not be created or read.
    #[error("peer {name}")]
    Keys {
        /// Name of the peer.
        name: String,
        /// Cause of the error.
        source: PkiError,
    },
    /// A call could not be made at all.
    #[error("peer {name}")]
    Call {
        /// Name of the peer.
        name: String,
        /// Cause of the error.
        source: NetError,
    },
}

/// A peer that fails is a fault of the machine under it.
impl From<PeerError> for Fault {
    fn from(error: PeerError) -> Self {
        Self::of_environment(&error)
    }
}

/// Simulated platform. Clones are the same platform.
#[derive(Clone, Debug)]
pub struct Peer(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    ids: Ids,
    authority: Authority,
    /// Account that its records belong to.
    account_id: String,
    /// Trust of its server.
    trust: Trust,
    state: Mutex<State>,
    /// Number of received calls; it changes with each call.
    received: watch::Sender<usize>,
    /// Identity of its server. It stays the same after a stop, because a target may have pinned it.
    server_identity: Identity,
    /// Running server; `None` while the peer is stopped.
    server: Mutex<Option<Server>>,
    /// Place of the peer, reserved also while the peer is stopped.
    place: Place,
    /// Behaviours that it shows now.
    behaviours: Mutex<Vec<&'static Behaviour>>,
    /// Settings of a peer that stands without end; `None` keeps all that it sees, within a recording budget.
    standing: Option<Standing>,
}

/// Where a peer is called.
#[derive(Debug)]
enum Place {
    /// Ports of its own. It listens on the last; the others stay reserved, so that nobody else answers there.
    Own(Mutex<Vec<Port>>),
    /// A path of a listener that several peers share.
    Shared(SharedListener),
}

impl Peer {
    /// Starts a peer. The peer listens when this returns.
    pub fn start(options: Options) -> Result<Self, PeerError> {
        Self::begin(options, None)
    }

    /// Starts a peer that stands without end.
    pub fn start_standing(options: Options, standing: Standing) -> Result<Self, PeerError> {
        Self::begin(options, Some(standing))
    }

    fn begin(options: Options, standing: Option<Standing>) -> Result<Self, PeerError> {
        let keys = |source| PeerError::Keys { name: options.name.clone(), source };
        let shared = standing.as_ref().and_then(|standing| standing.listener.clone());
        let authority = match (&shared, &options.snapshot) {
            (Some(shared), _) => Ok(shared.authority().clone()),
            (None, Some(snapshot)) => snapshot.authority(&options.clock),
            (None, None) => Authority::new(&format!("{} federation authority", options.name), &options.clock),
        }
        .map_err(keys)?;
        let trust = match &shared {
            Some(shared) => shared.trust().clone(),
            None => keys::own_trust(&authority).map_err(keys)?,
        };
        let ids = Ids::new(options.clock.clone(), options.seed.derive("ids"));
        let account = Ids::new(options.clock.clone(), options.seed.derive("account"));
        let account_id = account.uuid().to_string();
        let state = Mutex::new(State::new(ids.uuid().to_string()));
        let listen = |source| listen_error(&options, options.listen, source);
        let server_identity = match (&shared, &options.server_identity, &options.snapshot) {
            (Some(shared), ..) => Ok(shared.identity().clone()),
            (None, Some(identity), _) => Ok(identity.clone()),
            (None, None, Some(snapshot)) => snapshot.server_identity(),
            (None, None, None) => keys::server_identity(&authority, &options),
        }
        .map_err(keys)?;
        let place = match shared {
            Some(shared) => Place::Shared(shared),
            None => Place::Own(Mutex::new(vec![Port::take(options.listen).map_err(listen)?])),
        };
        let behaviours = Mutex::new(options.behaviours.clone());
        let received = watch::Sender::new(0);
        let peer = Self(Arc::new(Inner {
            options,
            ids,
            authority,
            account_id,
            trust,
            state,
            received,
            server_identity,
            server: Mutex::new(None),
            place,
            behaviours,
            standing,
        }));
        if let Some(snapshot) = peer.0.options.snapshot.clone() {
            let keys = |source| PeerError::Keys { name: peer.name().to_owned(), source };
            peer.restore(&snapshot).map_err(keys)?;
        }
        peer.listen()?;
        Ok(peer)
    }

    /// Listens again, on the same address.
    pub fn listen(&self) -> Result<(), PeerError> {
        let options = &self.0.options;
        let keys = |source| PeerError::Keys { name: options.name.clone(), source };
        let ports = match &self.0.place {
            Place::Own(ports) => ports,
            Place::Shared(shared) => {
                shared.add(self.name(), Arc::downgrade(&self.0));
                return Ok(());
            }
        };
        let trust = self.0.trust.clone();
        let tls = ServerTls::new(&self.0.server_identity, trust, &options.clock, TlsOptions::default())
            .map_err(keys)?;
        // Read before the lock is taken again: what fails below names the address.
        let address = self.address();
        let listen = |source| listen_error(options, address, source);
        let handler = Arc::new(serve::FederationHandler(Arc::downgrade(&self.0)));
        let listener = lock(ports).last().expect("a port").listen().map_err(listen)?;
        let server = Server::start(listener, Some(tls), handler, options.limits).map_err(listen)?;
        *lock(&self.0.server) = Some(server);
        Ok(())
    }

    /// Stops listening, and drops every connection. The port stays reserved.
    pub async fn stop(&self) {
        if let Place::Shared(shared) = &self.0.place {
            shared.remove(self.name());
        }
        let server = lock(&self.0.server).take();
        if let Some(server) = server {
            server.kill().await;
        }
    }

    /// Stops listening, and listens on another port. Returns `false`, and stays, if its address is not its own to choose.
    pub async fn move_away(&self) -> Result<bool, PeerError> {
        let options = &self.0.options;
        let Place::Own(ports) = &self.0.place else { return Ok(false) };
        if options.advertise.is_some() {
            return Ok(false);
        }
        let elsewhere = SocketAddr::new(self.address().ip(), 0);
        let port = Port::take(elsewhere).map_err(|source| listen_error(options, elsewhere, source))?;
        self.stop().await;
        lock(ports).push(port);
        self.listen()?;
        Ok(true)
    }

    /// Returns the address on which the peer listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        match &self.0.place {
            Place::Own(ports) => lock(ports).last().expect("a port").address(),
            Place::Shared(shared) => shared.address(),
        }
    }

    /// Returns the number of heartbeats of the target that were counted but not recorded, because they were
    /// repetitions. Returns `None` if all were recorded.
    #[must_use]
    pub fn heartbeats_counted(&self) -> Option<u64> {
        self.state().recording_budget.counted()
    }

    /// Returns the limit at which the peer became overloaded, for a person; `None` if it did not.
    #[must_use]
    pub fn overloaded_at(&self) -> Option<String> {
        self.state().recording_budget.exceeded()
    }

    /// Returns the name of the peer in the scenario.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.options.name
    }

    /// Returns the URL for calls to the peer, without the federation prefix.
    #[must_use]
    pub fn base_url(&self) -> Url {
        match (&self.0.place, &self.0.options.advertise) {
            (Place::Shared(shared), _) => shared.url(self.name()),
            (Place::Own(_), Some(url)) => url.clone(),
            (Place::Own(_), None) => {
                Url::parse(&format!("https://{}", self.address())).expect("an address makes a URL")
            }
        }
    }

    /// Returns the same URL as text, without a slash at its end, as messages name it.
    #[must_use]
    pub fn base_url_text(&self) -> String {
        self.base_url().as_str().trim_end_matches('/').to_owned()
    }

    /// Returns the certificate authority of the peer, which a caller must trust.
    #[must_use]
    pub fn ca_bundle_pem(&self) -> &str {
        self.0.authority.pem()
    }

    /// Returns the authorities that verify the server of the peer.
    #[must_use]
    pub fn server_bundle_pem(&self) -> String {
        let given = self.0.options.server_identity.as_ref();
        let chain = given.and_then(|identity| identity.chain_pem().ok()).unwrap_or_default();
        format!("{}{chain}", self.ca_bundle_pem())
    }

    /// Sets the address of the target.
    pub fn set_target(&self, target: TargetAddress) {
        self.state().set_target(target);
    }

    /// Returns the id of the row that the target keeps for this peer; `None` if it is not known yet.
    #[must_use]
    pub fn id_at_target(&self) -> Option<String> {
        self.state().id_at_target.clone()
    }

    /// Returns every received call, in order.
    #[must_use]
    pub fn inbox(&self) -> Vec<Received> {
        self.state().inbox.clone()
    }

    /// Waits until an entry of the inbox matches `wanted`, or until `poll_timeout` expires.
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

    /// Waits until this number of calls has arrived meanwhile, until none arrived for the time `quiet`, or until the time
    /// `longest` is over. Returns how many arrived.
    pub async fn wait_while_called(
        &self,
        calls: usize,
        quiet: std::time::Duration,
        longest: std::time::Duration,
    ) -> usize {
        let mut received = self.0.received.subscribe();
        let before = *received.borrow_and_update();
        let counting = async {
            while received.borrow_and_update().saturating_sub(before) < calls {
                if !matches!(tokio::time::timeout(quiet, received.changed()).await, Ok(Ok(()))) {
                    break;
                }
            }
        };
        // What arrived counts, whichever of the three ends the wait.
        let _ = tokio::time::timeout(longest, counting).await;
        self.0.received.borrow().saturating_sub(before)
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
