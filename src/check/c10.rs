//! Commitment 10: backwards compatibility.

use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Story};
use crate::wire::notice::kind;

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[Judge {
    name: "deprecation-announced",
    about: "the end of a release is announced to a partner, with its date",
    parameters: &[
        Parameter::required("peer", "the partner's name"),
        Parameter::required("start", "label of the operator's release.deprecate"),
    ],
    decide: deprecation_announced,
}];

fn deprecation_announced(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting(format!("{} or metadata.deprecations, with breaks_at", kind::RELEASE_DEPRECATED))
    };
    let declared = story.operation(with.text("start")).filter(|(_, operation)| operation.failure.is_none());
    let Some((declared, operation)) = declared else {
        return expect(Judgement::unproven("no release was deprecated", vec![]));
    };
    // The date alone: its time may be written in other ways.
    let breaks_at =
        operation.parameters["breaks_at"].as_str().and_then(|text| text.get(..10)).unwrap_or_default();
    let told: Vec<_> = story
        .exchanges_of(with.text("peer"), Direction::FromTarget)
        .filter(|(entry, _)| entry.n > 0)
        .collect();
    let names = |text: &str| {
        told.iter().find_map(|(entry, exchange)| {
            let body = exchange.sent()?.to_string();
            (body.contains("deprecat") && body.contains(text)).then_some(entry.n)
        })
    };
    match (names(breaks_at), names("deprecat")) {
        (Some(n), _) => expect(Judgement::kept(format!("announced for {breaks_at}"), vec![declared, n])),
        (None, Some(n)) => {
            expect(Judgement::unproven("announced, and its date can't be found", vec![declared, n]))
        }
        (None, None) => expect(Judgement::broken("the partner was told nothing of it", vec![declared])),
    }
}
