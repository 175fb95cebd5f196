//! Commitment 11: the right of exit.

use jiff::Timestamp;
use serde_json::Value;

use super::common::{outcome, refused};
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement, Verdict};
use crate::transcript::{Direction, Story};
use crate::wire::notice::kind;

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
        name: "refused-from-the-notice",
        about: "calls after the notice of a revocation, and its date, are refused; their lawful twin was accepted",
        parameters: &[
            Parameter::required("peer", "the name of the peer that was revoked"),
            Parameter::required("revoke", "label of the operation that revokes"),
            Parameter::required("call", "label of the calls that have to be refused"),
            Parameter::required("twin", "label of the same calls before it"),
            Parameter::required("probe", "label of another peer's calls at that time"),
        ],
        decide: refused_from_the_notice,
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
    let mut failed = None;
    for label in with.texts("call") {
        let Some((n, exchange)) = story.exchanges_labelled(label).next_back() else {
            return expect(Judgement::unproven(format!("{label:?} was not sent"), evidence));
        };
        evidence.push(n);
        if exchange.was_refused() {
            return expect(Judgement::broken(format!("{label:?}: {}", outcome(exchange)), evidence));
        }
        if !exchange.succeeded() {
            failed.get_or_insert(format!("{label:?}: {}", outcome(exchange)));
        }
    }
    let shown = all_shown_as_revoked(story, with, evidence.clone());
    match failed {
        // Taken all the same: that the answer failed is not what the clause is about.
        Some(actual) if shown.verdict == Verdict::Kept => expect(Judgement::unproven(actual, evidence)),
        _ => expect(shown),
    }
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

/// A tear-down may wait for its notice, and a notice may name a later moment.
fn refused_from_the_notice(story: &Story, with: Arguments<'_>) -> Judgement {
    let open = |why: &str| Judgement::unproven(why, vec![]).expecting("refused once the peer was told");
    if story.operation(with.text("revoke")).is_none() {
        return open("the target's operator did not revoke");
    }
    let Some((call, _)) =
        story.exchanges().find(|(entry, _)| entry.label.as_deref() == Some(with.text("call")))
    else {
        return open("no call was made after it");
    };
    let told = story.exchanges_of(with.text("peer"), Direction::FromTarget);
    let notice = told.filter(|(entry, _)| entry.n < call.n).find_map(|(_, exchange)| {
        let events = exchange.sent()?["events"].as_array()?;
        events.iter().find(|event| event["kind"] == kind::PEER_REVOKED).cloned()
    });
    let Some(notice) = notice else { return open("the peer was not told of it before its calls") };
    let effective_at =
        notice["payload"]["effective_at"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    if effective_at.is_some_and(|effective_at| effective_at > call.at) {
        return open("the notice names a later moment");
    }
    refused(story, with)
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
