//! 3.3: declared filters are applied.

use serde_json::Value;

use crate::check::judge::Parameter;
use crate::check::{Arguments, Judge, Judgement};
use crate::transcript::{Direction, Exchange, Story};
use crate::wire::path::Route;

pub(super) const FILTER_IS_APPLIED: Judge = Judge {
    name: "filter-is-applied",
    about: "a record outside the declared filter reaches the peer neither by a read nor by a sync, and one inside does",
    parameters: &[
        Parameter::required("peer", "the peer's name"),
        Parameter::required("record", "label of the operation that put the record outside the filter"),
        Parameter::required("twin", "label of the operation that put the record inside it"),
    ],
    decide: filter_is_applied,
};

fn filter_is_applied(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| judgement.expecting("the record inside the filter only");
    let id = |label: &str| story.operation(label).and_then(|(_, put)| put.parameters["id"].as_str());
    let (Some(outside), Some(inside)) = (id(with.text("record")), id(with.text("twin"))) else {
        return expect(Judgement::unproven("the records were not put there", vec![]));
    };
    let mut seen = vec![];
    for (entry, exchange) in story.exchanges().filter(|(_, exchange)| exchange.peer == with.text("peer")) {
        if shows(exchange, outside) {
            let actual = format!("{outside} lies outside the filter, and arrived");
            return expect(Judgement::broken(actual, vec![entry.n]));
        }
        if shows(exchange, inside) {
            seen.push(entry.n);
        }
    }
    if seen.is_empty() {
        return expect(Judgement::unproven("the record inside the filter did not arrive either", vec![]));
    }
    expect(Judgement::kept("the record inside the filter arrived, the other did not", seen))
}

/// Whether the content of a record reaches the peer in this exchange.
fn shows(exchange: &Exchange, id: &str) -> bool {
    match (exchange.direction, exchange.route()) {
        (Direction::FromTarget, Some(Route::Sync)) => {
            let records = exchange.sent().and_then(|body| body["records"].as_array());
            records.into_iter().flatten().any(|record| record["id"] == id)
        }
        (Direction::ToTarget, Some(Route::Resource { id: asked, .. })) => {
            let record = exchange.data().and_then(|data| data.get("record").cloned());
            asked == id && record.is_some_and(|record: Value| !record.is_null())
        }
        _ => false,
    }
}
