//! Commitment 11: the right of exit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::common::{peer_shown, refused, reply_summary};
use super::migration_model::OWN_MEMBERS;
use super::{CheckResult, Verdict};
use crate::check::legacy::LegacyParameter;
use crate::check::legacy::{Arguments, LegacyCheck};
use covenant_model::transcript::{Direction, Exchange, Trace};
use covenant_model::wire::migration::operation;
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;

/// The words for an overlay address that is no longer mounted; with `_at`, the moment of the unmounting.
const UNMOUNTED: [&str; 15] = [
    "unmounted",
    "released",
    "removed",
    "revoked",
    "suspended",
    "detached",
    "deleted",
    "disabled",
    "inactive",
    "deactivated",
    "withdrawn",
    "ended",
    "expired",
    "retired",
    "archived",
];

/// The words for a record that was deleted and is still listed.
const DELETED: [&str; 5] = ["deleted", "destroyed", "purged", "erased", "tombstone"];

/// The words for a record that was put away: the trace does not show whether it can still be read.
const PUT_AWAY: [&str; 6] = ["archived", "removed", "discarded", "trashed", "hidden", "inactive"];

const BEFORE_AND_AFTER: &[LegacyParameter] = &[
    LegacyParameter::required("before", "label of the operator's list before the revocation"),
    LegacyParameter::required("after", "label of the same list after it"),
];

/// The checks of this file.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "operator-can-revoke",
        about: "the operator's revocations are taken, and each peer is then shown as revoked",
        parameters: &[
            LegacyParameter::required("revoke", "labels of the operations that revoke"),
            LegacyParameter::required("shown", "labels of the operator's looks at those peers afterwards"),
        ],
        evaluate: operator_can_revoke,
    },
    LegacyCheck {
        name: "revocation-by-peer-is-honoured",
        about: "a peer's notice that it leaves is taken, and the peer is then shown as revoked",
        parameters: &[
            LegacyParameter::required("call", "labels of the notices"),
            LegacyParameter::required("shown", "labels of the operator's looks at those peers afterwards"),
        ],
        evaluate: leave_is_honoured,
    },
    LegacyCheck {
        name: "listed-entries-remain",
        about: "everything that was brought or logged before is listed afterwards, and says what it said",
        parameters: BEFORE_AND_AFTER,
        evaluate: rows_remain,
    },
    LegacyCheck {
        name: "rejected-after-revocation-notice",
        about: "calls after the notice of a revocation, and its date, are refused; their positive control was accepted",
        parameters: &[
            LegacyParameter::required("peer", "the name of the peer that was revoked"),
            LegacyParameter::required("revoke", "label of the operation that revokes"),
            LegacyParameter::required("call", "label of the calls that have to be refused"),
            LegacyParameter::required("control", "label of the same calls before it"),
            LegacyParameter::required("probe", "label of another peer's calls at that time"),
        ],
        evaluate: refused_from_the_notice,
    },
    LegacyCheck {
        name: "revoked-peers-are-rejected",
        about: "each peer that is shown as revoked is refused; its positive control is accepted",
        parameters: &[
            LegacyParameter::required("call", "labels of the peers' calls, that have to be refused"),
            LegacyParameter::required(
                "shown",
                "labels of the operator's looks at those peers before, in that order",
            ),
            LegacyParameter::required("control", "label of the same call of another peer before it"),
            LegacyParameter::required("probe", "label of another peer's call afterwards"),
        ],
        evaluate: revoked_are_refused,
    },
    LegacyCheck {
        name: "overlay-unmounted",
        about: "the peer's overlay addresses are mounted before, and none is once it is revoked",
        parameters: &[
            LegacyParameter::required("before", "label of the operator's list before the revocation"),
            LegacyParameter::required("after", "label of the same list after it"),
            LegacyParameter::optional("shown", "label of the operator's look at the peer before that"),
        ],
        evaluate: overlay_unmounted,
    },
    LegacyCheck {
        name: "no-remote-deletion-on-revocation",
        about: "what the target migrated to a peer, it does not have deleted there when it revokes",
        parameters: &[
            LegacyParameter::required("peer", "the name of the peer that was revoked"),
            LegacyParameter::required("migration", "label of the operation that sent the migration"),
            LegacyParameter::required("revoke", "label of the operation that revokes"),
        ],
        evaluate: nothing_is_taken_back,
    },
];

