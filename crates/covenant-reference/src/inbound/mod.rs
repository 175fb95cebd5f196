//! The federation plane: one file per route. Each call is answered in one transaction, together with its
//! audit entry and the suspicions that it raises.

mod accept;
mod catalog;
mod excerpts;
pub(crate) mod grants;
mod heartbeat;
pub(crate) mod identity;
mod migrations;
pub(crate) mod notices;
pub(crate) mod resources;
pub(crate) mod subscriptions;
pub(crate) mod sync;
mod trust_bundle;

use std::time::Duration;

use serde_json::Value;

pub(crate) use accept::record_handshake;
pub(crate) use heartbeat::check_claims;

use super::governance;
use super::history::{self, Action};
use super::platform::Platform;
use super::policy::policy;
use super::reply::{self, InboundError, Reply};
use super::store::StoreError;
use super::store::rows::{Direction, Peer};
use super::suspicion::Suspicion;
use super::transaction::Transaction;
use covenant_model::wire::path::Route;
use covenant_model::wire::weight;
use covenant_net::net::{Inbound, Outbound};
use identity::Caller;

policy! {
    /// The policy for the shape of responses.
    Policy {
        /// Policy hook on every body, by the route's name.
        override_body: fn(&str, &mut Value) = |_, _| (),
        /// Returns a response for an unknown path below the prefix (O.1). The default returns `None`.
        answer_unknown_path: fn(&Inbound) -> Option<Value> = |_| None,
        /// Policy hook on every outbound message.
        override_response: fn(&Inbound, &mut Outbound) = |_, _| (),
        /// Seconds by which the platform's clock is ahead of the clock it was started with.
        clock_ahead_seconds: i64 = 0,
        /// Delay before each response.
        response_delay: Duration = Duration::ZERO,
        /// Controls whether inbound calls wait while an outbound call is under way.
        serializes_calls: bool = false,
        /// Controls whether the platform listens on IPv6 in place of an IPv4 loopback address.
        listens_on_ipv6: bool = false,
        /// Controls whether HTTP/1.1 is supported.
        speaks_http1: bool = true,
        /// Controls whether HTTP/2 is supported.
        speaks_http2: bool = true,
        /// Controls whether a proxy terminates TLS and forwards the callers' certificates in headers.
        runs_behind_proxy: bool = false,
        /// Controls whether TLS 1.3 is supported.
        speaks_tls13: bool = true,
    }
}

/// A call of an admitted peer.
pub(crate) struct InboundCall<'a> {
    pub(crate) tx: &'a Transaction<'a>,
    pub(crate) call: &'a Inbound,
    /// The row as it was when the call arrived.
    pub(crate) peer: Peer,
}

/// Answers a call.
pub(crate) fn answer(platform: &Platform, call: &Inbound) -> Outbound {
    let _turn = weight::turn(weight::weight(&call.body));
    let mut outbound = evaluated(platform, call);
    (platform.policy.inbound.override_response)(call, &mut outbound);
    outbound
}

/// Returns whether the caller of a request is admitted now.
pub(crate) fn admits(platform: &Platform, head: &Inbound) -> bool {
    let caller = platform.transaction::<_, StoreError>(|tx| identity::caller(tx, head));
    matches!(caller, Ok(Caller::Admitted(_)))
}

fn evaluated(platform: &Platform, call: &Inbound) -> Outbound {
    match platform.transaction(|tx| inbound(tx, call)) {
        Ok(reply) => reply.into_outbound(),
        Err(InboundError::Refused(reply)) => reply.into_outbound(),
        Err(InboundError::Store(StoreError::Closed)) => {
            platform.die();
            Outbound::abort()
        }
        Err(InboundError::Store(error)) => {
            tracing::error!(error = covenant_model::with_causes(&error), "the store failed");
            Reply::internal_error().into_outbound()
        }
    }
}

fn inbound(tx: &Transaction<'_>, call: &Inbound) -> Result<Reply, InboundError> {
    let route = Route::parse(&call.method, &call.path);
    let name = route.as_ref().map_or("unknown", Route::name);
    let mut reply = if route == Some(Route::Accept) {
        accept::answer(tx, call)?
    } else {
        match identity::caller(tx, call)? {
            Caller::AnonymousClient(_) if route.is_none() => Reply::not_found(),
            Caller::AnonymousClient(refusal) => refusal,
            Caller::Rejected(peer, refusal) => {
                let reply = answer_rejected(tx, call, route.as_ref(), &peer, refusal)?;
                conclude(tx, call, name, &peer, reply)?
            }
            Caller::Admitted(peer) => {
                let inbound = InboundCall { tx, call, peer };
                let reply = undone_if_refused(tx, || dispatch(&inbound, route.as_ref()))?;
                conclude(tx, call, name, &inbound.peer, reply)?
            }
        }
    };
    (tx.policy.inbound.override_body)(name, &mut reply.body);
    Ok(reply)
}

