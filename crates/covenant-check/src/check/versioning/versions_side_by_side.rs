//! `versions-side-by-side`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::agreement::{
    agreed_version, contracts_listed, digests_of, is_row_of, is_same_digest, is_version_asked_for,
    requested_digest, requested_version,
};
use super::digests_are_stored::is_draft;
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::general::{is_accepted, is_rejected};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, labelled_calls};
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::path::Route;

/// The target agrees to each of two contract versions with the peer that asks for it, and serves both peers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct VersionsSideBySide {
    /// The `contract.list` of the operator.
    pub snapshot: Label,
    /// The accepts, one for each version.
    pub call: Labels,
    /// Valid calls of both peers, made afterwards. Beside heartbeats they are the same ones of each peer: what is refused to
    /// both shows nothing of the versions.
    pub probe: Label,
}

impl Check for VersionsSideBySide {
    const ID: &'static str = "versions-side-by-side";
    const EXPECTED: &'static [&'static str] = &["each version agreed to as asked, both peers served"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let accepts: Vec<Call<'_>> = labelled_calls(trace, &self.call).collect();
        let (listed, contracts) = contracts_listed(trace, &self.snapshot)?;
        let now = trace.time_of(listed);
        let is_in_force = |accept: &&Call<'_>| is_released(contracts, accept.exchange, now);
        if let Some(accept) = accepts.iter().find(|accept| !is_in_force(accept)) {
            let version = requested_version(accept.exchange);
            let actual = format!("the target does not have that version {version}");
            return Err(Stop::unproven(actual, [listed, accept.n()]));
        }
        for accept in &accepts {
            let requested = requested_version(accept.exchange);
            let agreed = agreed_version(accept.exchange);
            let is_other =
                agreed.as_ref().is_some_and(|agreed| is_version_asked_for(agreed, &requested) == Some(false));
            if is_rejected(accept.exchange) || is_other {
                let (agreed, answer) = (agreed.unwrap_or_default(), accept.summary());
                let actual = format!("asked for version {requested}: {answer}, agreed to {agreed}");
                return Err(Stop::broken(actual, [listed, accept.n()]));
            }
        }
        let open = |call: &&Call<'_>| !is_accepted(call.exchange);
        let neither = |call: &Call<'_>| {
            Stop::unproven(format!("neither accepted nor refused: {}", call.summary()), [call.n()])
        };
        if let Some(accept) = accepts.iter().find(open) {
            return Err(neither(accept));
        }
        let probes: Vec<Call<'_>> = calls(trace).labelled(&self.probe).collect();
        let mut left = None;
        for probe in probes.iter().filter(|probe| is_rejected(probe.exchange)) {
            let name = |call: &Call<'_>| call.route().map(|route| route.name());
            let mut same = probes.iter().filter(|other| name(other) == name(probe));
            let is_served =
                probe.route() == Some(Route::Heartbeat) || same.any(|it| is_accepted(it.exchange));
            let actual = format!("a peer is not served: {}", probe.summary());
            if is_served {
                return Err(Stop::broken(actual, [probe.n()]));
            }
            left.get_or_insert_with(|| Stop::unproven(format!("{actual}, and no peer is"), [probe.n()]));
        }
        if let Some(left) = left {
            return Err(left);
        }
        if let Some(probe) = probes.iter().find(open) {
            return Err(neither(probe));
        }
        let evidence = accepts.iter().chain(&probes).map(Call::n);
        if accepts.len() < 2 || probes.len() < 2 {
            return Err(Stop::unproven("there were not two peers", evidence));
        }
        if accepts.iter().any(|accept| agreed_version(accept.exchange).is_none()) {
            return Err(Stop::unproven("an answer names no agreed version", evidence));
        }
        Ok(Pass::new(format!("{} versions side by side", accepts.len()), evidence))
    }
}

