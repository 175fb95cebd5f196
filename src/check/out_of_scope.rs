//! O.1: what version 1 leaves out is off.

use super::common::outcome;
use super::judge::Parameter;
use super::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Exchange, Story};
use crate::wire::path::Route;

/// The judges of this file.
pub(super) const JUDGES: &[Judge] = &[Judge {
    name: "stays-out-of-scope",
    about: "what the contract leaves out is refused, unknown or without effect, and the peering still works",
    parameters: &[
        Parameter::required("call", "labels of the calls that ask for it"),
        Parameter::required("peer", "the name of a third platform: nothing may be passed on to it"),
        Parameter::required("twin", "label of an ordinary migration made before"),
        Parameter::required("probe", "label of a lawful call made afterwards"),
    ],
    decide: stays_out_of_scope,
}];

fn stays_out_of_scope(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting("each refused, unknown, or taken without anything being passed on")
    };
    let calls: Vec<_> =
        with.texts("call").into_iter().flat_map(|label| story.exchanges_labelled(label)).collect();
    let mut passed_on = story.exchanges_of(with.text("peer"), Direction::FromTarget);
    if let Some((entry, _)) = passed_on.find(|(_, exchange)| exchange.route() == Some(Route::Migrations)) {
        return expect(Judgement::broken("a migration was passed on to a third platform", vec![entry.n]));
    }
    if let Some((n, exchange)) = calls.iter().find(|(_, exchange)| is_granted(exchange)) {
        return expect(Judgement::broken(format!("granted: {}", path(exchange)), vec![*n]));
    }
    let open = calls.iter().find(|(_, exchange)| !exchange.was_refused() && exchange.status() != Some(501));
    if let Some((n, exchange)) = open.filter(|(_, exchange)| exchange.route() != Some(Route::Migrations)) {
        return expect(Judgement::unproven(
            format!("neither granted nor refused: {}", path(exchange)),
            vec![*n],
        ));
    }
    let lawful = [with.text("twin"), with.text("probe")];
    let lawful: Vec<_> = lawful.into_iter().flat_map(|label| story.exchanges_labelled(label)).collect();
    if calls.is_empty() || lawful.is_empty() {
        return expect(Judgement::unproven("nobody asked for it", vec![]));
    }
    if let Some((n, exchange)) = lawful.iter().find(|(_, exchange)| !exchange.succeeded()) {
        return expect(Judgement::unproven(
            format!("a lawful call was refused too: {}", outcome(exchange)),
            vec![*n],
        ));
    }
    let evidence = calls.iter().chain(&lawful).map(|(n, _)| *n).collect();
    expect(Judgement::kept(format!("{} asked, none granted", calls.len()), evidence))
}

/// A success that says something. A migration is an ordinary one, if nothing more comes of it; and a
/// server that answers everything with an empty page grants nothing.
fn is_granted(exchange: &Exchange) -> bool {
    let says_something =
        || exchange.data().is_some_and(|data| data.as_object().is_some_and(|members| !members.is_empty()));
    exchange.succeeded() && exchange.route() != Some(Route::Migrations) && says_something()
}

fn path(exchange: &Exchange) -> String {
    let status = exchange.status().map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    format!("{} answered {status}", exchange.request.path.as_deref().unwrap_or_default())
}