fn dispatch(inbound: &InboundCall<'_>, route: Option<&Route>) -> Result<Reply, InboundError> {
    if let Some(route) = route {
        inbound.tx.counters().pass(&inbound.tx.policy.counters, &inbound.peer.id, route);
    }
    match route {
        None | Some(Route::Accept) => match (inbound.tx.policy.inbound.answer_unknown_path)(inbound.call) {
            Some(data) => Ok(Reply::success(&data)),
            None => Err(unknown_path(inbound)),
        },
        Some(Route::Heartbeat) => heartbeat::answer(inbound),
        Some(Route::TrustBundle) => Ok(trust_bundle::answer(inbound)),
        Some(Route::Resource { kind, id }) => resources::answer(inbound, kind, id),
        Some(Route::Migrations) => migrations::answer(inbound),
        Some(Route::Migration { id }) => migrations::show(inbound, id),
        Some(Route::MigrationCommit { id }) => migrations::commit(inbound, id),
        Some(Route::AuditExcerpts) => excerpts::answer(inbound),
        Some(Route::ServiceCatalog) => Ok(catalog::answer(inbound)),
        Some(Route::Subscriptions) => subscriptions::answer(inbound),
        Some(Route::Subscription { id }) => subscriptions::end(inbound, id),
        Some(Route::Sync) => sync::answer(inbound),
    }
}

/// Answers a barred peer. Three calls still pass: the revocation by a suspended peer (11.1), the first
/// heartbeat if that enrols, and a migration that was open or being received at the revocation, while the grace
/// lasts (4.3).
fn answer_rejected(
    tx: &Transaction<'_>,
    call: &Inbound,
    route: Option<&Route>,
    peer: &Peer,
    refusal: Reply,
) -> Result<Reply, InboundError> {
    let inbound = InboundCall { tx, call, peer: peer.clone() };
    match route {
        Some(Route::Heartbeat)
            if heartbeat::is_revocation_by_suspended(&inbound)
                || heartbeat::is_first_of_accepted(&inbound) =>
        {
            undone_if_refused(tx, || heartbeat::answer(&inbound))
        }
        Some(Route::MigrationCommit { id }) if migrations::is_in_grace(&inbound, id)? => {
            undone_if_refused(tx, || migrations::commit(&inbound, id))
        }
        Some(Route::Migrations) if migrations::began_before_end(&inbound) => {
            undone_if_refused(tx, || migrations::answer(&inbound))
        }
        _ => Ok(refusal),
    }
}

/// Undoes the changes of a refused call. Only its audit entry and its findings remain.
fn undone_if_refused(
    tx: &Transaction<'_>,
    work: impl FnOnce() -> Result<Reply, InboundError>,
) -> Result<Reply, InboundError> {
    match tx.attempt(work) {
        Err(InboundError::Refused(reply)) => Ok(*reply),
        other => other,
    }
}

/// Writes the audit entry, and raises the suspicions of the call.
fn conclude(
    tx: &Transaction<'_>,
    call: &Inbound,
    route: &str,
    peer: &Peer,
    mut reply: Reply,
) -> Result<Reply, StoreError> {
    let subject = remote_subject(tx, call, peer)?;
    let named = grants::named(tx, call)?;
    let account =
        (tx.policy.history.choose_account)(&peer.id, named.as_ref().map(|grant| grant.peer_id.as_str()));
    let action = Action {
        peer_id: &account,
        remote_subject: &subject,
        name: &format!("federation.{}", route.replace('/', ".")),
        direction: Direction::Inbound,
        route: &format!("{} {}", call.method, call.path),
        status: Some(reply.status),
    };
    history::audit(tx, &action)?;
    for suspicion in std::mem::take(&mut reply.suspicions) {
        governance::raise(tx, &peer.id, &suspicion)?;
    }
    for suspicion in std::mem::take(&mut reply.states) {
        governance::note(tx, &peer.id, &suspicion)?;
    }
    Ok(reply)
}

/// Returns the subject of the peer's grant that carried the call, else the CN (`binding.md`, "Remote
/// subject").
fn remote_subject(tx: &Transaction<'_>, call: &Inbound, peer: &Peer) -> Result<String, StoreError> {
    let grant = grants::named(tx, call)?.filter(|grant| grant.peer_id == peer.id);
    Ok(match grant {
        Some(grant) => (tx.policy.history.choose_subject)(tx, grant)?,
        None => call
            .peer_certificate
            .as_ref()
            .and_then(|certificate| certificate.common_name.clone())
            .unwrap_or_else(|| peer.id.clone()),
    })
}

fn unknown_path(inbound: &InboundCall<'_>) -> InboundError {
    let target = format!("{} {}", inbound.call.method, inbound.call.path);
    Reply::not_found().suspecting(inbound.refused(&target)).refused()
}

impl InboundCall<'_> {
    /// Notes that the peer was refused a target outside its peering (6.4).
    fn refused(&self, target: &str) -> Option<Suspicion> {
        self.tx.counters().refused(&self.tx.policy.counters, &self.peer.id, target, self.tx.now)
    }

    /// Parses the body as JSON. Any other body is refused.
    fn json(&self) -> Result<Value, InboundError> {
        reply::json_body(self.call)
    }
}