fn operator_can_revoke(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("every revocation taken, every peer revoked");
    let mut evidence = vec![];
    for label in with.texts("revoke") {
        let Some((n, operation)) = trace.operation(label) else {
            return expect(CheckResult::unproven(format!("{label:?} was not done"), evidence));
        };
        evidence.push(n);
        if let Some(failure) = &operation.failure {
            return expect(CheckResult::broken(format!("{label:?} was refused: {failure:?}"), evidence));
        }
    }
    expect(all_shown_as_revoked(trace, with, evidence))
}

fn leave_is_honoured(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("every notice taken, every peer revoked");
    let mut evidence = vec![];
    let mut failed = None;
    for label in with.texts("call") {
        let Some((n, exchange)) = trace.exchanges_labelled(label).next_back() else {
            return expect(CheckResult::unproven(format!("{label:?} was not sent"), evidence));
        };
        evidence.push(n);
        if exchange.was_refused() {
            return expect(CheckResult::broken(format!("{label:?}: {}", reply_summary(exchange)), evidence));
        }
        if !exchange.succeeded() {
            failed.get_or_insert(format!("{label:?}: {}", reply_summary(exchange)));
        }
    }
    let shown = all_shown_as_revoked(trace, with, evidence.clone());
    match failed {
        // The revocation was accepted all the same: the clause is not about the failed answer.
        Some(actual) if shown.verdict == Verdict::Kept => expect(CheckResult::unproven(actual, evidence)),
        _ => expect(shown),
    }
}

fn all_shown_as_revoked(trace: &Trace, with: Arguments<'_>, mut evidence: Vec<u64>) -> CheckResult {
    let labels = with.texts("shown");
    for label in &labels {
        let Some((n, status)) = status_shown(trace, label) else {
            return CheckResult::unproven(format!("{label:?} shows no status"), evidence);
        };
        evidence.push(n);
        if !has_ended(status) {
            return CheckResult::broken(format!("{label:?} shows the peer as {status}"), evidence);
        }
    }
    CheckResult::kept(format!("{} peers are revoked", labels.len()), evidence)
}

fn status_shown<'a>(trace: &'a Trace, label: &str) -> Option<(u64, &'a str)> {
    let (n, peer) = peer_shown(trace, label)?;
    Some((n, peer["status"].as_str()?))
}

/// Returns whether a status is that of an ended peering. A revoked row may have been archived meanwhile.
fn has_ended(status: &str) -> bool {
    matches!(status, "revoked" | "archived")
}

/// Evaluates whether the revoked peers are refused. A peer that is not revoked at all is reported by clause
/// 11.1.
fn revoked_are_refused(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("every revoked peer refused");
    let (mut evidence, mut open) = (vec![], None);
    for (call, shown) in with.texts("call").into_iter().zip(with.texts("shown")) {
        if !status_shown(trace, shown).is_some_and(|(_, status)| has_ended(status)) {
            open = Some(CheckResult::unproven(format!("{shown:?} shows no revoked peer"), vec![]));
            continue;
        }
        let labels = [("call", call), ("control", with.text("control")), ("probe", with.text("probe"))];
        let one = labels.map(|(name, label)| (name.to_owned(), Value::from(label))).into();
        let evaluated = refused(trace, Arguments::new(&one));
        match evaluated.verdict {
            Verdict::Broken => return evaluated,
            Verdict::Kept => evidence.extend(evaluated.evidence),
            Verdict::Unproven | Verdict::NotApplicable => open = Some(evaluated),
        }
    }
    match open {
        Some(open) => expect(open),
        None => expect(CheckResult::kept("none of them is served", evidence)),
    }
}

