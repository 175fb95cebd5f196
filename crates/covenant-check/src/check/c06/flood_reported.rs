//! `flood-reported`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::flood::is_flood;
use crate::check::arguments::{Label, PeerName, PeerOrJoin};
use crate::check::definition::Check;
use crate::check::general::FindingRaised;
use crate::check::outcome::Outcome;
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// The target reports a flood, if there was one: a finding about the peer is there that was not before.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct FloodReported {
    /// The flooding calls.
    pub call: Label,
    /// The peer that floods, or its proposal.
    pub peer: PeerOrJoin,
    /// The scan before the flood.
    pub before: Label,
    /// The scan after the flood.
    pub after: Label,
    /// A peer that did nothing wrong.
    pub conforming: PeerName,
    /// A peer that made a few such calls: kinds raised about it too prove nothing.
    pub excluding: Option<PeerName>,
}

impl Check for FloodReported {
    const ID: &'static str = "flood-reported";
    const EXPECTED: &'static [&'static str] = FindingRaised::EXPECTED;

    fn evaluate(&self, trace: &Trace) -> Outcome {
        self.finding().evaluate(trace).map_err(|stop| match self.not_due_because(trace) {
            Some(reason) => stop.into_unproven(reason),
            None => stop,
        })
    }
}

impl FloodReported {
    /// Returns the check that a finding is raised about the peer.
    fn finding(&self) -> FindingRaised {
        FindingRaised {
            excluding: self.excluding.clone(),
            by_number: true,
            ..FindingRaised::about(self.peer.clone(), [&self.before, &self.after], Some(&self.conforming))
        }
    }

    /// Returns why a finding need not be raised. Returns `None` if it is due.
    fn not_due_because(&self, trace: &Trace) -> Option<&'static str> {
        // The target need not know whose calls these are when the token is used up (`binding.md`,
        // reading 15).
        let shows_used_token = |call: Call<'_>| {
            let is_unknown = call.exchange.status() == Some(401);
            call.route() == Some(Route::Accept) && (call.exchange.succeeded() || is_unknown)
        };
        if !is_flood(trace, &self.call) {
            return Some("the calls took longer than 60 s: there was no flood");
        }
        let is_used = calls(trace).labelled(&self.call).any(shows_used_token);
        is_used.then_some("the token was used up: these calls need not be known as the peer's")
    }
}
