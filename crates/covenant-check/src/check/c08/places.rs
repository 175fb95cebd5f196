//! The places that the two sides of a peering report.

use serde_json::Value;

use covenant_model::transcript::{Direction, Trace};
use covenant_model::wire::path::Route;

/// Returns the places that the peer and the target last reported before an entry, in a handshake or heartbeat
/// of either side or in the answer to it. Returns `None` if one of them reported none.
pub(super) fn places_said(trace: &Trace, peer: &str, before: u64) -> Option<(Place, Place)> {
    let (mut theirs, mut ours) = (None, None);
    for (_, by_peer, by_target) in words(trace, peer, before) {
        theirs = Place::latest(theirs, by_peer);
        ours = Place::latest(ours, by_target);
    }
    theirs.zip(ours)
}

/// Returns whether the target's operator has moved its data since it last reported their residency to this
/// peer.
pub(super) fn has_moved_unsaid(trace: &Trace, peer: &str, before: u64) -> bool {
    let moves = trace.entries().iter().filter(|entry| {
        entry.n < before
            && entry
                .operation()
                .is_some_and(|operation| operation.method == "residency.set" && operation.failure.is_none())
    });
    let recorded = words(trace, peer, before)
        .filter(|(_, _, ours)| ours.as_ref().is_some_and(|ours| ours.residency.is_some()));
    moves.map(|entry| entry.n).max() > recorded.map(|(n, _, _)| n).max()
}

/// Returns the places that the peer and the target reported before an entry, each with the number of its
/// entry.
fn words<'a>(
    trace: &'a Trace,
    peer: &'a str,
    before: u64,
) -> impl Iterator<Item = (u64, Option<Place>, Option<Place>)> + 'a {
    let calls = trace.exchanges().filter(move |(entry, call)| {
        let says_places = matches!(call.route(), Some(Route::Accept | Route::Heartbeat));
        call.peer == peer && entry.n < before && says_places && call.succeeded()
    });
    calls.map(|(entry, call)| {
        let (sent, recorded) =
            (call.sent().and_then(Place::read), call.data().as_ref().and_then(Place::read));
        match call.direction {
            Direction::ToTarget => (entry.n, sent, recorded),
            Direction::FromTarget => (entry.n, recorded, sent),
        }
    })
}

/// The place that a platform reports. It is open which of the two members decides about a crossing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    residency: Option<String>,
    jurisdiction: Option<String>,
}

impl Place {
    fn read(said: &Value) -> Option<Self> {
        let text = |value: &Value| {
            value.as_str().filter(|text| !text.trim().is_empty()).map(|text| text.trim().to_owned())
        };
        let metadata = &said["metadata"];
        let residency = text(&said["data_residency"]).or_else(|| text(&metadata["data_residency"]));
        let jurisdiction = text(&metadata["jurisdiction"]);
        (residency.is_some() || jurisdiction.is_some()).then_some(Self { residency, jurisdiction })
    }

    /// Merges two reports: a later value replaces an earlier one, and an earlier value stays if the later
    /// report omits it.
    fn latest(before: Option<Self>, now: Option<Self>) -> Option<Self> {
        match (before, now) {
            (Some(before), Some(now)) => Some(Self {
                residency: now.residency.or(before.residency),
                jurisdiction: now.jurisdiction.or(before.jurisdiction),
            }),
            (before, now) => now.or(before),
        }
    }

    /// Returns all names of the place.
    pub(super) fn names(&self) -> Vec<&str> {
        [self.residency.as_deref(), self.jurisdiction.as_deref()].into_iter().flatten().collect()
    }

    /// Returns whether two places differ. Returns `None` if the residencies and the jurisdictions disagree,
    /// or if names differ by their case alone: either reading is valid.
    pub(super) fn differs_from(&self, other: &Self) -> Option<bool> {
        let by_case = |one: &str, other: &str| one != other && one.eq_ignore_ascii_case(other);
        let (one, other_one) = (self.residency.as_ref()?, other.residency.as_ref()?);
        if by_case(one, other_one) {
            return None;
        }
        let by_residency = one != other_one;
        let jurisdictions = self.jurisdiction.as_ref().zip(other.jurisdiction.as_ref());
        let by_jurisdiction = jurisdictions.map(|(one, other)| !one.eq_ignore_ascii_case(other));
        by_jurisdiction.is_none_or(|differs| differs == by_residency).then_some(by_residency)
    }
}
