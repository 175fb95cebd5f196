//! The rows: peers, agreements, history.

mod agreements;
mod history;
mod peer;
mod traffic;

pub(crate) use agreements::{Capability, Grant, HeldGrant, KnownContract, OverlayAddress};
pub(crate) use history::{AuditEntry, Breach, Finding, OperatorEvent};
pub(crate) use peer::{Leaving, Peer, Side};
pub(crate) use traffic::{Compromise, Direction, ExcerptRequest, Migration, Notice, Stream};

use super::Row;

/// Every table of this shape.
pub(super) const TABLES: [&str; 16] = [
    "facts",
    Peer::TABLE,
    Grant::TABLE,
    HeldGrant::TABLE,
    Capability::TABLE,
    KnownContract::TABLE,
    OverlayAddress::TABLE,
    AuditEntry::TABLE,
    Breach::TABLE,
    Finding::TABLE,
    OperatorEvent::TABLE,
    Notice::TABLE,
    Migration::TABLE,
    Stream::TABLE,
    ExcerptRequest::TABLE,
    Compromise::TABLE,
];
