//! Stand-in of one platform before the other: a server with an authority of its own, and the identities under which the
//! relay calls the platform itself.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use url::Url;

use super::{End, RelayError, any_port, lock};
use crate::clock::Clock;
use crate::net::{Client, ClientOptions, Handler, Limits, Port, Server};
use crate::pki::{Authority, Certificate, ClientTls, Identity, PkiError, ServerTls, TlsOptions, Trust};

/// The lifetime of the relay's certificates, in days.
pub(super) const DAYS: u32 = 730;

/// The label of the caller's authority, as its operator plane names it.
const OPERATOR: &str = "operator";

/// Stand-in of one platform.
#[derive(Debug)]
pub(super) struct StandIn {
    port: Port,
    url: Url,
    authority: Authority,
    /// The identity of the server. It stays the same, since a caller may have pinned it.
    identity: Identity,
    /// Who may call: the other platform, under its own authority or under this one.
    trust: Trust,
    clock: Clock,
    server: tokio::sync::Mutex<Option<Server>>,
    /// The identities that the platform gave in accept, by name.
    issued: Mutex<BTreeMap<String, Identity>>,
    /// The ways to the platform, by the certificate of the caller.
    ways: Mutex<BTreeMap<String, Way>>,
}

/// A way on which the platform is called.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) client: Client,
    /// The identity that the platform sees; `None` for an anonymous client.
    pub(super) identity: Option<Identity>,
}

impl StandIn {
    /// Reserves a port. `clock` is that of the platform that calls, and `caller` is that platform.
    pub(super) fn new(name: &str, listen: IpAddr, clock: &Clock, caller: &End) -> Result<Self, RelayError> {
        let refused = |source| RelayError::Listen { address: listen, source };
        let port = Port::take(any_port(listen)).map_err(refused)?;
        let address = format!("https://{}", port.address());
        let url = address.parse().map_err(|_| PkiError::Tls(format!("no address: {address}")))?;
        let authority = Authority::new(&format!("relay, for the {name} platform"), clock)?;
        let identity = authority.leaf("relay", &[&listen.to_string(), "localhost"], DAYS)?;
        let trust = Trust::new();
        trust.add("own", authority.pem())?;
        if let Some(bundle) = &caller.ca_bundle_pem {
            // What cannot be read identifies no caller, and the exchanges show that.
            let _ = trust.add(OPERATOR, bundle);
        }
        let (issued, ways) = (Mutex::default(), Mutex::default());
        let server = tokio::sync::Mutex::default();
        let clock = clock.clone();
        Ok(Self { port, url, authority, identity, trust, clock, server, issued, ways })
    }

    /// Listens on the reserved port.
    pub(super) fn listen(&self, handler: Arc<dyn Handler>, limits: Limits) -> Result<(), RelayError> {
        let address = self.port.address().ip();
        let tls = ServerTls::new(&self.identity, self.trust.clone(), &self.clock, TlsOptions::default())?;
        let refused = |source| RelayError::Listen { address, source };
        let listener = self.port.listen().map_err(refused)?;
        let server = Server::start(listener, Some(tls), handler, limits).map_err(refused)?;
        if let Ok(mut running) = self.server.try_lock() {
            *running = Some(server);
        }
        Ok(())
    }

    /// Drops every connection of both sides.
    pub(super) async fn stop(&self) {
        if let Some(server) = self.server.lock().await.take() {
            server.kill().await;
        }
        self.forget_ways();
    }

    /// Drops the connections to the platform.
    pub(super) fn forget_ways(&self) {
        lock(&self.ways).clear();
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn ca_bundle_pem(&self) -> &str {
        self.authority.pem()
    }

    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Admits callers under an authority that an accept named.
    pub(super) fn admit(&self, label: &str, bundle: &str) {
        let _ = self.trust.add(label, bundle);
    }

    /// Keeps an identity that the platform gave to the relay in place of the caller.
    pub(super) fn keep(&self, identity: Identity) {
        let name = identity.certificate().common_name.clone().unwrap_or_default();
        lock(&self.issued).insert(name, identity);
    }

    /// Returns the client with which the platform is called for a caller with this certificate, and the identity that it
    /// presents there.
    pub(super) fn way(
        &self,
        certificate: Option<&Certificate>,
        of_caller: &Self,
        end: &End,
        limits: Limits,
    ) -> Result<Way, PkiError> {
        let key = certificate.map(|certificate| certificate.fingerprint.clone()).unwrap_or_default();
        if let Some(way) = lock(&self.ways).get(&key) {
            return Ok(way.clone());
        }
        let identity = match certificate {
            Some(certificate) => self.identity(certificate, of_caller)?,
            None => None,
        };
        let trust = match &end.ca_bundle_pem {
            Some(bundle) => {
                let trust = Trust::new();
                trust.add("target", bundle).map_or_else(|_| Trust::on_first_use(), |()| trust)
            }
            None => Trust::on_first_use(),
        };
        let tls = ClientTls::new(identity.as_ref(), trust, &end.clock, TlsOptions::default())?;
        let options = ClientOptions { reuse_connections: true, ..ClientOptions::default() };
        let way = Way { client: Client::new(Some(tls), limits, options), identity };
        lock(&self.ways).insert(key, way.clone());
        Ok(way)
    }

    /// Returns the identity under which a caller's call is passed on: that which the platform issued for it, or one of the
    /// caller's stand-in, which the platform knows as the caller's authority.
    fn identity(&self, certificate: &Certificate, of_caller: &Self) -> Result<Option<Identity>, PkiError> {
        let name = certificate.common_name.clone().unwrap_or_default();
        let own = Trust::new();
        own.add("own", self.authority.pem())?;
        if own.check_client(&[certificate.der()], self.clock.now()).is_ok() {
            return Ok(lock(&self.issued).get(&name).cloned());
        }
        of_caller.authority.leaf(&name, &[], DAYS).map(Some)
    }
}
