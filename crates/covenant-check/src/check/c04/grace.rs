//! The grace after a revocation.

use jiff::{SignedDuration, Timestamp};

use super::notice::{has_event, has_status};
use super::revocation::{last_before, time_of};
use crate::check::query::{Call, CallQuery, calls, events};
use covenant_model::clock::read_moment;
use covenant_model::transcript::Trace;
use covenant_model::wire::notice::kind;

/// The period in which a migration in flight may still be finished.
const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// The last part of the grace. If no commit in time falls into it, the target may have cut the grace short.
const LAST_PART: SignedDuration = SignedDuration::from_secs(30);

/// The start of the grace: the earliest and the latest one, if readings differ.
pub(super) struct Grace {
    earliest: Timestamp,
    latest: Timestamp,
}

impl Grace {
    /// Returns the grace of a peer after a revocation. It starts at the later of two times: that of the notice,
    /// of the target or of the peer, and the time that the notice names. Without a notice it starts at the
    /// revocation.
    pub(super) fn of(trace: &Trace, revoked: u64, peer: &str) -> Option<Self> {
        let before = last_before(trace, revoked);
        let own = calls(trace).find(|call| call.n() == revoked);
        let of_target = || {
            let mut sent = calls(trace).of(peer).made_by_target().after(before);
            sent.find(|call| has_event(call.exchange) || has_status(call.exchange))
        };
        let notice = own.or_else(of_target);
        let named = notice.and_then(effective_at);
        let times = [Some(time_of(trace, revoked)?), notice.map(|notice| notice.at()), named];
        let earliest = time_of(trace, before)?;
        let latest = times.into_iter().flatten().max()?;
        Some(Self { earliest: named.map_or(earliest, |named| named.max(earliest)), latest })
    }

    /// Returns whether the grace is over at this time by some reading.
    pub(super) fn may_be_over(&self, at: Timestamp) -> bool {
        at.duration_since(self.earliest) >= GRACE
    }

    /// Returns whether the grace is over at this time by every reading.
    pub(super) fn is_over(&self, at: Timestamp) -> bool {
        at.duration_since(self.latest) >= GRACE
    }

    /// Returns whether this time is in the last part of the grace or after it.
    pub(super) fn is_in_last_part(&self, at: Timestamp) -> bool {
        at.duration_since(self.earliest) >= GRACE - LAST_PART
    }

    /// Returns whether at least this much of the grace is left at this time by every reading.
    pub(super) fn is_left(&self, at: Timestamp, least: SignedDuration) -> bool {
        at.duration_since(self.earliest) <= GRACE - least
    }
}

/// Returns the time from which the revocation is in force, according to its event.
fn effective_at(notice: Call<'_>) -> Option<Timestamp> {
    let event = events(&notice.exchange.request).find(|event| event["kind"] == kind::PEER_REVOKED)?;
    let times = [&event["payload"]["effective_at"], &event["effective_at"]];
    times.into_iter().find_map(|time| read_moment(time.as_str()?))
}
