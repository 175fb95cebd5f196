//! Commitment 11: the right of exit.

use serde_json::Value;

use super::common::outcome;
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::Story;

const BEFORE_AND_AFTER: &[Parameter] = &[
    Parameter::required("before", "label of the operator's list before the revocation"),
    Parameter::required("after", "label of the same list after it"),
];

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[
    Judge {
        name: "operator-can-revoke",
        about: "the operator's revocations are taken, and each peer is then shown as revoked",
        parameters: &[
            Parameter::required("revoke", "labels of the operations that revoke"),
            Parameter::required("shown", "labels of the operator's looks at those peers afterwards"),
        ],
        decide: operator_can_revoke,
    },
    Judge {
        name: "leave-is-honoured",
        about: "a peer's notice that it leaves is taken, and the peer is then shown as revoked",
        parameters: &[
            Parameter::required("call", "labels of the notices"),
            Parameter::required("shown", "labels of the operator's looks at those peers afterwards"),
        ],
        decide: leave_is_honoured,
    },
    Judge {
        name: "rows-remain",
        about: "everything that was listed before is listed afterwards, unchanged",
        parameters: BEFORE_AND_AFTER,
        decide: rows_remain,
    },
    Judge {
        name: "overlay-unmounted",
        about: "the peer's overlay addresses are mounted before, and none is afterwards",
        parameters: BEFORE_AND_AFTER,
        decide: overlay_unmounted,
    },
];

fn operator_can_revoke(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("every revocation taken, every peer revoked");
    let mut evidence = vec![];
    for label in with.texts("revoke") {
        let Some((n, operation)) = story.operation(label) else {
            return expect(Judgement::unproven(format!("{label:?} was not done"), evidence));
        };
        evidence.push(n);
        if let Some(failure) = &operation.failure {
            return expect(Judgement::broken(format!("{label:?} was refused: {failure:?}"), evidence));
        }
    }
    expect(all_shown_as_revoked(story, with, evidence))
}

fn leave_is_honoured(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("every notice taken, every peer revoked");
    let mut evidence = vec![];
    for label in with.texts("call") {
        let Some((n, exchange)) = story.exchanges_labelled(label).next_back() else {
            return expect(Judgement::unproven(format!("{label:?} was not sent"), evidence));
        };
        evidence.push(n);
        if exchange.was_refused() {
            return expect(Judgement::broken(format!("{label:?}: {}", outcome(exchange)), evidence));
        }
        if !exchange.succeeded() {
            return expect(Judgement::unproven(format!("{label:?}: {}", outcome(exchange)), evidence));
        }
    }
    expect(all_shown_as_revoked(story, with, evidence))
}

fn all_shown_as_revoked(story: &Story, with: Arguments<'_>, mut evidence: Vec<u64>) -> Judgement {
    let labels = with.texts("shown");
    for label in &labels {
        let shown = story.operation(label);
        let status = shown.and_then(|(_, operation)| operation.result.as_ref()?["peer"]["status"].as_str());
        let (Some((n, _)), Some(status)) = (shown, status) else {
            return Judgement::unproven(format!("{label:?} shows no status"), evidence);
        };
        evidence.push(n);
        // A revoked row may have been archived meanwhile; both have ended.
        if !matches!(status, "revoked" | "archived") {
            return Judgement::broken(format!("{label:?} shows the peer as {status}"), evidence);
        }
    }
    Judgement::kept(format!("{} peers are revoked", labels.len()), evidence)
}

fn rows_remain(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("every row of before, unchanged");
    let (Some((first, before)), Some((last, after))) =
        (rows(story, with.text("before")), rows(story, with.text("after")))
    else {
        return expect(Judgement::unproven("the lists could not be read", vec![]));
    };
    let evidence = vec![first, last];
    if before.is_empty() {
        return expect(Judgement::unproven("nothing was there to be kept", evidence));
    }
    let gone = before.iter().filter(|row| !after.contains(row)).count();
    if gone > 0 {
        let actual = format!("{gone} of {} rows are gone or changed", before.len());
        return expect(Judgement::broken(actual, evidence));
    }
    expect(Judgement::kept(format!("all {} rows are still there", before.len()), evidence))
}

