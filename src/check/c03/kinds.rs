//! 3.1: declared kinds are served.

use std::collections::BTreeSet;

use crate::check::common::outcome;
use crate::check::judge::Parameter;
use crate::check::{Arguments, Judge, Judgement};
use crate::transcript::Story;
use crate::wire::capability::CapabilityDocument;
use crate::wire::path::Route;

pub(super) const DECLARED_KINDS_ARE_SERVED: Judge = Judge {
    name: "declared-kinds-are-served",
    about: "every kind that the target declares is served to the holder of a grant",
    parameters: &[
        Parameter::required(
            "about",
            "label of an accept or heartbeat whose answer has the target's capabilities",
        ),
        Parameter::required("call", "label of the fetches, one or more for each declared kind"),
    ],
    decide: declared_kinds_are_served,
};

fn declared_kinds_are_served(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect =
        |judgement: Judgement| judgement.expecting("200 for every declared kind, under a grant for it");
    let declared = story
        .exchanges_labelled(with.text("about"))
        .filter_map(|(n, exchange)| {
            Some((n, CapabilityDocument::read(exchange.data()?.get("capabilities")?)?))
        })
        .next_back();
    let Some((declared_n, document)) = declared else {
        return expect(Judgement::unproven("the target told no capability document", vec![]));
    };
    if document.resource_kinds.is_empty() {
        return expect(Judgement::unproven("the target declares nothing", vec![declared_n]));
    }
    let mut evidence = vec![declared_n];
    let mut served = BTreeSet::new();
    for (n, exchange) in story.exchanges_labelled(with.text("call")) {
        let Some(Route::Resource { kind, .. }) = exchange.route() else { continue };
        if matches!(exchange.status(), Some(404 | 422 | 500..)) && document.row(&kind).is_some() {
            let actual = format!("{kind} is declared, and {}", outcome(exchange));
            return expect(Judgement::broken(actual, vec![declared_n, n]));
        }
        if exchange.succeeded() {
            evidence.push(n);
            served.insert(kind);
        }
    }
    match document.resource_kinds.iter().find(|row| !served.contains(&row.kind)) {
        Some(row) => expect(Judgement::unproven(format!("{} could not be asked for", row.kind), evidence)),
        None => expect(Judgement::kept(format!("{} declared kinds are served", served.len()), evidence)),
    }
}
