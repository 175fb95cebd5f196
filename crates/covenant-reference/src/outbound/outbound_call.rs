//! Outbound calls: the identity that this platform presents, the server that it trusts, the audit of each
//! call.

use std::sync::{Arc, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use url::Url;

use crate::history::{self, Action};
use crate::method_error::MethodError;
use crate::platform::Platform;
use crate::store::rows::{Direction, Peer};
use crate::store::{StoreError, table};
use crate::transaction::Transaction;
use covenant_model::wire::accept::Endpoint;
use covenant_model::wire::envelope::Answer;
use covenant_model::wire::header::{self, inbound_subject};
use covenant_model::wire::path::{Route, without_prefix};
use covenant_model::wire::weight;
use covenant_model::with_causes;
use covenant_net::net::{Client, ClientOptions, Limits, NetError, Request, Response};
use covenant_net::pki::{ClientTls, Identity, PkiError, TlsOptions, Trust};

/// Lifetime of a leaf of this platform's own authority, in days.
const LEAF_DAYS: u32 = 730;

/// The result of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Called {
    /// HTTP status. `None` if no response came.
    pub(crate) status: Option<u16>,
    /// JSON body of the response, or null.
    pub(crate) body: Value,
    /// Seconds to wait, if the peer named a time.
    pub(crate) retry_after_seconds: Option<i64>,
    /// Reason why no response came.
    pub(crate) failure: Option<String>,
    /// Set if TLS rejected this platform's certificate.
    pub(crate) certificate_refused: bool,
}

