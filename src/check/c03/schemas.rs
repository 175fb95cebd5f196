//! 3.2: declared schema versions are run.

use crate::check::common::{LATER, is_same_number, outcome};
use crate::check::judge::Parameter;
use crate::check::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Exchange, Story};
use crate::wire::capability::CapabilityDocument;

pub(super) const DECLARED_SCHEMA_IS_RUN: Judge = Judge {
    name: "declared-schema-is-run",
    about: "a migration that carries the declared schema version is taken, as one that carries none is",
    parameters: &[
        Parameter::required("call", "label of the migration that carries the declared version"),
        Parameter::required("twin", "label of the same migration that carries none"),
    ],
    decide: declared_schema_is_run,
};

fn declared_schema_is_run(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("2xx for the migration, as for its twin");
    let call = story.exchanges_labelled(with.text("call")).next();
    let twin = story.exchanges_labelled(with.text("twin")).next();
    let (Some((n, call)), Some((twin_n, twin))) = (call, twin) else {
        return expect(Judgement::unproven("the two migrations were not sent", vec![]));
    };
    let evidence = vec![twin_n, n];
    match (call.succeeded(), twin.succeeded()) {
        (true, _) => expect(Judgement::kept(outcome(call), evidence)),
        (false, true) if !is_declared(story, call) => {
            let actual = "the version was refused, which is not the one that the target told the peer of";
            expect(Judgement::unproven(actual, evidence))
        }
        (false, true) if call.status().is_some_and(|status| !LATER.contains(&status)) => {
            let actual = format!("the declared version: {}; none: {}", outcome(call), outcome(twin));
            expect(Judgement::broken(actual, evidence))
        }
        _ => expect(Judgement::unproven(format!("neither was taken: {}", outcome(twin)), evidence)),
    }
}

/// Whether a migration carries the version that the target last told the peer it runs, as it told it: one may be
/// kept in another form than it was given in.
fn is_declared(story: &Story, migration: &Exchange) -> bool {
    let told = story
        .exchanges_of(&migration.peer, Direction::ToTarget)
        .filter_map(|(_, exchange)| CapabilityDocument::read(exchange.data()?.get("capabilities")?));
    let Some(plan) = migration.sent() else { return false };
    let version = &plan["plan_summary"]["schema_version"];
    let kind = plan["root_resource_kind"].as_str().unwrap_or_default();
    let told = told.filter_map(|document| Some(document.row(kind)?.schema_version.clone())).next_back();
    told.is_some_and(|told| is_same_number(Some(&told), Some(version)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::clock::Clock;
    use crate::transcript::{Recorder, What};
    use serde_json::{Value, json};

    /// The verdict on a target that says so of its schema, and answers so to version 2.
    fn verdict(told: &Value, status: u16) -> Verdict {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let record = |label: &str, sent: &Value, status: u16, body: &Value| {
            let exchange =
                Exchange::to_target("alice").sending(sent.clone()).answered_with(status, body.clone());
            recorder.record(None, Some(label), What::Exchange(exchange));
        };
        let rows = json!([{"kind": "skill", "schema_version": told}]);
        record("told", &json!({}), 200, &json!({"data": {"capabilities": {"resource_kinds": rows}}}));
        let plan = |summary: Value| json!({"root_resource_kind": "skill", "plan_summary": summary});
        record("plain", &plan(json!({})), 201, &json!({"data": {}}));
        record("versioned", &plan(json!({"schema_version": 2})), status, &json!({}));
        let with = [("call", "versioned"), ("twin", "plain")]
            .map(|(name, label)| (name.to_owned(), json!(label)))
            .into();
        declared_schema_is_run(&recorder.story(), Arguments::new(&with)).verdict
    }

    #[test]
    fn the_version_that_was_told_has_to_be_taken_and_no_other() {
        assert_eq!(verdict(&json!(2), 201), Kept);
        assert_eq!(verdict(&json!(2.0), 422), Broken);
        assert_eq!(verdict(&json!("2.0.0"), 422), Unproven, "that is what it would have taken");
        assert_eq!(verdict(&json!(2), 429), Unproven);
    }
}
