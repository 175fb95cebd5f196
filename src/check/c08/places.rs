//! Where the two sides of a peering say that they are.

use serde_json::Value;

use crate::transcript::{Direction, Story};
use crate::wire::path::Route;

/// Where the peer, and in its answer the target, said to be in the last heartbeat before.
pub(super) fn places_said(story: &Story, peer: &str, before: u64) -> Option<(Place, Place)> {
    let said = story.exchanges_of(peer, Direction::ToTarget).take_while(|(entry, _)| entry.n < before);
    let beats = said.filter(|(_, exchange)| exchange.route() == Some(Route::Heartbeat));
    beats.filter_map(|(_, beat)| Some((Place::read(beat.sent()?)?, Place::read(&beat.data()?)?))).last()
}

/// Where a platform says that it is. Which of the two a crossing goes by is open.
pub(super) struct Place {
    pub(super) residency: String,
    jurisdiction: Option<String>,
}

impl Place {
    fn read(said: &Value) -> Option<Self> {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let metadata = &said["metadata"];
        let residency = text(&said["data_residency"]).or_else(|| text(&metadata["data_residency"]))?;
        Some(Self { residency, jurisdiction: text(&metadata["jurisdiction"]) })
    }

    /// Every name that it goes by.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        [Some(self.residency.as_str()), self.jurisdiction.as_deref()].into_iter().flatten()
    }

    /// None where the residencies say one thing, and the jurisdictions another, or where names differ by
    /// their case alone: either reading is lawful.
    pub(super) fn differs_from(&self, other: &Self) -> Option<bool> {
        let by_case = |one: &str, other: &str| one != other && one.eq_ignore_ascii_case(other);
        if by_case(&self.residency, &other.residency) {
            return None;
        }
        let by_residency = !self.residency.eq_ignore_ascii_case(&other.residency);
        let jurisdictions = self.jurisdiction.as_ref().zip(other.jurisdiction.as_ref());
        let by_jurisdiction = jurisdictions.map(|(one, other)| !one.eq_ignore_ascii_case(other));
        by_jurisdiction.is_none_or(|differs| differs == by_residency).then_some(by_residency)
    }
}
