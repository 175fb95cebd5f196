//! `overlay-unmounted`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::lists::rows;
use super::revoked::is_revoked;
use super::row::is_called;
use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use covenant_model::transcript::Trace;

/// The words for an overlay address that is no longer mounted; with `_at`, the time of the unmounting.
const UNMOUNTED: [&str; 15] = [
    "unmounted",
    "released",
    "removed",
    "revoked",
    "suspended",
    "detached",
    "deleted",
    "disabled",
    "inactive",
    "deactivated",
    "withdrawn",
    "ended",
    "expired",
    "retired",
    "archived",
];

/// The peer's overlay addresses are mounted before, and none of them is once the peer is revoked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct OverlayUnmounted {
    /// The operator's list of addresses before the revocation.
    pub before: Label,
    /// The same list after it.
    pub after: Label,
    /// The operator's snapshot of the peer after the revocation.
    pub snapshot: Option<Label>,
}

impl Check for OverlayUnmounted {
    const ID: &'static str = "overlay-unmounted";
    const EXPECTED: &'static [&'static str] = &["no address of the peer mounted"];
    const CONTROL: Option<&'static str> = Some("addresses of the peer were listed as mounted before");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let list = |label: &str| addresses(trace, label).or_unproven("the addresses could not be listed");
        let (first, earlier) = list(&self.before)?;
        let (last, later) = list(&self.after)?;
        let (before, after) = (states_left(&earlier), states_left(&later));
        let evidence = [first, last];
        // A peer that is not revoked at all is reported by clause 11.1.
        if self.snapshot.as_ref().is_some_and(|label| !is_revoked(trace, label)) {
            return Err(Stop::unproven("the peer is not revoked", evidence));
        }
        if before.is_empty() {
            return Err(Stop::unproven("the peer had no overlay address", evidence));
        }
        let is_mounted = |state: &&Option<String>| state.is_none() || before.contains(state);
        match (after.iter().filter(is_mounted).count(), after.iter().flatten().next()) {
            (0, None) => Ok(Pass::new(format!("{} addresses were unmounted", before.len()), evidence)),
            (0, Some(state)) => {
                let actual = format!("an address is {state}, which may mean that it is mounted");
                Err(Stop::unproven(actual, evidence))
            }
            (mounted, _) => Err(Stop::broken(format!("{mounted} addresses are still mounted"), evidence)),
        }
    }
}

/// Returns the addresses of the requested peer: a list may contain those of others too.
fn addresses<'a>(trace: &'a Trace, label: &str) -> Option<(u64, Vec<&'a Value>)> {
    let (_, operation) = trace.operation(label)?;
    let (n, mut rows) = rows(trace, label)?;
    rows.retain(|row| {
        let owner = row["peer_id"].as_str().or(row["federation_peer_id"].as_str());
        owner.is_none_or(|owner| operation.parameters["peer_id"] == owner)
    });
    Some((n, rows))
}

/// Returns the states of the addresses that are not reported as unmounted; `None` for a row without a state.
fn states_left(addresses: &[&Value]) -> Vec<Option<String>> {
    addresses.iter().filter(|row| !was_unmounted(row)).map(|row| state_of(row)).collect()
}

/// Returns whether a row says that its address is no longer mounted.
fn was_unmounted(row: &Value) -> bool {
    row["mounted"] == false || row["active"] == false || is_called(row, &UNMOUNTED)
}

/// Returns the state in a row.
fn state_of(row: &Value) -> Option<String> {
    row["status"].as_str().or(row["state"].as_str()).map(|state| state.trim().to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    #[test]
    fn an_address_that_remains_is_broken_and_one_that_never_was_proves_nothing() {
        let row = |status: &str| json!({"address": "a", "status": status});
        for (before, after, expected) in [
            (json!(["a"]), json!([]), Kept),
            (json!(["a"]), json!(["a"]), Broken),
            (json!([]), json!([]), Unproven),
            (json!(["a"]), json!([{"address": "a", "mounted": false}]), Kept),
            (json!(["a"]), json!([{"address": "b", "peer_id": "someone else"}]), Kept),
            (json!([row("active")]), json!([row("active")]), Broken),
            (json!([row("active")]), json!([row("Active")]), Broken),
            (json!([row("active")]), json!([{"address": "a"}]), Broken),
            (json!([row("active")]), json!([row("revoked")]), Kept),
            (json!([row("active")]), json!([row("Unmounted")]), Kept),
            (json!([row("active")]), json!([row("going")]), Unproven),
            (json!([row("active")]), json!([row("going"), row("active")]), Broken),
            (json!(["a"]), json!([{"address": "a", "removed_at": "2026-06-01T00:00:00Z"}]), Kept),
            (json!(["a"]), json!([{"address": "a", "removed_at": null}]), Broken),
            (json!([row("suspended")]), json!([]), Unproven),
        ] {
            let verdict = TraceBuilder::new()
                .operation("before", "x", json!({ "addresses": before }))
                .operation("after", "x", json!({ "addresses": after }))
                .verdict::<OverlayUnmounted>(json!({"before": "before", "after": "after"}));
            assert_eq!(verdict, expected, "{before} {after}");
        }
    }

    #[test]
    fn the_overlay_of_a_peer_that_is_not_revoked_proves_nothing() {
        let mounted = json!({"addresses": ["a"]});
        let verdict = TraceBuilder::new()
            .operation("before", "x", mounted.clone())
            .operation("snapshot", "x", json!({"peer": {"status": "active"}}))
            .operation("after", "x", mounted)
            .verdict::<OverlayUnmounted>(
                json!({"before": "before", "after": "after", "snapshot": "snapshot"}),
            );
        assert_eq!(verdict, Unproven);
    }
}
