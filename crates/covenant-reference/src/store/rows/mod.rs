//! The rows: peers, agreements, history, traffic, and the table of each.

mod agreements;
mod history;
mod peer;
mod traffic;

pub(crate) use agreements::{Capability, Grant, HeldGrant, KnownContract, OverlayAddress};
pub(crate) use history::{AuditEntry, Breach, Finding, OperatorEvent};
pub(crate) use peer::{Peer, PendingRevocation, Side};
pub(crate) use traffic::{Compromise, Direction, ExcerptRequest, Migration, Notice, Stream};

use super::facts::Fact;
use super::table::Row;

/// Implements [`Row`] for each kind of row: the name of its table and, if it belongs to a peer, that peer's id.
macro_rules! tables {
    ($($row:ty: $table:literal $(, |$this:ident| $peer_id:expr)?;)*) => {
        /// The name of every table of this shape.
        pub(super) const TABLES: &[&str] = &[$($table,)*];

        $(impl Row for $row {
            const TABLE: &'static str = $table;

            fn id(&self) -> &str {
                &self.id
            }

            $(fn peer_id(&self) -> Option<&str> {
                let $this = self;
                $peer_id
            })?
        })*
    };
}

tables! {
    Fact: "facts";
    Peer: "peers";
    Grant: "grants", |grant| Some(&grant.peer_id);
    HeldGrant: "held_grants", |grant| Some(&grant.peer_id);
    Capability: "capabilities", |capability| capability.peer_id.as_deref();
    KnownContract: "contracts";
    OverlayAddress: "overlay_addresses", |address| Some(&address.peer_id);
    AuditEntry: "audit", |entry| Some(&entry.federation_peer_id);
    Breach: "breaches", |breach| Some(&breach.peer_id);
    Finding: "findings", |finding| finding.federation_peer_id.as_deref();
    OperatorEvent: "events", |event| event.federation_peer_id.as_deref();
    Notice: "notices", |notice| Some(&notice.peer_id);
    Migration: "migrations", |migration| Some(&migration.peer_id);
    Stream: "streams", |stream| Some(&stream.peer_id);
    ExcerptRequest: "excerpt_requests", |request| Some(&request.peer_id);
    Compromise: "compromises";
}
