//! A running platform: the sockets in front of it, and the ways to end it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::inbound;
use super::operator_api;
use super::options::Options;
use super::outbound;
use super::patch::Patch;
use super::platform::{Platform, StartError};
use super::policy::Policy;
use super::store::facts;
use covenant_model::wire::header;
use covenant_model::wire::path::Route;
use covenant_net::net::{Handler, Inbound, Limits, Outbound, Server};
use covenant_net::pki::{Certificate, ServerTls, TlsOptions, TlsVersions};

/// Lifetime of a server certificate, in days. Each start creates a new one.
const SERVER_DAYS: u32 = 3650;

/// A platform with its server.
#[derive(Debug)]
pub struct Running {
    /// The platform itself.
    pub platform: Arc<Platform>,
    server: Server,
}

impl Platform {
    /// Starts a platform. On the file of an earlier platform, it continues that platform: the same authority,
    /// the same data, and the same port if that is free.
    pub async fn start(options: Options) -> Result<Running, StartError> {
        let policy = seeded(&options.patches);
        let listen = address(options.listen, &policy);
        let platform = Arc::new(Self::open(options, &policy)?);
        operator_api::complete_announced_revocations(&platform)
            .map_err(|error| StartError::Unfinished(error.message))?;
        platform.transaction::<_, StartError>(|tx| Ok((tx.policy.peering.on_start)(tx)?))?;
        let listener = platform.bind(listen).await?;
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address: listen, source })?;
        let behind_a_proxy = platform.policy.inbound.runs_behind_proxy;
        let tls = if behind_a_proxy { None } else { Some(platform.server_tls(address)?) };
        platform.listens_at(format!("{}://{address}", if behind_a_proxy { "http" } else { "https" }));
        platform
            .transaction::<_, StartError>(|tx| Ok(facts::set(tx.db, facts::PORT, &json!(address.port()))?))?;
        let handler = Arc::new(FederationPlane(platform.clone()));
        let server = Server::start(listener, tls, handler, Limits::default())
            .map_err(|source| StartError::Listen { address, source })?;
        Ok(Running { platform, server })
    }

    async fn bind(&self, listen: SocketAddr) -> Result<TcpListener, StartError> {
        if listen.port() == 0
            && let Some(before) = self.port_before()?
            && let Ok(listener) = TcpListener::bind(SocketAddr::new(listen.ip(), before)).await
        {
            return Ok(listener);
        }
        TcpListener::bind(listen)
            .await
            .map_err(|source: io::Error| StartError::Listen { address: listen, source })
    }

    fn port_before(&self) -> Result<Option<u16>, StartError> {
        let kept = self.transaction::<_, StartError>(|tx| Ok(facts::find(tx.db, facts::PORT)?))?;
        Ok(kept.and_then(|value| value.as_u64()).and_then(|port| u16::try_from(port).ok()))
    }

    fn server_tls(&self, address: SocketAddr) -> Result<ServerTls, StartError> {
        let ip = address.ip().to_string();
        let identity = self.keys.authority.leaf("reference platform", &["localhost", &ip], SERVER_DAYS)?;
        let options = TlsOptions {
            versions: if self.policy.inbound.speaks_tls13 { TlsVersions::Both } else { TlsVersions::Only12 },
            without_http2: !self.policy.inbound.speaks_http2,
            without_http1: !self.policy.inbound.speaks_http1,
            ..TlsOptions::default()
        };
        Ok(ServerTls::new(&identity, self.keys.trust.clone(), &self.clock, options)?)
    }
}

impl Running {
    /// Returns the base URL, without the federation prefix.
    pub fn base_url(&self) -> &str {
        self.platform.base_url()
    }

    /// Returns the authority to which its server chains.
    pub fn ca_bundle_pem(&self) -> &str {
        self.platform.ca_bundle_pem()
    }

    /// Returns the address on which it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Completes the calls under way, then closes the store.
    pub async fn stop(self) {
        self.server.stop().await;
        self.platform.die();
    }

    /// Ends it like a killed process: nothing more is committed, and every connection is dropped.
    pub async fn kill(self) {
        self.platform.die();
        self.server.kill().await;
    }
}

/// Returns whether a platform with these patches takes its callers' identity from a proxy.
pub(super) fn runs_behind_proxy(patches: &[&'static Patch]) -> bool {
    seeded(patches).inbound.runs_behind_proxy
}

/// Returns the kinds that a platform with these patches names; null if it takes any.
pub(super) fn kinds(patches: &[&'static Patch]) -> Value {
    (seeded(patches).capabilities.kinds)()
}

/// Returns the seconds by which the clock of a platform with these patches is ahead.
#[must_use]
pub fn clock_ahead_seconds(patches: &[&'static Patch]) -> i64 {
    seeded(patches).inbound.clock_ahead_seconds
}

fn seeded(patches: &[&'static Patch]) -> Policy {
    let mut policy = Policy::default();
    for patch in patches {
        patch.apply_to(&mut policy);
    }
    policy
}

/// Returns the caller's certificate from the proxy's header.
fn forwarded_certificate(request: &Inbound) -> Option<Certificate> {
    let value = request.header(header::FORWARDED_CERTIFICATE)?;
    Certificate::from_pem(&header::forwarded_certificate(value)?).ok()
}

fn address(given: SocketAddr, policy: &Policy) -> SocketAddr {
    if policy.inbound.listens_on_ipv6 && given.ip() == Ipv4Addr::LOCALHOST {
        return SocketAddr::new(Ipv6Addr::LOCALHOST.into(), given.port());
    }
    given
}

/// The server's handler. SQLite blocks on the disk, so it runs apart from the sockets.
struct FederationPlane(Arc<Platform>);

impl FederationPlane {
    /// Returns the request with the certificate that its caller presented, to this platform or to its proxy.
    fn as_presented(&self, mut request: Inbound) -> Inbound {
        if self.0.policy.inbound.runs_behind_proxy {
            request.peer_certificate = forwarded_certificate(&request);
        }
        request
    }
}

#[async_trait]
impl Handler for FederationPlane {
    /// Returns whether the caller was admitted when its migration began to arrive.
    async fn begins(&self, head: &Inbound) -> bool {
        if Route::parse(&head.method, &head.path) != Some(Route::Migrations) {
            return false;
        }
        let (platform, head) = (self.0.clone(), self.as_presented(head.clone()));
        tokio::task::spawn_blocking(move || inbound::admits(&platform, &head)).await.unwrap_or_default()
    }

    async fn handle(&self, request: Inbound) -> Outbound {
        let platform = self.0.clone();
        let request = self.as_presented(request);
        // This is a delay: the future never completes, and only the timeout ends it.
        let _ =
            tokio::time::timeout(platform.policy.inbound.response_delay, std::future::pending::<()>()).await;
        let _turn = outbound::turn(&self.0).await;
        let answered = tokio::task::spawn_blocking(move || inbound::answer(&platform, &request)).await;
        answered.unwrap_or_else(|_| Outbound::abort())
    }
}
