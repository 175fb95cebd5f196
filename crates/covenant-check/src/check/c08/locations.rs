//! The locations of data that the two sides of a peering report.

use serde_json::Value;

use crate::check::query::{CallQuery, calls};
use crate::check::text::is_blank;
use covenant_model::operator::{OperatorMethod, release};
use covenant_model::transcript::{Direction, Trace};
use covenant_model::wire::path::Route;

/// The locations of the two sides of a peering.
pub(super) struct Locations {
    /// The location of the peer.
    pub(super) peer: Location,
    /// The location of the target.
    pub(super) target: Location,
}

/// Returns the locations that the peer and the target last reported before an entry, in a handshake or
/// heartbeat of either side or in the answer to it. Returns `None` if one of them reported none.
pub(super) fn last_locations(trace: &Trace, peer: &str, before: u64) -> Option<Locations> {
    let (mut of_peer, mut of_target) = (None, None);
    for report in reports(trace, peer, before) {
        of_peer = Location::latest(of_peer, report.peer);
        of_target = Location::latest(of_target, report.target);
    }
    Some(Locations { peer: of_peer?, target: of_target? })
}

/// Returns whether the target's operator has moved its data since the target last reported its residency to
/// this peer.
pub(super) fn has_unreported_move(trace: &Trace, peer: &str, before: u64) -> bool {
    let moves = trace.operations([release::SetResidency::METHOD]).take_while(|(n, _)| *n < before);
    let moves = moves.filter(|(_, operation)| operation.failure.is_none());
    let has_residency =
        |report: &Report| report.target.as_ref().is_some_and(|location| location.residency.is_some());
    let reported = reports(trace, peer, before).filter(has_residency);
    moves.map(|(n, _)| n).max() > reported.map(|report| report.n).max()
}

/// The locations that one exchange reports.
struct Report {
    n: u64,
    peer: Option<Location>,
    target: Option<Location>,
}

/// Returns the reports of a peering before an entry.
fn reports(trace: &Trace, peer: &str, before: u64) -> impl Iterator<Item = Report> {
    let reporting = calls(trace).of(peer).before(before).accepted();
    let reporting = reporting.filter(|call| matches!(call.route(), Some(Route::Accept | Route::Heartbeat)));
    reporting.map(|call| {
        let sent = call.exchange.sent().and_then(Location::read);
        let answered = call.exchange.data().as_ref().and_then(Location::read);
        match call.exchange.direction {
            Direction::ToTarget => Report { n: call.n(), peer: sent, target: answered },
            Direction::FromTarget => Report { n: call.n(), peer: answered, target: sent },
        }
    })
}

/// The location that a platform reports. It is open which of the two members decides about a crossing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Location {
    residency: Option<String>,
    jurisdiction: Option<String>,
}

impl Location {
    fn read(body: &Value) -> Option<Self> {
        let text =
            |value: &Value| value.as_str().filter(|text| !is_blank(text)).map(|text| text.trim().to_owned());
        let metadata = &body["metadata"];
        let residency = text(&body["data_residency"]).or_else(|| text(&metadata["data_residency"]));
        let jurisdiction = text(&metadata["jurisdiction"]);
        (residency.is_some() || jurisdiction.is_some()).then_some(Self { residency, jurisdiction })
    }

    /// Merges two reports: a later value replaces an earlier one, and an earlier value remains if the later
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

    /// Returns all names of the location.
    pub(super) fn names(&self) -> Vec<&str> {
        [self.residency.as_deref(), self.jurisdiction.as_deref()].into_iter().flatten().collect()
    }

    /// Returns whether two locations differ. Returns `None` if the residencies and the jurisdictions
    /// disagree, or if names differ by their case alone: either reading is valid.
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
