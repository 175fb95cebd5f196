//! Peer that stands for hours beside a platform, alone or as one of many on one listener.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Weak};

use async_trait::async_trait;
use thiserror::Error;
use url::Url;

use super::keys::{SERVER_DAYS, own_trust, server_names};
use super::serve::FederationHandler;
use super::{Behaviour, Inner, Peer, lock};
use covenant_model::clock::Clock;
use covenant_net::net::{Handler, Inbound, Limits, Outbound, Port, Server};
use covenant_net::pki::{Authority, Identity, PkiError, ServerTls, TlsOptions, Trust};

/// Settings of a peer that stands without end: it keeps the last of what it sees, and answers however often it is
/// called.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Number of calls that the inbox keeps.
    pub inbox_max: usize,
    /// Number of entries that the audit log keeps. An excerpt lacks older ones.
    pub audit_max: usize,
    /// Listener that the peer shares with others; `None` for a port of its own.
    pub listener: Option<SharedListener>,
}

/// First segment of the path of each peer on a shared listener.
const PEERS: &str = "peers";

/// Listener of many peers, each at a path of its own. They share the authority and the server's certificate, as the
/// platforms of one host do; each has its own key, certificate and ids as a caller. Clones are the same listener.
#[derive(Clone, Debug)]
pub struct SharedListener(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    port: Port,
    advertise: Option<Url>,
    authority: Authority,
    identity: Identity,
    trust: Trust,
    peers: Arc<Peers>,
    server: Mutex<Option<Server>>,
}

/// Error of a shared listener. Its cause is the machine.
#[derive(Debug, Error)]
pub enum ListenerError {
    /// It could not listen.
    #[error("cannot listen on {address}")]
    Listen {
        /// Address of the port.
        address: SocketAddr,
        /// Error of the system.
        source: io::Error,
    },
    /// The keys could not be created.
    #[error("the keys of the listener")]
    Keys(#[from] PkiError),
}

impl SharedListener {
    /// Starts to listen. `advertise` is the URL at which the listener is called, if that is not its address.
    pub fn start(
        address: SocketAddr,
        advertise: Option<Url>,
        clock: &Clock,
        limits: Limits,
    ) -> Result<Self, ListenerError> {
        let listen = |source| ListenerError::Listen { address, source };
        let authority = Authority::new("authority of simulated peers", clock)?;
        let ip = address.ip().to_string();
        let advertised = advertise.as_ref().and_then(Url::host_str).unwrap_or("localhost");
        let names = server_names(&ip, advertised);
        let identity = authority.leaf("simulated peers", &names, SERVER_DAYS)?;
        let trust = own_trust(&authority)?;
        let peers = Arc::new(Peers::default());
        let port = Port::take(address).map_err(listen)?;
        let options = TlsOptions { without_http2: true, ..TlsOptions::default() };
        let tls = ServerTls::new(&identity, trust.clone(), clock, options)?;
        let listener = port.listen().map_err(listen)?;
        let server = Server::start(listener, Some(tls), peers.clone(), limits).map_err(listen)?;
        let server = Mutex::new(Some(server));
        Ok(Self(Arc::new(Shared { port, advertise, authority, identity, trust, peers, server })))
    }

    /// Returns the address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.port.address()
    }

    /// Stops listening, and drops every connection.
    pub async fn stop(&self) {
        let server = lock(&self.0.server).take();
        if let Some(server) = server {
            server.kill().await;
        }
    }

    /// Returns the URL of a peer.
    pub(super) fn url(&self, name: &str) -> Url {
        let mut url = match &self.0.advertise {
            Some(url) => url.clone(),
            None => Url::parse(&format!("https://{}", self.address())).expect("an address makes a URL"),
        };
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend([PEERS, name]);
        }
        url
    }

    pub(super) fn authority(&self) -> &Authority {
        &self.0.authority
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.0.identity
    }

    pub(super) fn trust(&self) -> &Trust {
        &self.0.trust
    }

    /// Takes the calls of a peer from now on.
    pub(super) fn add(&self, name: &str, peer: Weak<Inner>) {
        lock(&self.0.peers.0).insert(name.to_owned(), peer);
    }

    /// Takes no more calls of a peer.
    pub(super) fn remove(&self, name: &str) {
        lock(&self.0.peers.0).remove(name);
    }
}

/// Peers of a listener, by name.
#[derive(Debug, Default)]
struct Peers(Mutex<BTreeMap<String, Weak<Inner>>>);

#[async_trait]
impl Handler for Peers {
    /// Answers for the peer of the path, and closes the connection: a target that keeps one for each of thousands of
    /// peers would use up the places.
    async fn handle(&self, mut request: Inbound) -> Outbound {
        let known = split(&request.path)
            .and_then(|(name, rest)| Some((lock(&self.0).get(name).cloned()?, rest.to_owned())));
        let mut answer = match known {
            Some((peer, rest)) => {
                request.path = rest;
                FederationHandler(peer).handle(request).await
            }
            None => Outbound::json(404, &serde_json::json!({"error": "no such peer"})),
        };
        answer.headers.push(("connection".to_owned(), "close".to_owned()));
        answer
    }
}

/// Splits a path into the name of the peer and the path below it.
fn split(path: &str) -> Option<(&str, &str)> {
    let below = path.strip_prefix('/')?.strip_prefix(PEERS)?.strip_prefix('/')?;
    let end = below.find('/')?;
    Some(below.split_at(end))
}

impl Peer {
    /// Returns the behaviours that the peer shows now.
    #[must_use]
    pub fn behaviours(&self) -> Vec<&'static Behaviour> {
        lock(&self.0.behaviours).clone()
    }

    /// Changes the behaviours of the peer from its next message on.
    pub fn set_behaviours(&self, behaviours: Vec<&'static Behaviour>) {
        *lock(&self.0.behaviours) = behaviours;
    }

    /// Invites the target with a token that both operators know.
    pub fn propose_with(&self, token: &str) {
        self.invite(token);
    }

    /// Returns whether the peering is open: the last handshake gave the peer an identity at the target, or the target one
    /// here.
    #[must_use]
    pub fn is_federated(&self) -> bool {
        let state = self.state();
        state.identity.is_some() && state.is_introduced && state.outcome.is_none()
    }

    /// Takes back a grant that the target never got. Nothing is sent.
    pub fn withdraw_grant(&self, id: &str) {
        self.state().grants.remove(id);
    }

    /// Returns the ids of the grants that the peer issued and that are not revoked.
    #[must_use]
    pub fn open_grants(&self) -> Vec<String> {
        let state = self.state();
        state.grants.values().filter(|grant| !grant.revoked).map(|grant| grant.id.clone()).collect()
    }
}

/// Drops the first of a list until it has at most `max`.
pub(super) fn keep_last<T>(list: &mut Vec<T>, max: usize) {
    // A part at a time, so that not each new one moves all others.
    if list.len() > max.saturating_mul(2) {
        list.drain(..list.len() - max);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_peer() {
        assert_eq!(split("/peers/p7/api/v1/x"), Some(("p7", "/api/v1/x")));
        for path in ["", "/", "/peers", "/peers/p7", "/peersp7/x", "/other/p7/x"] {
            assert_eq!(split(path), None, "{path}");
        }
    }

    #[test]
    fn the_last_are_kept() {
        let mut list = vec![];
        for number in 0..1000 {
            list.push(number);
            keep_last(&mut list, 10);
            assert!(list.len() <= 20 && list.last() == Some(&number));
        }
    }
}
