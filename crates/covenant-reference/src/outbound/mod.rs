//! All outbound calls: the notices and heartbeats that peers are owed, the requests to peers, and the timers.
//!
//! No call is made inside a transaction. The result of a call is written in a transaction of its own.

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
pub(crate) use migrate::{commit as commit_migration, require_called_release, send as send_migration};
pub(crate) use notices::{deliver as deliver_notices, owe, owe_everyone};
pub(crate) use outbound_call::{Called, call, reach};
pub(crate) use probe::{breaks_grant, check_grant, check_kind, held, probe_capabilities};
pub(crate) use sync::{CarriedBatch, accepts_kind, carry_batch, run as run_sync};
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
use super::method_error::MethodError;
use super::platform::Platform;
use super::policy::policy;
use super::store::StoreError;
use super::store::records::Record;
use super::store::rows::{Capability, ExcerptRequest, HeldGrant, KnownContract, Migration, Notice, Peer};
use super::transaction::Transaction;
use covenant_model::wire::migration::{MigrationRequest, Step};
use covenant_model::wire::path::Route;
use covenant_model::wire::sync::SyncBatch;
use covenant_net::net::{Client, Request};
use covenant_net::pki::SigningRequest;

/// The state for outbound calls beside the store: the connections to each peer.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    clients: Mutex<BTreeMap<String, Client>>,
    turn: tokio::sync::Mutex<()>,
}

/// Waits for the turn of an inbound or outbound call if the platform handles one call at a time.
pub(crate) async fn turn(platform: &Platform) -> Option<tokio::sync::MutexGuard<'_, ()>> {
    if platform.policy.inbound.serializes_calls { Some(platform.outbound.turn.lock().await) } else { None }
}

