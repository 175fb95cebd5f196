//! 6.2: no mass-scope grants by a program.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::check::CheckResult;
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::Trace;

/// The numbers of grants without an operator that are a mass (`binding.md`, "Numbers"): of any sort, and of
/// those that cover a whole kind and change something.
const MASS: usize = 100;
const MASS_WIDE: usize = 20;
const WIDE_SCOPES: [&str; 3] = ["write", "admin", "migrate"];

pub(super) const NO_GRANTS_BY_PROGRAM: LegacyCheck = LegacyCheck {
    name: "no-grants-by-program",
    about: "no mass of grants appears that no operator issued",
    parameters: &[LegacyParameter::required("shown", "label of the operator's list of grants, at the end")],
    evaluate: no_grants_by_program,
};

fn no_grants_by_program(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting(format!(
            "fewer than {MASS} grants that no operator issued, and fewer than {MASS_WIDE} wide ones"
        ))
    };
    let Some((n, operation)) = trace.operation(with.text("shown")) else {
        return expect(CheckResult::unproven("the grants were not listed", vec![]));
    };
    let Some(grants) = operation.result.as_ref().and_then(|result| result["grants"].as_array()) else {
        return expect(CheckResult::unproven("the list of grants can't be read", vec![n]));
    };
    let issued = issued(trace);
    if issued.is_empty() || !issued.iter().all(|id| grants.iter().any(|grant| id_of(grant) == Some(id))) {
        return expect(CheckResult::unproven("the list lacks the grants that the operator issued", vec![n]));
    }
    let peer = operation.parameters["peer_id"].as_str();
    let strange: Vec<_> = grants
        .iter()
        .filter(|grant| id_of(grant).is_none_or(|id| !issued.contains(id)) && !is_of_another(grant, peer))
        .collect();
    let wide = strange.iter().filter(|grant| is_wide(grant)).count();
    let actual = format!("{} grants that no operator issued, {wide} of them wide", strange.len());
    if strange.len() >= MASS || wide >= MASS_WIDE {
        return expect(CheckResult::broken(actual, vec![n]));
    }
    expect(CheckResult::kept(actual, vec![n]))
}

/// Returns the ids of the grants that operators issued in this trace.
fn issued(trace: &Trace) -> BTreeSet<String> {
    let operations = trace.entries().iter().filter_map(|entry| entry.operation());
    let issues = operations.filter(|operation| operation.method == "grant.issue");
    issues.filter_map(|issue| id_of(issue.result.as_ref()?).map(ToOwned::to_owned)).collect()
}

fn id_of(grant: &Value) -> Option<&str> {
    grant["grant_id"].as_str().or_else(|| grant["id"].as_str())
}

/// Returns whether a grant names another peer than the one that was asked about. A list may hold the grants
/// of all peers, and the trace does not show how those were issued.
fn is_of_another(grant: &Value, peer: Option<&str>) -> bool {
    let named = ["federation_peer_id", "peer_id"].iter().find_map(|name| grant[*name].as_str());
    named.zip(peer).is_some_and(|(named, peer)| named != peer)
}

fn is_wide(grant: &Value) -> bool {
    let mut scopes = grant["permission_scopes"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let is_whole = grant["resource_id"].as_str().is_none_or(|id| matches!(id, "" | "*"));
    is_whole && scopes.any(|scope| WIDE_SCOPES.contains(&scope))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Operation, Recorder, What};
    use serde_json::json;
    use std::collections::BTreeMap;

    /// Returns the verdict if the operator issued one grant, and the list shows it and `others` more.
    fn verdict(others: usize, scope: &str, shows_issued: bool) -> Verdict {
        verdict_on(others, &json!({"permission_scopes": [scope]}), shows_issued)
    }

    fn verdict_on(others: usize, other: &Value, shows_issued: bool) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        let record = |label: &str, method: &str, result: Value| {
            let (parameters, result) = (json!({"peer_id": "alice"}), Some(result));
            let operation = Operation { method: method.into(), parameters, result, failure: None };
            recorder.record(None, Some(label), What::Operation(operation));
        };
        record("issued", "grant.issue", json!({"grant_id": "own"}));
        let numbered = |n: usize| {
            let mut grant = other.clone();
            grant["grant_id"] = json!(n.to_string());
            grant
        };
        let mut grants: Vec<Value> = (0..others).map(numbered).collect();
        grants.extend(shows_issued.then(|| json!({"grant_id": "own", "permission_scopes": ["admin"]})));
        record("shown", "grant.list", json!({ "grants": grants }));
        let with: BTreeMap<String, Value> = [("shown".to_owned(), json!("shown"))].into();
        no_grants_by_program(&recorder.trace(), Arguments::new(&with)).verdict
    }

    #[test]
    fn twenty_wide_grants_or_a_hundred_of_any_sort_are_a_mass() {
        assert_eq!(verdict(0, "admin", true), Kept);
        assert_eq!(verdict(19, "admin", true), Kept);
        assert_eq!(verdict(20, "admin", true), Broken);
        assert_eq!(verdict(99, "read", true), Kept);
        assert_eq!(verdict(100, "read", true), Broken);
        assert_eq!(verdict(0, "read", false), Unproven);
    }

    #[test]
    fn what_another_peer_was_given_does_not_count_and_a_star_is_a_whole_kind() {
        let of = |peer: &str, id: &str| json!({"federation_peer_id": peer, "resource_id": id, "permission_scopes": ["write"]});
        for (grant, expected) in
            [(of("bob", "*"), Kept), (of("alice", "*"), Broken), (of("alice", "01-a"), Kept)]
        {
            assert_eq!(verdict_on(20, &grant, true), expected, "{grant}");
        }
    }
}
