//! Where the two sides of a peering say that they are.

use serde_json::Value;

use crate::transcript::{Direction, Story};
use crate::wire::path::Route;

/// Where the peer and the target last said that they are before an entry, in a handshake or heartbeat
/// of either side or in the answer to it. None where one of them did not say.
pub(super) fn places_said(story: &Story, peer: &str, before: u64) -> Option<(Place, Place)> {
    let (mut theirs, mut ours) = (None, None);
    let calls = story.exchanges().filter(|(entry, exchange)| exchange.peer == peer && entry.n < before);
    for (_, call) in calls.filter(|(_, call)| call.succeeded()) {
        if !matches!(call.route(), Some(Route::Accept | Route::Heartbeat)) {
            continue;
        }
        let (sent, told) = (call.sent().and_then(Place::read), call.data().as_ref().and_then(Place::read));
        let (by_peer, by_target) = match call.direction {
            Direction::ToTarget => (sent, told),
            Direction::FromTarget => (told, sent),
        };
        theirs = Place::latest(theirs, by_peer);
        ours = Place::latest(ours, by_target);
    }
    theirs.zip(ours)
}

/// Where a platform says that it is. Which of the two a crossing goes by is open.
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

    /// What is said anew counts, and what was said before stands beside it.
    fn latest(before: Option<Self>, now: Option<Self>) -> Option<Self> {
        match (before, now) {
            (Some(before), Some(now)) => Some(Self {
                residency: now.residency.or(before.residency),
                jurisdiction: now.jurisdiction.or(before.jurisdiction),
            }),
            (before, now) => now.or(before),
        }
    }

    /// Every name that it goes by.
    pub(super) fn names(&self) -> Vec<&str> {
        [self.residency.as_deref(), self.jurisdiction.as_deref()].into_iter().flatten().collect()
    }

    /// None where the residencies say one thing, and the jurisdictions another, or where names differ by
    /// their case alone: either reading is lawful.
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
