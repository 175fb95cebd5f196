//! 3.2: declared schema versions are run.

use crate::check::common::outcome;
use crate::check::judge::Parameter;
use crate::check::{Arguments, Judge, Judgement};
use crate::transcript::Story;

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
        (false, true) if call.status().is_some() => {
            let actual = format!("the declared version: {}; none: {}", outcome(call), outcome(twin));
            expect(Judgement::broken(actual, evidence))
        }
        _ => expect(Judgement::unproven(format!("neither was taken: {}", outcome(twin)), evidence)),
    }
}