/// Returns whether the version and the text that an accept asks for are in force: another text under the same
/// number is another version, and a draft is none yet.
fn is_released(contracts: &[Value], accept: &Exchange, now: Option<Timestamp>) -> bool {
    let requested = requested_version(accept);
    let has_its_text = |row: &Value| {
        let listed = digests_of(row);
        let is_listed = |requested| listed.iter().any(|digest| is_same_digest(digest, requested));
        listed.is_empty() || requested_digest(accept).is_none_or(is_listed)
    };
    let is_in_force = |row: &Value| row["deprecated_at"].is_null() && !is_draft(row, now);
    contracts.iter().any(|row| is_row_of(row, &requested) && is_in_force(row) && has_its_text(row))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::contract::V1_2026_05;
    use serde_json::json;

    fn accept(requested: u64, status: u16, agreed: u64) -> Exchange {
        let data = json!({"peer_id": "1", "contract_version_agreed": agreed, "contract_digest": "ab"});
        Exchange::to_target("alice")
            .on("POST", "accept")
            .sending(json!({"contract_version": requested, "contract_digest": "AB"}))
            .answered_with(status, json!({ "data": data }))
    }

    fn heartbeat(status: u16) -> Exchange {
        Exchange::to_target("alice")
            .on("POST", "heartbeat")
            .sending(json!({}))
            .answered_with(status, json!({"data": {}}))
    }

    #[test]
    fn a_released_version_that_the_target_does_not_agree_to_or_serve_is_broken() {
        let side_by_side = |listed: Value, (status, agreed): (u16, u64), alive: u16| {
            TraceBuilder::new()
                .operation("listed", "contract.list", listed)
                .call("accepted", accept(1, 200, 1))
                .call("accepted", accept(2, status, agreed))
                .call("alive", heartbeat(200))
                .call("alive", heartbeat(alive))
                .verdict::<VersionsSideBySide>(
                    json!({"snapshot": "listed", "call": "accepted", "probe": "alive"}),
                )
        };
        let both = json!([{"version": 1}, {"version": 2}]);
        assert_eq!(side_by_side(both.clone(), (200, 2), 200), Kept);
        assert_eq!(side_by_side(both.clone(), (422, 0), 200), Broken);
        assert_eq!(side_by_side(both.clone(), (200, 1), 200), Broken);
        assert_eq!(side_by_side(both.clone(), (200, 2), 401), Broken);
        for status in [204, 408, 429, 503] {
            assert_eq!(side_by_side(both.clone(), (status, 2), 200), Unproven, "{status}");
        }
        assert_eq!(side_by_side(both.clone(), (429, 2), 401), Unproven, "it never joined");
        assert_eq!([429, 503, 504].map(|alive| side_by_side(both.clone(), (200, 2), alive)), [Unproven; 3]);
        assert_eq!(side_by_side(json!([{"version": 1}]), (422, 0), 200), Unproven);
        let another = json!([{"version": 1}, {"version": 2, "digest": V1_2026_05.digest}]);
        assert_eq!(side_by_side(another, (422, 0), 200), Unproven);
        for unreleased in [json!({"status": "draft"}), json!({"effective_at": "2026-06-02"})] {
            let mut second = unreleased.clone();
            second["version"] = json!(2);
            let listed = json!([{"version": 1}, second]);
            assert_eq!(side_by_side(listed, (422, 0), 200), Unproven, "{unreleased} is not in force");
        }
    }

    #[test]
    fn work_that_only_one_of_the_peers_may_do_is_broken() {
        let read = |one: u16, two: u16| {
            let fetch = |peer: &str, status: u16| {
                Exchange::to_target(peer).on("GET", "resources/skill/a").answered_with(status, json!({}))
            };
            TraceBuilder::new()
                .operation("listed", "contract.list", json!([{"version": 1}, {"version": 2}]))
                .call("accepted", accept(1, 200, 1))
                .call("accepted", accept(2, 200, 2))
                .call("alive", fetch("alice", one))
                .call("alive", fetch("bob", two))
                .verdict::<VersionsSideBySide>(
                    json!({"snapshot": "listed", "call": "accepted", "probe": "alive"}),
                )
        };
        assert_eq!([read(200, 200), read(403, 200), read(200, 403)], [Kept, Broken, Broken]);
        assert_eq!(read(403, 403), Unproven, "it serves no one's reads");
    }
}
