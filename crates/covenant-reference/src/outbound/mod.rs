//! Everything that the platform sends: what its peers are owed, what it asks of them, and when.
//!
//! Nothing is sent inside a transaction. What a call comes to is written down in one of its own.

mod excerpts;
mod heartbeat;
mod join;
mod migrate;
mod notices;
mod outbound_call;
mod plan;
mod probe;
mod sync;
mod timers;
mod verify;

pub(crate) use excerpts::ask as ask_for_excerpt;
pub(crate) use heartbeat::send as send_heartbeat;
pub(crate) use join::{join, joined};
pub(crate) use migrate::{Order, commit as commit_migration, send as send_migration};
pub(crate) use notices::{deliver as deliver_notices, owe_everyone};
pub(crate) use outbound_call::{Called, call};
pub(crate) use probe::{check_grant, check_kind, probe_capabilities};
pub(crate) use sync::run as run_sync;
pub(crate) use timers::run_due_timers;
pub(crate) use verify::Untruth;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::capabilities;
use super::handshake::versions::Compatibility;
use super::platform::Platform;
use super::policy::policy;
use super::store::StoreError;
use super::store::rows::{Capability, ExcerptRequest, HeldGrant, KnownContract, Notice, Peer};
use super::transaction::Transaction;
use covenant_model::wire::migration::MigrationRequest;
use covenant_model::wire::sync::SyncBatch;
use covenant_net::net::Client;
use covenant_net::pki::SigningRequest;

/// What sending needs beside the store: the connections to each peer.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    clients: Mutex<BTreeMap<String, Client>>,
    turn: tokio::sync::Mutex<()>,
}

/// The turn of a call, made or answered, where the platform does one thing at a time.
pub(crate) async fn turn(platform: &Platform) -> Option<tokio::sync::MutexGuard<'_, ()>> {
    if platform.policy.wire.does_one_thing_at_a_time { Some(platform.out.turn.lock().await) } else { None }
}