fn rows_remain(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("every row of before, with what it said");
    let (Some((first, mut before)), Some((last, mut after))) =
        (rows(trace, with.text("before")), rows(trace, with.text("after")))
    else {
        return expect(CheckResult::unproven("the lists could not be read", vec![]));
    };
    let evidence = vec![first, last];
    let brought = Brought::read(trace, last);
    if is_of_records(trace, with.text("before")) {
        // The platform may delete its own records.
        before.retain(|row| brought.of(row).is_some());
    }
    if before.is_empty() {
        return expect(CheckResult::unproven("nothing was there to be kept", evidence));
    }
    let fates: Vec<RowOutcome> = before.iter().map(|row| brought.row_outcome(row, &mut after)).collect();
    let count = |row_outcome: RowOutcome| fates.iter().filter(|came| **came == row_outcome).count();
    match (count(RowOutcome::Gone), count(RowOutcome::Faded)) {
        (0, 0) => expect(CheckResult::kept(format!("all {} rows are still there", before.len()), evidence)),
        (0, faded) => {
            let actual =
                format!("{faded} of {} rows say less than before, or were never migrated", before.len());
            expect(CheckResult::unproven(actual, evidence))
        }
        (gone, _) => {
            let actual = format!("{gone} of {} rows are gone or changed", before.len());
            expect(CheckResult::broken(actual, evidence))
        }
    }
}

/// The outcome of a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RowOutcome {
    Kept,
    /// It is there and lacks a member that it had; or it was a copy that a sync keeps up to date, and no
    /// migration brought it.
    Faded,
    Gone,
}

/// The members that describe the action of an audit entry (5.1, 5.2), and its time.
const LOGGED: [&str; 9] = [
    "federation_peer_id",
    "remote_subject",
    "action",
    "at",
    "emitted_at",
    "occurred_at",
    "timestamp",
    "correlation_id",
    "route",
];

/// The records that someone brought to the target, by id, each with the members that came with it.
#[derive(Default)]
struct Brought {
    migrated: BTreeMap<String, BTreeSet<String>>,
    synced: BTreeMap<String, BTreeSet<String>>,
}

impl Brought {
    /// Reads the records that were brought before an entry of a trace.
    fn read(trace: &Trace, until: u64) -> Self {
        let mut brought = Self::default();
        for entry in trace.entries().iter().filter(|entry| entry.n < until) {
            if let Some(put) = entry.operation().filter(|operation| operation.method == "resource.put") {
                keep(&mut brought.migrated, &put.parameters["id"], &put.parameters["record"]);
            }
            let sent = entry.exchange().filter(|exchange| exchange.direction == Direction::ToTarget);
            let sent = sent.and_then(Exchange::sent);
            for step in sent.into_iter().flat_map(|sent| items(&sent["steps"])) {
                keep(&mut brought.migrated, &step["resource_id"], &step["payload"]);
            }
            for record in sent.into_iter().flat_map(|sent| items(&sent["records"])) {
                keep(&mut brought.synced, &record["id"], &record["payload"]);
            }
        }
        brought
    }

    fn of(&self, row: &Value) -> Option<&BTreeSet<String>> {
        let id = member(row, "id")?.as_str()?;
        self.migrated.get(id).or_else(|| self.synced.get(id))
    }

    fn was_only_synced(&self, row: &Value) -> bool {
        let id = member(row, "id").and_then(Value::as_str).unwrap_or_default();
        self.synced.contains_key(id) && !self.migrated.contains_key(id)
    }

    /// Returns the outcome of a row, and removes the matching row from `after`. The row may be at another
    /// place in the list, and the members that the platform adds to it may change.
    fn row_outcome(&self, row: &Value, after: &mut Vec<&Value>) -> RowOutcome {
        let brought = self.of(row);
        let names: Vec<&str> =
            brought.map_or(LOGGED.to_vec(), |names| names.iter().map(String::as_str).collect());
        let is_it = |other: &&Value| essence(other, &names) == essence(row, &names);
        // A brought record may be shown in a form that has none of its members.
        let is_whole = |other: &&Value| match brought {
            Some(names) => row == *other || names.iter().any(|name| member(row, name).is_some()),
            None => says_as_much(row, other),
        };
        let whole = after.iter().position(|other| is_it(other) && is_whole(other));
        let Some(place) = whole.or_else(|| after.iter().position(is_it)) else {
            return if self.was_only_synced(row) { RowOutcome::Faded } else { RowOutcome::Gone };
        };
        let found = after.swap_remove(place);
        let has_become = |words: &[&str]| is_called(found, words) && !is_called(row, words);
        match brought {
            _ if has_become(&DELETED) => RowOutcome::Gone,
            Some(_) if has_become(&PUT_AWAY) => RowOutcome::Faded,
            _ if whole.is_some() => RowOutcome::Kept,
            _ => RowOutcome::Faded,
        }
    }
}