fn overlay_unmounted(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("no address of the peer mounted");
    let (Some((first, before)), Some((last, after))) =
        (rows(story, with.text("before")), rows(story, with.text("after")))
    else {
        return expect(Judgement::unproven("the addresses could not be listed", vec![]));
    };
    let evidence = vec![first, last];
    if before.is_empty() {
        return expect(Judgement::unproven("the peer had no overlay address", evidence));
    }
    if after.is_empty() {
        return expect(Judgement::kept(format!("{} addresses were unmounted", before.len()), evidence));
    }
    expect(Judgement::broken(format!("{} addresses are still mounted", after.len()), evidence))
}

/// The rows of a list, whatever its member is called: a list operation's result has one array.
fn rows<'a>(story: &'a Story, label: &str) -> Option<(u64, &'a Vec<Value>)> {
    let (n, operation) = story.operation(label)?;
    let result = operation.result.as_ref()?;
    let listed = ["resources", "entries", "addresses"].iter().find_map(|name| result.get(name));
    Some((n, listed.unwrap_or(result).as_array()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Operation, Recorder, What};
    use serde_json::json;
    use std::collections::BTreeMap;

    type Decide = fn(&Story, Arguments<'_>) -> Judgement;

    fn verdict(decide: Decide, first: (&str, &Value), last: (&str, &Value)) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        for (label, result) in [first, last] {
            let operation = Operation {
                verb: "x".into(),
                parameters: json!({}),
                result: Some(result.clone()),
                failure: None,
            };
            recorder.record(None, Some(label), What::Operation(operation));
        }
        let with: BTreeMap<String, Value> =
            [first.0, last.0].iter().map(|name| ((*name).to_owned(), json!([name]))).collect();
        let lists: BTreeMap<String, Value> =
            [first.0, last.0].iter().map(|name| ((*name).to_owned(), json!(name))).collect();
        let with = if first.0 == "revoke" { with } else { lists };
        decide(&recorder.story(), Arguments::new(&with)).verdict
    }

    #[test]
    fn a_row_that_is_gone_or_changed_is_broken() {
        for (before, after, expected) in [
            (json!([1, 2]), json!([2, 1, 3]), Kept),
            (json!([1, 2]), json!([2]), Broken),
            (json!([{"a": 1}]), json!([{"a": 2}]), Broken),
            (json!([]), json!([]), Unproven),
        ] {
            let (before, after) = (json!({"entries": before}), json!({"entries": after}));
            assert_eq!(verdict(rows_remain, ("before", &before), ("after", &after)), expected);
        }
    }

    #[test]
    fn an_address_that_stays_is_broken_and_one_that_never_was_proves_nothing() {
        for (before, after, expected) in [
            (json!(["a"]), json!([]), Kept),
            (json!(["a"]), json!(["a"]), Broken),
            (json!([]), json!([]), Unproven),
        ] {
            let (before, after) = (json!({"addresses": before}), json!({"addresses": after}));
            assert_eq!(verdict(overlay_unmounted, ("before", &before), ("after", &after)), expected);
        }
    }

    #[test]
    fn a_peer_that_is_not_shown_as_revoked_is_broken() {
        for (status, expected) in [("revoked", Kept), ("active", Broken)] {
            let shown = json!({"peer": {"status": status}});
            let judged = verdict(operator_can_revoke, ("revoke", &json!({})), ("shown", &shown));
            assert_eq!(judged, expected, "{status}");
        }
        let nothing = verdict(operator_can_revoke, ("revoke", &json!({})), ("shown", &json!({})));
        assert_eq!(nothing, Unproven);
    }
}
