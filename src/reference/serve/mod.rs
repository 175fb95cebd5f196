//! The federation plane: one file a route. A call is answered in one transaction, with its audit
//! entry and whatever it makes the platform suspect.

mod accept;
mod catalog;
mod excerpts;
pub(crate) mod grants;
mod heartbeat;
mod identity;
mod migrations;
mod notices;
mod reply;
mod resources;
mod subscriptions;
mod sync;
mod trust_bundle;

use std::time::Duration;

use serde_json::Value;

pub(crate) use accept::enter;
pub(crate) use heartbeat::judge_claims;
pub(crate) use identity::Rules as IdentityRules;
pub(crate) use notices::Rules as NoticeRules;
pub(crate) use reply::{Fault, Reply};
pub(crate) use resources::Rules as ResourceRules;
pub(crate) use sync::Rules as SyncRules;

use super::act::Act;
use super::govern;
use super::history::{self, Action};
use super::platform::Platform;
use super::rules::rules;
use super::store::StoreError;
use super::store::rows::{Direction, Peer};
use crate::net::{Inbound, Outbound};
use crate::wire::path::Route;
use identity::Caller;

rules! {
    /// Decisions about the shape of what is answered.
    Rules {
        /// Last word on every body, by the route's name.
        amend_body: fn(&str, &mut Value) = |_, _| (),
        /// What is answered on a path below the prefix that nobody knows (O.1): nothing of one's own.
        beyond: fn(&Inbound) -> Option<Value> = |_| None,
        /// Last word on what goes out, whatever it says.
        amend_outbound: fn(&Inbound, &mut Outbound) = |_, _| (),
        /// Seconds by which its clock is ahead of what whoever starts it takes for the time.
        clock_ahead_seconds: i64 = 0,
        /// How long it takes to answer.
        answers_after: Duration = Duration::ZERO,
        /// Whether it answers no call while it makes one.
        does_one_thing_at_a_time: bool = false,
        /// Whether it listens on IPv6, where its address would be a loopback one of IPv4.
        listens_on_ipv6: bool = false,
        /// Whether HTTP/1.1 is spoken.
        speaks_http1: bool = true,
        /// Whether HTTP/2 is spoken.
        speaks_http2: bool = true,
        /// Whether a proxy ends TLS before it, and tells of the callers in headers.
        stands_behind_a_proxy: bool = false,
        /// Whether TLS 1.3 is spoken.
        speaks_tls13: bool = true,
    }
}

/// A call of a peer that is let in.
pub(crate) struct Visit<'a> {
    pub(crate) act: &'a Act<'a>,
    pub(crate) call: &'a Inbound,
    /// As the row stood when the call came.
    pub(crate) peer: Peer,
}

/// Answers a call.
pub(crate) fn answer(platform: &Platform, call: &Inbound) -> Outbound {
    let mut outbound = judged(platform, call);
    (platform.rules.wire.amend_outbound)(call, &mut outbound);
    outbound
}

fn judged(platform: &Platform, call: &Inbound) -> Outbound {
    match platform.act(|act| visit(act, call)) {
        Ok(reply) => reply.into_outbound(),
        Err(Fault::Crashed) => {
            platform.die();
            Outbound::abort()
        }
        Err(Fault::Refused(reply)) => reply.into_outbound(),
        Err(Fault::Store(error)) => {
            tracing::error!(%error, "the store failed");
            Reply::internal_error().into_outbound()
        }
    }
}

fn visit(act: &Act<'_>, call: &Inbound) -> Result<Reply, Fault> {
    let route = Route::parse(&call.method, &call.path);
    let name = route.as_ref().map_or("unknown", Route::name);
    let mut reply = if route == Some(Route::Accept) {
        accept::answer(act, call)?
    } else {
        match identity::caller(act, call)? {
            Caller::Stranger(_) if route.is_none() => Reply::not_found(),
            Caller::Stranger(refusal) => refusal,
            Caller::Barred(peer, refusal) => {
                let reply = answer_barred(act, call, route.as_ref(), &peer, refusal)?;
                conclude(act, call, name, &peer, reply)?
            }
            Caller::Welcome(peer) => {
                let visit = Visit { act, call, peer };
                let reply = undone_if_refused(act, || dispatch(&visit, route.as_ref()))?;
                conclude(act, call, name, &visit.peer, reply)?
            }
        }
    };
    (act.rules.wire.amend_body)(name, &mut reply.body);
    Ok(reply)
}