impl Called {
    pub(crate) fn succeeded(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Returns whether the peer rejected this platform for its identity.
    pub(crate) fn is_refused(&self) -> bool {
        self.certificate_refused || matches!(self.status, Some(401 | 403 | 410))
    }

    /// Returns the data of a successful response.
    pub(crate) fn data(&self) -> Value {
        let data = if self.succeeded() { Answer::read(&self.body).and_then(Answer::data) } else { None };
        data.unwrap_or(Value::Null)
    }

    /// Returns the error text of the response, or the reason why there is none.
    pub(crate) fn error(&self) -> String {
        match (Answer::read(&self.body), &self.failure) {
            (Some(Answer::Refusal(refusal)), _) => refusal.error,
            (_, Some(failure)) => failure.clone(),
            _ => String::new(),
        }
    }

    fn of(outcome: Result<Response, NetError>) -> Self {
        match outcome {
            Ok(response) => Self {
                status: Some(response.status),
                body: weight::parse(&response.body).unwrap_or(Value::Null),
                retry_after_seconds: retry_after(&response),
                ..Self::default()
            },
            Err(error) => Self {
                certificate_refused: matches!(error, NetError::Certificate(_)),
                failure: Some(error.to_string()),
                ..Self::default()
            },
        }
    }
}

/// Calls a peer, and records the call: an audit entry, and whether the peer refuses this platform.
pub(crate) async fn call(
    platform: &Arc<Platform>,
    peer: &Peer,
    route: &Route,
    body: Option<&Value>,
    token: Option<&str>,
) -> Result<Called, MethodError> {
    send(platform, peer, route, request(peer, route, body, token)).await
}

/// Calls a peer's route with a query.
pub(crate) async fn call_with_query(
    platform: &Arc<Platform>,
    peer: &Peer,
    route: &Route,
    query: &str,
) -> Result<Called, MethodError> {
    let mut request = request(peer, route, None, None);
    request.path_and_query = format!("{}?{query}", request.path_and_query);
    send(platform, peer, route, request).await
}

/// Opens an address as no one in particular, and returns the status of the answer, or the reason why there was
/// none. It calls no peer, so it is no entry of the audit.
pub(crate) async fn reach(platform: &Platform, url: &Url) -> Result<u16, String> {
    let tls = client_tls(platform, None, Trust::on_first_use()).map_err(|error| with_causes(&error))?;
    let client = Client::new(Some(tls), Limits::default(), ClientOptions::default());
    let headers = vec![("accept".to_owned(), "application/json".to_owned())];
    let request = Request { method: "GET".to_owned(), path_and_query: "/".to_owned(), headers, body: None };
    let answered = client.send(url, request).await;
    answered.map(|response| response.status).map_err(|error| with_causes(&error))
}

/// Drops the connections to a peer after this platform's identity there has changed.
pub(crate) fn forget(platform: &Platform, peer_id: &str) {
    platform.outbound.clients.lock().unwrap_or_else(PoisonError::into_inner).remove(peer_id);
}

async fn send(
    platform: &Arc<Platform>,
    peer: &Peer,
    route: &Route,
    mut request: Request,
) -> Result<Called, MethodError> {
    (platform.policy.outbound.override_request)(route, &mut request);
    let client =
        if *route == Route::Accept { anonymous_client(platform, peer) } else { client(platform, peer) };
    let turn = super::turn(platform).await;
    let mut called = match (base_url(peer), client) {
        (Some(base_url), Ok(client)) => Called::of(client.send(&base_url, request).await),
        (None, _) => not_sent("the peer has no address that can be called"),
        (_, Err(error)) => not_sent(&error.to_string()),
    };
    drop(turn);
    (platform.policy.outbound.override_answer)(route, &mut called);
    platform.transaction::<_, MethodError>(|tx| {
        let action = format!("federation.{}.sent", route.name().replace('/', "."));
        let subject = outbound_subject(peer);
        history::audit(
            tx,
            &Action {
                peer_id: &peer.id,
                remote_subject: &subject,
                name: &action,
                direction: Direction::Outbound,
                route: route.name(),
                status: called.status,
            },
        )?;
        note_refusal(tx, &peer.id, route, &called)?;
        Ok(())
    })?;
    Ok(called)
}

/// Records the time since which a peer has refused this platform. Only a heartbeat or TLS shows it: any other
/// refusal may be about a grant.
fn note_refusal(
    tx: &Transaction<'_>,
    peer_id: &str,
    route: &Route,
    called: &Called,
) -> Result<(), StoreError> {
    let is_about_us = *route == Route::Heartbeat || called.certificate_refused;
    let Some(mut peer) = table::find::<Peer>(tx.db, peer_id)? else {
        return Ok(());
    };
    let since = match (is_about_us && called.is_refused(), called.succeeded()) {
        (true, _) => peer.refusing_since.or(Some(tx.now)),
        (_, true) => None,
        _ => peer.refusing_since,
    };
    if since == peer.refusing_since {
        return Ok(());
    }
    peer.refusing_since = since;
    table::put(tx.db, &peer)
}

fn request(peer: &Peer, route: &Route, body: Option<&Value>, token: Option<&str>) -> Request {
    let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
    let known_as = peer.remote_peer_id.as_deref().unwrap_or(&peer.id);
    headers.push(("user-agent".to_owned(), header::user_agent(known_as)));
    if let Some(token) = token {
        headers.push((header::AUTHORIZATION.to_lowercase(), header::bearer(token)));
    }
    if body.is_some() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    Request {
        method: route.method().to_owned(),
        path_and_query: route.path(),
        headers,
        body: body.map(|body| Bytes::from(body.to_string())),
    }
}

/// Returns the first address that the peer advertised, else the one that the operator named. No other address
/// is ever called.
fn base_url(peer: &Peer) -> Option<Url> {
    let advertised = Endpoint::read_list(&peer.endpoints).into_iter().map(|endpoint| endpoint.url);
    let addresses = advertised.chain([peer.remote_instance_url.clone()]);
    addresses
        .filter_map(|address| Url::parse(without_prefix(&address)).ok())
        .find(|url| url.scheme() == "https")
}

fn client(platform: &Platform, peer: &Peer) -> Result<Client, PkiError> {
    let mut clients = platform.outbound.clients.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(client) = clients.get(&peer.id) {
        return Ok(client.clone());
    }
    let identity = identity(platform, peer)?;
    let client = client_as(platform, peer, Some(&identity))?;
    clients.insert(peer.id.clone(), client.clone());
    Ok(client)
}

/// Returns a client without a certificate. A joining platform is known by its token: the peer does not trust
/// a certificate of it yet.
fn anonymous_client(platform: &Platform, peer: &Peer) -> Result<Client, PkiError> {
    client_as(platform, peer, None)
}

fn client_as(platform: &Platform, peer: &Peer, identity: Option<&Identity>) -> Result<Client, PkiError> {
    let trust = match peer.server_anchor_pem.as_ref().or(peer.anchor_pem.as_ref()) {
        Some(anchor) => {
            let trust = Trust::new();
            trust.add("peer", anchor)?;
            trust
        }
        // The peer's authority is unknown, so the first certificate is trusted and pinned (`binding.md`,
        // reading 6).
        None => Trust::on_first_use(),
    };
    let tls = client_tls(platform, identity, trust)?;
    let options = ClientOptions { reuse_connections: identity.is_some(), ..ClientOptions::default() };
    Ok(Client::new(Some(tls), Limits::default(), options))
}

/// Returns the TLS of a client, with the HTTP versions that this platform speaks.
fn client_tls(platform: &Platform, identity: Option<&Identity>, trust: Trust) -> Result<ClientTls, PkiError> {
    let options = TlsOptions {
        without_http2: !platform.policy.inbound.speaks_http2,
        without_http1: !platform.policy.inbound.speaks_http1,
        ..TlsOptions::default()
    };
    ClientTls::new(identity, trust, &platform.clock, options)
}

/// Returns the identity to present to a peer: the one that it issued, or a leaf of this platform's own
/// authority.
fn identity(platform: &Platform, peer: &Peer) -> Result<Identity, PkiError> {
    match &peer.outbound_identity_pem {
        Some(pem) => Identity::from_pem(pem, pem),
        None => platform.keys.authority.leaf(&outbound_subject(peer), &[], LEAF_DAYS),
    }
}

fn outbound_subject(peer: &Peer) -> String {
    peer.outbound_subject.clone().unwrap_or_else(|| inbound_subject(&peer.id))
}

fn not_sent(reason: &str) -> Called {
    Called { failure: Some(reason.to_owned()), ..Called::default() }
}

fn retry_after(response: &Response) -> Option<i64> {
    let mut headers = response.headers.iter();
    headers.find(|(name, _)| name.eq_ignore_ascii_case(header::RETRY_AFTER))?.1.trim().parse().ok()
}
