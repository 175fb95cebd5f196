//! Commitment 4: notice of revocation.

mod grace;
mod notice;
mod silence;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::legacy::LegacyCheck;
use crate::check::legacy::LegacyParameter;
use covenant_model::transcript::Trace;

/// Statuses that refuse for now: a limit, a timeout.
const TRANSIENT_STATUS: [u16; 3] = [408, 425, 429];

const PARAMETERS: &[LegacyParameter] = &[
    LegacyParameter::required("peer", "the peer's name"),
    LegacyParameter::required("revoke", "label of the operation that revokes"),
    LegacyParameter::required("call", "label of the peer's calls after it"),
    LegacyParameter::optional(
        "away",
        "true where the peer was away meanwhile: it is told when it is back, torn down or not",
    ),
];

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "revoked-event-precedes-teardown",
        about: "a platform.peer.revoked event reaches the peer before its first refused call",
        parameters: PARAMETERS,
        evaluate: notice::event_before_tear_down,
    },
    LegacyCheck {
        name: "revoked-status-precedes-teardown",
        about: "a heartbeat whose status is revoked reaches the peer before its first refused call",
        parameters: PARAMETERS,
        evaluate: notice::status_before_tear_down,
    },
    LegacyCheck {
        name: "open-migrations-have-grace",
        about: "every open migration is taken within the grace after a revocation, and refused after it",
        parameters: &[
            LegacyParameter::required(
                "open",
                "labels of the calls that opened the migrations, as far as they were made",
            ),
            LegacyParameter::required(
                "revoke",
                "label of the operation that revokes, or of the peer's own notice",
            ),
            LegacyParameter::required("call", "label of the commits within the grace"),
            LegacyParameter::required("late", "label of the commits after the grace"),
            LegacyParameter::optional(
                "records",
                "label of the operator's list after the commits within the grace",
            ),
        ],
        evaluate: grace::grace_is_given,
    },
    LegacyCheck {
        name: "denied-grace-is-reported",
        about: "who refuses an open migration while the grace lasts is reported, who does so after it is not",
        parameters: &[
            LegacyParameter::required("peer", "the name of the peer that refuses within the grace"),
            LegacyParameter::required("revoke", "label of its notice"),
            LegacyParameter::required("before", "label of the scan before its notice"),
            LegacyParameter::required("after", "label of the scan after its refusal"),
            LegacyParameter::required("few", "the name of a peer that refuses just after the grace"),
            LegacyParameter::required(
                "apart_from",
                "the name of a peer that refuses long after it: kinds raised about it say nothing",
            ),
        ],
        evaluate: grace::cut_within_grace_is_noticed,
    },
    LegacyCheck {
        name: "silent-peer-is-marked",
        about: "a peer that is no longer there is reported, or shown in another state than one that is",
        parameters: &[
            LegacyParameter::required("peer", "the name of the peer that falls silent"),
            LegacyParameter::required("conforming", "the name of a peer that goes on as before"),
            LegacyParameter::required("before", "label of the scan before the silence"),
            LegacyParameter::required("after", "label of the scan after it"),
            LegacyParameter::required("shown", "label of peer.show of the silent one, after it"),
            LegacyParameter::required("default", "label of peer.show of the conforming one, after it"),
        ],
        evaluate: silence::silence_is_marked,
    },
];

fn at(trace: &Trace, n: u64) -> Option<Timestamp> {
    trace.entries().iter().find(|entry| entry.n == n).map(|entry| entry.at)
}

/// Returns the last entry before an operation began: the target's calls during an operation are recorded
/// before its result.
fn begun(trace: &Trace, operation: u64) -> u64 {
    let entries = trace.entries();
    let step = entries.iter().find(|entry| entry.n == operation).and_then(|entry| entry.step);
    let mut before = entries.iter().rev().filter(|entry| entry.n < operation);
    let last = before.find(|entry| entry.step.is_some() && entry.step != step);
    last.map_or(operation.saturating_sub(1), |entry| entry.n)
}
