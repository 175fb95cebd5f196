//! Checks of the time after a migration: nothing flows by itself (7.5), and the originals stay until the
//! copies are there (7.2).

use serde_json::Value;

use crate::check::CheckResult;
use crate::check::common::{is_undone, reply_summary};
use crate::check::legacy::Arguments;
use crate::check::model::{mentions, records};
use covenant_model::transcript::{Direction, Entry, Exchange, Operation, Trace};
use covenant_model::wire::path::Route;

pub(super) fn nothing_flows(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("no sync and no migration from the target");
    let migrated = trace.labelled(with.text("migration")).find(|entry| was_migrated(entry));
    let (Some(migrated), Some((changed, operation))) =
        (migrated.map(|entry| entry.n), trace.operation(with.text("record")))
    else {
        return expect(CheckResult::unproven("nothing was migrated and then changed", vec![]));
    };
    let record = Changed::by(operation);
    let flowed = trace.exchanges_of(with.text("peer"), Direction::FromTarget).find(|(entry, exchange)| {
        let after = if exchange.route() == Some(Route::Sync) { migrated } else { changed };
        entry.n > after && record.flows_in(exchange)
    });
    if let Some((entry, exchange)) = flowed {
        let actual = format!("the target sent it all the same: {}", reply_summary(exchange));
        return expect(CheckResult::broken(actual, vec![changed, entry.n]));
    }
    if let Some(n) = of_another_form(trace, with.text("peer"), migrated) {
        return expect(CheckResult::unproven("a sync of another form", vec![changed, n]));
    }
    // To a peer that is cut off, nothing flows in any case.
    let probe = trace.exchanges_labelled(with.text("probe")).next_back();
    match probe.filter(|(n, exchange)| *n > changed && exchange.succeeded()) {
        Some((probe, _)) => expect(CheckResult::kept("nothing flowed", vec![migrated, changed, probe])),
        None => expect(CheckResult::unproven("the peering did not work afterwards", vec![changed])),
    }
}

/// Returns whether a migration was done: the peer's, which the target accepted, or the target's own.
fn was_migrated(entry: &Entry) -> bool {
    let is_done = |said: Option<&Value>| said.is_none_or(|said| !is_undone(&said["status"]));
    let was_taken = |exchange: &Exchange| exchange.succeeded() && is_done(exchange.data().as_ref());
    let was_sent = |operation: &Operation| operation.failure.is_none() && is_done(operation.result.as_ref());
    entry.exchange().is_some_and(was_taken) || entry.operation().is_some_and(was_sent)
}

/// Returns a sync since then whose content can't be read.
fn of_another_form(trace: &Trace, peer: &str, since: u64) -> Option<u64> {
    let is_open = |exchange: &Exchange| {
        let sent = exchange.sent();
        exchange.route() == Some(Route::Sync)
            && sent.is_none_or(|sent| !sent["resource_kind"].is_string() || !sent["records"].is_array())
    };
    let mut calls = trace.exchanges_of(peer, Direction::FromTarget);
    calls.find(|(entry, exchange)| entry.n > since && is_open(exchange)).map(|(entry, _)| entry.n)
}

/// The record that was changed.
struct Changed<'a> {
    kind: &'a str,
    id: &'a str,
}

impl<'a> Changed<'a> {
    fn by(operation: &'a Operation) -> Self {
        let text = |name: &str| operation.parameters.get(name).and_then(Value::as_str).unwrap_or_default();
        Self { kind: text("kind"), id: text("id") }
    }

    /// Returns whether a call carries the record: records of its kind, as a stream does, or the record
    /// itself, as a plan does. Records of other kinds, which a platform declared, may flow.
    fn flows_in(&self, exchange: &Exchange) -> bool {
        let Some(sent) = exchange.sent() else { return false };
        let items = |name: &str| sent[name].as_array().map(Vec::as_slice).unwrap_or_default();
        match exchange.route() {
            Some(Route::Sync) => sent["resource_kind"] == self.kind && !items("records").is_empty(),
            Some(Route::Migrations) => items("steps")
                .iter()
                .any(|step| step["resource_kind"] == self.kind && mentions(step, self.id)),
            _ => false,
        }
    }
}

pub(super) fn originals_kept(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("every original as it was before");
    let Some((n, _)) = trace.operation(with.text("migration")) else {
        return expect(CheckResult::unproven("the target sent no migration", vec![]));
    };
    let labels = with.texts("after");
    let later: Option<Vec<_>> = labels.into_iter().map(|label| records(trace, label)).collect();
    let Some(((seen_before, before), later)) = records(trace, with.text("before")).zip(later) else {
        return expect(CheckResult::unproven("the originals could not be looked at", vec![n]));
    };
    let seen_after = later.iter().flat_map(|(seen, _)| seen).copied();
    let evidence: Vec<u64> = seen_before.into_iter().chain([n]).chain(seen_after).collect();
    if before.is_empty() {
        return expect(CheckResult::unproven("there was no original", evidence));
    }
    // Records that were sent by other steps may have gone rightly.
    let others =
        trace.entries().iter().filter(|entry| entry.label.as_deref() != Some(with.text("migration")));
    let sent: Vec<&Value> = others
        .filter_map(|entry| entry.operation().filter(|operation| operation.method == "migration.send"))
        .map(|operation| &operation.parameters["root_resource_id"])
        .collect();
    let is_gone = |place: &&(String, String)| later.iter().any(|(_, after)| !after.contains_key(*place));
    match before.keys().filter(|(_, id)| !sent.iter().any(|sent| *sent == id)).find(is_gone) {
        Some((kind, id)) => {
            expect(CheckResult::broken(format!("the original {kind} {id} is gone"), evidence))
        }
        None => expect(CheckResult::kept("the originals are there", evidence)),
    }
}