fn dispatch(visit: &Visit<'_>, route: Option<&Route>) -> Result<Reply, Fault> {
    if let Some(route) = route {
        visit.act.watch().pass(&visit.act.rules.watch, &visit.peer.id, route);
    }
    match route {
        None | Some(Route::Accept) => match (visit.act.rules.wire.beyond)(visit.call) {
            Some(data) => Ok(Reply::success(&data)),
            None => Err(unknown_path(visit)),
        },
        Some(Route::Heartbeat) => heartbeat::answer(visit),
        Some(Route::TrustBundle) => Ok(trust_bundle::answer(visit)),
        Some(Route::Resource { kind, id }) => resources::answer(visit, kind, id),
        Some(Route::Migrations) => migrations::answer(visit),
        Some(Route::Migration { id }) => migrations::show(visit, id),
        Some(Route::MigrationCommit { id }) => migrations::commit(visit, id),
        Some(Route::AuditExcerpts) => excerpts::answer(visit),
        Some(Route::ServiceCatalog) => Ok(catalog::answer(visit)),
        Some(Route::Subscriptions) => subscriptions::answer(visit),
        Some(Route::Subscription { id }) => subscriptions::end(visit, id),
        Some(Route::Sync) => sync::answer(visit),
    }
}

/// Some things pass even so: the leave-taking of a suspended peer (11.1), the first heartbeat where that
/// enrols, and what was open when a revocation came, as long as the grace lasts (4.3).
fn answer_barred(
    act: &Act<'_>,
    call: &Inbound,
    route: Option<&Route>,
    peer: &Peer,
    refusal: Reply,
) -> Result<Reply, Fault> {
    let visit = Visit { act, call, peer: peer.clone() };
    match route {
        Some(Route::Heartbeat)
            if heartbeat::is_leave_of_suspended(&visit) || heartbeat::is_first_of_accepted(&visit) =>
        {
            undone_if_refused(act, || heartbeat::answer(&visit))
        }
        Some(Route::MigrationCommit { id }) if migrations::is_in_grace(&visit, id)? => {
            undone_if_refused(act, || migrations::commit(&visit, id))
        }
        _ => Ok(refusal),
    }
}

/// A refused call changes nothing but what is written down about it.
fn undone_if_refused(act: &Act<'_>, work: impl FnOnce() -> Result<Reply, Fault>) -> Result<Reply, Fault> {
    match act.attempt(work) {
        Err(Fault::Refused(reply)) => Ok(*reply),
        other => other,
    }
}

/// Writes the audit entry, and raises what the call made suspect.
fn conclude(
    act: &Act<'_>,
    call: &Inbound,
    route: &str,
    peer: &Peer,
    mut reply: Reply,
) -> Result<Reply, StoreError> {
    let subject = remote_subject(act, call, peer)?;
    let action = Action {
        peer_id: &peer.id,
        remote_subject: &subject,
        name: &format!("federation.{}", route.replace('/', ".")),
        direction: Direction::Inbound,
        route: &format!("{} {}", call.method, call.path),
        status: Some(reply.status),
    };
    history::audit(act, &action)?;
    for suspicion in std::mem::take(&mut reply.suspicions) {
        govern::raise(act, &peer.id, &suspicion)?;
    }
    for suspicion in std::mem::take(&mut reply.standing) {
        govern::note(act, &peer.id, &suspicion)?;
    }
    Ok(reply)
}

/// The grant's, where a grant of this peer carried the call; else the CN (`binding.md`, "Readings").
fn remote_subject(act: &Act<'_>, call: &Inbound, peer: &Peer) -> Result<String, StoreError> {
    let grant = grants::named(act, call)?.filter(|grant| grant.peer_id == peer.id);
    Ok(match grant {
        Some(grant) => grant.remote_subject,
        None => call
            .peer_certificate
            .as_ref()
            .and_then(|certificate| certificate.common_name.clone())
            .unwrap_or_else(|| peer.id.clone()),
    })
}

fn unknown_path(visit: &Visit<'_>) -> Fault {
    let target = format!("{} {}", visit.call.method, visit.call.path);
    Reply::not_found().suspecting(visit.refused(&target)).refused()
}

impl Visit<'_> {
    /// Notes that the peer was refused what is not its business (6.4).
    fn refused(&self, target: &str) -> Option<govern::Suspicion> {
        self.act.watch().refused(&self.act.rules.watch, &self.peer.id, target, self.act.now)
    }

    /// The body, as JSON; one that is none is refused.
    fn json(&self) -> Result<Value, Fault> {
        reply::json_body(self.call)
    }
}