/// An extra task that runs with the timers.
pub(crate) type TimerTask = fn(Arc<Platform>) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// An extra task that runs before the revocation of a peer is announced.
pub(crate) type RevocationTask = fn(Arc<Platform>, String) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// The choice of the call that carries a batch to a peer.
pub(crate) type CarryBatch =
    fn(&Transaction<'_>, &Peer, &SyncBatch) -> Result<Option<CarriedBatch>, MethodError>;

/// Maximum number of concurrent calls when many peers are called.
const CALLS_AT_ONCE: usize = 8;

/// Waits for all of these calls, a few at a time.
pub(crate) async fn side_by_side<F: Future>(calls: Vec<F>) {
    stream::iter(calls).buffer_unordered(CALLS_AT_ONCE).collect::<Vec<_>>().await;
}

/// The choice of the records that pass a filter.
pub(crate) type PassesFilter = fn(&Transaction<'_>, &Map<String, Value>, &Record) -> bool;

policy! {
    /// The policy for outbound calls.
    Policy {
        /// Returns whether a notice is sent at all (2.3, 4.1, 9.1).
        is_sent: fn(&Notice) -> bool = |_| true,
        /// Returns whether a notice that is due may be delivered now (2.3, 4.1).
        may_deliver: fn(&Transaction<'_>, &Notice) -> Result<bool, StoreError> = |_, _| Ok(true),
        /// Returns the notices that are kept of those that one peer was ever owed: all of them (2.3).
        select_kept: fn(Vec<Notice>) -> Vec<Notice> = |notices| notices,
        /// Returns the partners that are owed a notice of this kind: all of them (9.1).
        select_recipients: fn(&str, Vec<Peer>) -> Vec<Peer> = |_, partners| partners,
        /// Returns the delay of a notice of this kind: none (9.1).
        delay_notice: fn(&str) -> SignedDuration = |_| SignedDuration::ZERO,
        /// Returns the kinds and ids of the records that travel along with one.
        dependencies: fn(&Record) -> Vec<(String, String)> = plan::dependencies,
        /// Policy hook on every call, when it leaves.
        override_request: fn(&Route, &mut Request) = |_, _| (),
        /// Policy hook on the result of every call, before it is read.
        override_answer: fn(&Route, &mut Called) = |_, _| (),
        /// Policy hook on the row of a peer that is sent notices, for this call alone (4.1).
        override_notified: fn(&mut Peer) = |_| (),
        /// Policy hook on the body of a heartbeat.
        override_heartbeat: fn(&mut Map<String, Value>) = |_| (),
        /// Returns whether a heartbeat is sent again at once, by the number of attempts and the last result
        /// (6.1). The default never does.
        repeats_heartbeat: fn(u32, &Called) -> bool = |_, _| false,
        /// Runs with the timers (O.1). The default is `None`.
        on_timers: Option<TimerTask> = None,
        /// Runs before a peer is revoked (11.2). The default is `None`.
        before_revocation: Option<RevocationTask> = None,
        /// Returns the seconds between two heartbeats to a peer, by the setting.
        choose_heartbeat_seconds: fn(i64) -> i64 = |setting| setting.max(1),
        /// Returns whether a peer that refuses every call counts as silently revoked by now (4.1, 4.2).
        has_revoked_silently: fn(&Peer, Timestamp) -> bool = timers::has_revoked_silently,
        /// Returns whether a peer is stale, by the time of its last call and the present time.
        is_stale: fn(Timestamp, Timestamp) -> bool = timers::is_stale,
        /// Returns whether a requested excerpt is overdue (5.3).
        is_overdue: fn(&ExcerptRequest, Timestamp) -> bool = excerpts::is_overdue,
        /// Returns whether a response contains the requested excerpt: neither a promise nor a refusal does
        /// (5.3).
        contains_excerpt: fn(&Called) -> bool = excerpts::contains_excerpt,
        /// Stores entries of a received excerpt (5.1). The default stores nothing: an excerpt is the peer's
        /// own claim.
        store_excerpt: fn(&Transaction<'_>, &Value) -> Result<(), StoreError> = |_, _| Ok(()),
        /// Returns whether a response shows that a grant for this scope is no longer honoured (2.1, 2.2).
        breaks_grant: fn(&HeldGrant, &str, Timestamp, &Called) -> bool = breaks_grant,
        /// Policy hook on the accept of a peer's proposal (A.1).
        override_join: fn(&mut Map<String, Value>) = |_| (),
        /// Returns the credentials member of an outbound accept: a request to sign.
        choose_credentials: fn(&Transaction<'_>, &SigningRequest) -> (&'static str, String) = join::signing_request,
        /// Returns whether a peer that answered an accept is joined, by the local and the remote release
        /// (10.1).
        joins: fn(&str, &str) -> bool = |_, _| true,
        /// Returns whether an order of the operator makes a call to a peer, by the local and the remote release
        /// (10.1).
        calls_release: fn(&str, &str) -> bool = |_, _| true,
        /// Returns whether an accept is sent again at once, by the number of attempts and the last result
        /// (6.1). The default never does.
        repeats_join: fn(u32, &Called) -> bool = |_, _| false,
        /// Returns the gaps in the disclosure of a joined peer. The default is what finds those of any other peer (1.5).
        find_gaps: Option<fn(&Map<String, Value>) -> Vec<&'static str>> = None,
        /// Returns whether an agreed contract is the requested one (V.2).
        is_same_contract: fn(&join::Agreement) -> bool = join::Agreement::is_same,
        /// Returns whether a peering may be joined on a contract version (V.4).
        may_join_on: fn(&KnownContract) -> bool = |contract| contract.deprecated_at.is_none(),
        /// Controls whether a peer that agreed to another contract is enrolled.
        enrols_rejected_peers: bool = false,
        /// Returns whether a response about a declared kind shows that it is not served (3.1).
        is_drift: fn(u16) -> bool = probe::is_drift,
        /// Returns whether the refusal of a migration shows that a declared schema is not supported (3.2).
        is_schema_drift: fn(&str) -> bool = migrate::is_schema_drift,
        /// Returns whether a peer that revoked cuts off an open migration (4.3).
        cuts_grace: fn(&Peer, Timestamp, &Called) -> bool = migrate::cuts_grace,
        /// Returns whether the crossing of a sent migration is reported to the operator (8.2): each is.
        reports_crossing: fn(&Migration) -> bool = |_| true,
        /// Returns the crossing that the row of a sent migration records (8.3): the actual one.
        choose_recorded_crossing: fn(&Transaction<'_>, &Peer, &Migration, Option<Value>) -> Option<Value> = |_, _, _, crossing| crossing,
        /// Returns whether the records of a completed migration are read back (7.2, 7.3, 7.4): always.
        reads_back: fn(&MigrationRequest) -> bool = |_| true,
        /// Returns which untruths in a destination's claims count, of all that were found (7.2, 7.3, 7.4).
        select_untruths: fn(Vec<Untruth>) -> Vec<Untruth> = |found| found,
        /// Returns whether the originals of a migration are deleted, by whether all of it was read back
        /// (7.2).
        deletes_originals: fn(bool) -> bool = |read_back| read_back,
        /// Returns whether originals may be deleted, by the status that the destination gives the migration (7.2).
        deletes_at: fn(&str) -> bool = |status| status == "completed",
        /// Deletes an original (7.2).
        delete_original: fn(&Transaction<'_>, &Step) -> Result<(), StoreError> = migrate::delete_original,
        /// Returns the kinds of a peer that a scan probes: those that it declares (6.4).
        select_probed_kinds: fn(Vec<String>) -> Vec<String> = |declared| declared,
        /// Returns whether a peer accepts a kind (6.4).
        accepts_kind: fn(&Peer, &str) -> bool = accepts_kind,
        /// Returns whether sync to a peer with an incompatible version is frozen (10.1).
        freezes: fn(&Compatibility) -> bool = Compatibility::is_frozen,
        /// Returns whether a record passes the declared filter on its way out (3.3).
        passes_filter: PassesFilter = |_, filter, record| capabilities::passes_filter(filter, &record.body),
        /// Returns the call that carries a batch, as a sync; `None` if there is no way to send it.
        carry_batch: CarryBatch = carry_batch,
        /// Policy hook on a batch before it is sent (6.3).
        override_batch: fn(&mut SyncBatch) = |_| (),
        /// Returns whether a sweep that the operator asks for sends the records of a declared kind (7.5).
        flows_in_sweeps: fn(&Capability) -> bool = sync::flows_out,
        /// Returns whether records of a declared kind are sent without an operator's request (7.5), by the
        /// time since the peer was enrolled.
        syncs_automatically: fn(&Capability, SignedDuration) -> bool = sync::syncs_automatically,
    }
}