/// Returns whether a row has one of these words: as its state, as a member that is true, or as a moment.
fn is_called(row: &Value, words: &[&str]) -> bool {
    let says = |name: &str, said: &Value| match said {
        Value::String(text) if matches!(name, "status" | "state") => {
            words.contains(&text.trim().to_lowercase().as_str())
        }
        Value::Bool(yes) => words.contains(&name.trim_start_matches("is_")) && *yes,
        Value::String(_) | Value::Number(_) => {
            name.strip_suffix("_at").is_some_and(|word| words.contains(&word))
        }
        _ => false,
    };
    let places = [row, &row["record"], &row["payload"]].into_iter().filter_map(Value::as_object);
    let is_absent = words.contains(&"deleted") && row["exists"] == false;
    is_absent || places.flatten().any(|(name, said)| says(name, said))
}

fn keep(brought: &mut BTreeMap<String, BTreeSet<String>>, id: &Value, payload: &Value) {
    let Some(id) = id.as_str() else { return };
    let names = payload.as_object().into_iter().flat_map(|members| members.keys());
    let names = names.filter(|name| !OWN_MEMBERS.contains(&name.as_str()));
    brought.entry(id.to_owned()).or_default().extend(names.cloned());
}

/// Returns the part of a row that has to stay unchanged: its id, its kind and these members, or the whole row
/// if it has none of them.
fn essence(row: &Value, names: &[&str]) -> Value {
    let named = ["id", "kind"].iter().chain(names);
    let members: Map<String, Value> =
        named.filter_map(|name| Some(((*name).to_owned(), member(row, name)?.clone()))).collect();
    if members.is_empty() { row.clone() } else { Value::Object(members) }
}

/// Returns a member of a row, or of the record or the payload in it.
fn member<'a>(row: &'a Value, name: &str) -> Option<&'a Value> {
    [row, &row["record"], &row["payload"]].into_iter().find_map(|place| place.get(name))
}

/// Returns whether each non-empty member of one row is also non-empty in the other.
fn says_as_much(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(members), _) => {
            members.iter().all(|(name, member)| says_as_much(member, other.get(name).unwrap_or(&Value::Null)))
        }
        (Value::Null, _) => true,
        (Value::Array(items), _) if items.is_empty() => true,
        (Value::String(text), _) if text.is_empty() => true,
        (_, Value::Null) => false,
        (_, Value::String(text)) => !text.is_empty(),
        _ => true,
    }
}