/// Something else that falls due with the timers.
pub(crate) type AlsoDue = fn(Arc<Platform>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Something that is done before a revocation of a peer is announced.
pub(crate) type BeforeLeaving = fn(Arc<Platform>, String) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Calls that are under way at once, when many peers are called.
const CALLS_AT_ONCE: usize = 8;

/// Waits for all of these calls, a few at a time.
pub(crate) async fn side_by_side<F: Future>(calls: Vec<F>) {
    stream::iter(calls).buffer_unordered(CALLS_AT_ONCE).collect::<Vec<_>>().await;
}

policy! {
    /// Decisions about what is sent.
    Policy {
        /// Whether a notice is sent at all (2.3, 4.1, 9.1).
        is_sent: fn(&Notice) -> bool = |_| true,
        /// Which partners are owed a notice of this kind: all of them (9.1).
        owed_to: fn(&str, Vec<Peer>) -> Vec<Peer> = |_, partners| partners,
        /// How long a notice of this kind is put off: not at all (9.1).
        delay: fn(&str) -> SignedDuration = |_| SignedDuration::ZERO,
        /// Last word on the body of a heartbeat.
        override_heartbeat: fn(&mut Map<String, Value>) = |_| (),
        /// Whether a heartbeat that was sent so often is sent again at once, by what it came to (6.1):
        /// never.
        is_sent_again: fn(u32, &Called) -> bool = |_, _| false,
        /// What else falls due (O.1): nothing.
        also_due: Option<AlsoDue> = None,
        /// What is done before a peer is revoked (11.2): nothing.
        before_leaving: Option<BeforeLeaving> = None,
        /// Seconds between two heartbeats to a peer, by the setting.
        heartbeat_seconds: fn(i64) -> i64 = |setting| setting.max(1),
        /// Whether a peer that refuses every call has left in silence by now (4.1, 4.2).
        left_in_silence: fn(&Peer, Timestamp) -> bool = timers::left_in_silence,
        /// Whether a peer has not been heard of for too long, by when it last was.
        is_stale: fn(Timestamp, Timestamp) -> bool = timers::is_stale,
        /// Whether an excerpt that was asked for is overdue (5.3).
        is_overdue: fn(&ExcerptRequest, Timestamp) -> bool = excerpts::is_overdue,
        /// Whether an answer gives the excerpt that was asked for: any but a promise or a refusal (5.3).
        gives_excerpt: fn(&Called) -> bool = excerpts::is_given,
        /// What is filed of an excerpt that came (5.1): nothing, it is the peer's own word.
        files_excerpt: fn(&Transaction<'_>, &Value) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Whether an answer shows that a grant for this scope is no longer honoured (2.1, 2.2).
        is_broken: fn(&HeldGrant, &str, Timestamp, &Called) -> bool = probe::is_broken,
        /// Last word on the accept of a peer's proposal (A.1).
        override_join: fn(&mut Map<String, Value>) = |_| (),
        /// What an accept of ours brings for us to be known by: a request to sign.
        introduces_with: fn(&Transaction<'_>, &SigningRequest) -> (&'static str, String) = join::signing_request,
        /// Whether a peer that answered an accept is joined, by the releases here and there (10.1).
        joins: fn(&str, &str) -> bool = |_, _| true,
        /// Whether an accept that was sent so often is sent again at once, by what it came to (6.1): never.
        is_joined_again: fn(u32, &Called) -> bool = |_, _| false,
        /// Which gaps in the disclosure of a peer that it joins count: all of them (1.5).
        gaps_that_count: fn(Vec<&'static str>) -> Vec<&'static str> = |gaps| gaps,
        /// Whether an agreed contract is the one that was asked for (V.2).
        is_same_contract: fn(&join::Agreement) -> bool = join::Agreement::is_same,
        /// Whether a peering may be joined on a contract version (V.4).
        may_be_joined: fn(&KnownContract) -> bool = |contract| contract.deprecated_at.is_none(),
        /// Whether a peer is enrolled that agreed to another contract: no.
        enrols_whom_it_refuses: bool = false,
        /// Whether an answer about a declared kind shows that it is not served (3.1).
        is_drift: fn(u16) -> bool = probe::is_drift,
        /// Whether a refused migration shows that a declared schema is not run (3.2).
        is_schema_drift: fn(&str) -> bool = migrate::is_schema_drift,
        /// Whether a peer that left cuts off what was in flight (4.3).
        cuts_grace: fn(&Peer, Timestamp, &Called) -> bool = migrate::cuts_grace,
        /// Whether the operator is told of a crossing on the way out (8.2).
        tells_crossing: bool = true,
        /// Which crossing stands in the record of a migration that was sent: the one that there was (8.3).
        crossing_recorded: fn(&Transaction<'_>, &Peer, Option<Value>) -> Option<Value> = |_, _, crossing| crossing,
        /// Last word on a plan before it is sent.
        override_plan: fn(&mut MigrationRequest) = |_| (),
        /// What is untrue of a destination's claims, of all that was found (7.2, 7.3, 7.4).
        untruths: fn(Vec<Untruth>) -> Vec<Untruth> = |found| found,
        /// Whether the originals of a migration are deleted, by whether all of it was read back (7.2).
        deletes_originals: fn(bool) -> bool = |read_back| read_back,
        /// Which kinds of a peer are looked at in a scan: those that it declares (6.4).
        kinds_probed: fn(Vec<String>) -> Vec<String> = |declared| declared,
        /// Whether a peer takes a kind in (6.4).
        is_taken: fn(&Peer, &str) -> bool = sync::is_taken,
        /// Whether nothing is sent to a peer whose version does not go with ours (10.1).
        freezes: fn(&Compatibility) -> bool = Compatibility::is_frozen,
        /// Whether a record passes the declared filter on its way out (3.3).
        passes_filter: fn(&Map<String, Value>, &Map<String, Value>) -> bool = capabilities::passes_filter,
        /// Last word on a batch before it is sent (6.3).
        override_batch: fn(&mut SyncBatch) = |_| (),
        /// Whether records of a declared kind are sent without an operator's hand (7.5), to a peer that has
        /// been enrolled for so long.
        flows_by_itself: fn(&Capability, SignedDuration) -> bool = sync::flows_by_itself,
    }
}