fn is_of_records(trace: &Trace, label: &str) -> bool {
    trace.operation(label).is_some_and(|(_, operation)| operation.method == "resource.list")
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Evaluates whether the peer is refused from the notice on. A tear-down may wait for its notice, and a
/// notice may name a later moment.
fn refused_from_the_notice(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let open = |why: &str| CheckResult::unproven(why, vec![]).expecting("refused once the peer was told");
    if trace.operation(with.text("revoke")).is_none() {
        return open("the target's operator did not revoke");
    }
    let Some((call, _)) =
        trace.exchanges().find(|(entry, _)| entry.label.as_deref() == Some(with.text("call")))
    else {
        return open("no call was made after it");
    };
    let recorded = trace.exchanges_of(with.text("peer"), Direction::FromTarget);
    let notice = recorded.filter(|(entry, _)| entry.n < call.n).find_map(|(_, exchange)| {
        let events = exchange.sent()?["events"].as_array()?;
        events.iter().find(|event| event["kind"] == kind::PEER_REVOKED).cloned()
    });
    let Some(notice) = notice else { return open("the peer was not told of it before its calls") };
    let effective_at =
        notice["payload"]["effective_at"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    if effective_at.is_some_and(|effective_at| effective_at > call.at) {
        return open("the notice names a later moment");
    }
    refused(trace, with)
}

fn overlay_unmounted(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("no address of the peer mounted");
    let (Some((first, earlier)), Some((last, later))) =
        (addresses(trace, with.text("before")), addresses(trace, with.text("after")))
    else {
        return expect(CheckResult::unproven("the addresses could not be listed", vec![]));
    };
    let (before, after) = (states_left(&earlier), states_left(&later));
    let evidence = vec![first, last];
    // A peer that is not revoked at all is reported by clause 11.1.
    let shown = with.text_if_given("shown").map(|label| status_shown(trace, label));
    if shown.is_some_and(|shown| !shown.is_some_and(|(_, status)| has_ended(status))) {
        return expect(CheckResult::unproven("the peer is not revoked", evidence));
    }
    if before.is_empty() {
        return expect(CheckResult::unproven("the peer had no overlay address", evidence));
    }
    let is_mounted = |state: &&Option<String>| state.is_none() || before.contains(state);
    match (after.iter().filter(is_mounted).count(), after.iter().flatten().next()) {
        (0, None) => {
            expect(CheckResult::kept(format!("{} addresses were unmounted", before.len()), evidence))
        }
        (0, Some(state)) => {
            let actual = format!("an address is {state}: is it mounted?");
            expect(CheckResult::unproven(actual, evidence))
        }
        (mounted, _) => {
            expect(CheckResult::broken(format!("{mounted} addresses are still mounted"), evidence))
        }
    }
}

/// Evaluates whether the target asks the peer for no deletion. Deleting is an operation of its own (11.2),
/// which no revocation asks for.
fn nothing_is_taken_back(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("no deletion asked of the peer");
    let done = |label| trace.operation(label).filter(|(_, operation)| operation.failure.is_none());
    let (Some((sent, _)), Some((revoked, _))) = (done(with.text("migration")), done(with.text("revoke")))
    else {
        return expect(CheckResult::unproven("nothing was migrated, or the peer was not revoked", vec![]));
    };
    let migrations: Vec<_> = trace
        .exchanges_of(with.text("peer"), Direction::FromTarget)
        .filter(|(_, exchange)| exchange.route() == Some(Route::Migrations))
        .collect();
    let asks_to_delete =
        |exchange: &Exchange| exchange.sent().is_some_and(|sent| sent["operation"] == operation::DELETE);
    let taken_back = migrations.iter().find(|(entry, exchange)| entry.n > sent && asks_to_delete(exchange));
    if let Some((entry, exchange)) = taken_back {
        return expect(CheckResult::broken(reply_summary(exchange), vec![sent, revoked, entry.n]));
    }
    let arrived = migrations.iter().find(|(entry, exchange)| entry.n < sent && exchange.succeeded());
    match arrived {
        Some((entry, _)) => {
            let actual = "what was migrated was not asked back";
            expect(CheckResult::kept(actual, vec![entry.n, revoked]))
        }
        None => expect(CheckResult::unproven("nothing was migrated to the peer", vec![sent, revoked])),
    }
}

/// Returns the addresses of the requested peer: a list may contain those of others too.
fn addresses<'a>(trace: &'a Trace, label: &str) -> Option<(u64, Vec<&'a Value>)> {
    let (_, operation) = trace.operation(label)?;
    let (n, mut rows) = rows(trace, label)?;
    rows.retain(|row| {
        let owner = row["peer_id"].as_str().or(row["federation_peer_id"].as_str());
        owner.is_none_or(|owner| operation.parameters["peer_id"] == owner)
    });
    Some((n, rows))
}

/// Returns the states of the addresses that are not reported as unmounted; `None` for a row without a state.
fn states_left(addresses: &[&Value]) -> Vec<Option<String>> {
    addresses.iter().filter(|row| !was_unmounted(row)).map(|row| state_of(row)).collect()
}

/// Returns whether a row says that its address is no longer mounted.
fn was_unmounted(row: &Value) -> bool {
    row["mounted"] == false || row["active"] == false || is_called(row, &UNMOUNTED)
}

/// Returns the state in a row.
fn state_of(row: &Value) -> Option<String> {
    row["status"].as_str().or(row["state"].as_str()).map(|state| state.trim().to_lowercase())
}

/// Returns the rows of a list: the list itself, or the array of an object under the default name, or else its
/// first array.
fn rows<'a>(trace: &'a Trace, label: &str) -> Option<(u64, Vec<&'a Value>)> {
    let (n, operation) = trace.operation(label)?;
    let result = operation.result.as_ref()?;
    let members = result.as_object().into_iter().flat_map(Map::values);
    let named = ["resources", "entries", "addresses"].iter().find_map(|name| result[*name].as_array());
    let list = result.as_array().or(named).or_else(|| members.into_iter().find_map(Value::as_array))?;
    Some((n, list.iter().collect()))
}

#[cfg(test)]
mod tests;
