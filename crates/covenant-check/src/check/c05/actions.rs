//! Checks that each action is logged with its actor (5.1, 5.2): audit entries are matched to calls, one to
//! one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use x509_parser::pem::parse_x509_pem;

use super::entry::{Item, MatchStrength, below, has_subject, member, names, names_otherwise};
use super::excerpts::given;
use crate::check::CheckResult;
use crate::check::common::{peer_id, reply_summary};
use crate::check::legacy::Arguments;
use covenant_model::transcript::{Direction, Exchange, Trace, What};
use covenant_model::wire::header::{forwarded_subject, inbound_subject};
use covenant_model::wire::path::Route;

pub(super) fn every_action_is_logged(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("one new entry for each call, with the peer's id");
    let window = match Window::read(trace, with) {
        Ok(window) => window,
        Err(open) => return expect(open),
    };
    let is_named = |entry: &&Value| names(entry, "federation_peer_id", &[&window.peer_id]);
    let about: Vec<_> = window.new.iter().filter(is_named).map(Item::read).collect();
    let calls = window.owed().len();
    if let Some(missing) = window.without_entry(&about) {
        let is_named = |entry: &&Value| is_named(entry) || names_otherwise(entry, &window.peer_id);
        let otherwise: Vec<_> = window.new.iter().filter(is_named).map(Item::read).collect();
        if window.without_entry(&otherwise).is_none() {
            let actual = "the entries name the peer, though not as federation_peer_id";
            return expect(CheckResult::unproven(actual, window.evidence));
        }
        let actual =
            format!("{} entries with the peer's id for {calls} calls: none for {missing}", about.len());
        return expect(CheckResult::broken(actual, window.evidence));
    }
    if let Some((name, entries, calls)) = window.doubled(&about) {
        let actual = format!("{entries} entries of {name:?} for {calls} calls");
        return expect(CheckResult::broken(actual, window.evidence));
    }
    expect(CheckResult::kept(format!("{} entries for {calls} calls", about.len()), window.evidence))
}

pub(super) fn subjects_are_logged(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect =
        |result: CheckResult| result.expecting("remote_subject: the grant's, or the CN of the certificate");
    let window = match Window::read(trace, with) {
        Ok(window) => window,
        Err(open) => return expect(open),
    };
    let issued = trace.operation(with.text("record")).map(|(_, issue)| &issue.parameters["remote_subject"]);
    let mut valid = certificate_subjects(trace, with.text("peer"), &window.peer_id);
    valid.extend(issued.and_then(Value::as_str).map(ToOwned::to_owned));
    let valid: Vec<&str> = valid.iter().map(String::as_str).collect();
    if window.new.is_empty() {
        return expect(CheckResult::unproven("no new entry at all", window.evidence));
    }
    let (right, wrong): (Vec<_>, Vec<_>) =
        window.new.iter().map(Item::read).partition(|item| has_subject(item.value, &valid));
    let nameless = window.unmatched(&right);
    let actual = format!("{} entries say who acted, for {} calls", right.len(), window.calls.len());
    // The platform may log its own calls and its own actions under any name. A missing entry is reported by
    // 5.1.
    let wrong = window.without_own(wrong);
    let closest = |call: &Exchange| {
        let kin = wrong.iter().map(|item| (item.match_strength(call, &window.paths), item));
        kin.filter(|(match_strength, _)| *match_strength != MatchStrength::Other)
            .max_by_key(|(match_strength, _)| *match_strength)
    };
    let found: Vec<_> = nameless.into_iter().filter_map(|call| Some((call, closest(call)?))).collect();
    match found.iter().max_by_key(|(_, (match_strength, _))| *match_strength) {
        None => expect(CheckResult::kept(actual, window.evidence)),
        Some((call, (MatchStrength::Certain, item))) => {
            let said = member(item.value, "remote_subject").unwrap_or("nothing");
            let actual =
                format!("{actual}; that of {} says {said:?}, not one of {valid:?}", reply_summary(call));
            expect(CheckResult::broken(actual, window.evidence))
        }
        Some(_) => {
            let actual = format!("{actual}; the others may be of something else");
            expect(CheckResult::unproven(actual, window.evidence))
        }
    }
}

/// Evaluates whether the excerpt of a peer contains all that the audit has of its calls. A call that the
/// audit lacks is reported by 5.1.
pub(super) fn excerpt_is_whole(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("in the excerpt, an entry for each call that the audit has one of")
    };
    let window = match Window::read(trace, with) {
        Ok(window) => window,
        Err(open) => return expect(open),
    };
    let excerpts = trace.exchanges_labelled(with.text("excerpt"));
    let Some((n, excerpt)) = excerpts.rev().find_map(|(n, look)| Some((n, given(look)?))) else {
        return expect(CheckResult::unproven("no excerpt was given", window.evidence));
    };
    let shown: Vec<_> = excerpt.iter().filter(|entry| !is_among(&window.before, entry)).collect();
    let missing =
        |entries: &[&Value]| window.unmatched(&entries.iter().copied().map(Item::read).collect::<Vec<_>>());
    let (unlogged, unshown) = (missing(&window.new.iter().collect::<Vec<_>>()), missing(&shown));
    let calls = window.calls.len();
    let evidence = window.evidence.iter().copied().chain([n]).collect();
    match unshown.last() {
        _ if unlogged.len() == calls => {
            expect(CheckResult::unproven("the audit has none of the calls", evidence))
        }
        Some(call) if unshown.len() > unlogged.len() => {
            let lacking = unshown.len() - unlogged.len();
            let actual =
                format!("{lacking} of {calls} calls are not in the excerpt, as {}", reply_summary(call));
            if shown.iter().any(|entry| is_sum(entry)) {
                return expect(CheckResult::unproven(format!("{actual}: it sums up"), evidence));
            }
            expect(CheckResult::broken(actual, evidence))
        }
        _ => expect(CheckResult::kept(format!("all that is logged of {calls} calls"), evidence)),
    }
}

/// Returns whether an entry stands for several actions.
fn is_sum(entry: &Value) -> bool {
    const NAMES: [&str; 3] = ["count", "event_count", "times"];
    let said = NAMES.iter().flat_map(|name| [&entry[name], &entry["payload"][name]]);
    said.into_iter().filter_map(Value::as_u64).any(|count| count > 1)
}

/// The calls of a peer between two reads of the audit, and the entries that are new in the second.
struct Window<'a> {
    /// The calls that reached the peer's account, each an action.
    calls: Vec<&'a Exchange>,
    /// The calls that the target made to the peer meanwhile, and that the peer answered.
    made: Vec<&'a Exchange>,
    /// The other calls of that peer and of the target that may be logged now: those that a router or a limit
    /// may have rejected before they were seen, those that the target attempted, and those at the edges of
    /// the window.
    others: Vec<&'a Exchange>,
    /// The calls before the first read: they may be logged late.
    earlier: Vec<&'a Exchange>,
    /// The paths of all these calls.
    paths: BTreeSet<&'a str>,
    /// `true` if the target sent heartbeats that the trace does not record.
    beats_untold: bool,
    before: Vec<Value>,
    new: Vec<Value>,
    peer_id: String,
    evidence: Vec<u64>,
}

impl<'a> Window<'a> {
    fn read(trace: &'a Trace, with: Arguments<'a>) -> Result<Self, CheckResult> {
        let (Some((first, before)), Some((last, after))) =
            (entries(trace, with.text("before")), entries(trace, with.text("after")))
        else {
            return Err(CheckResult::unproven("the audit could not be read", vec![]));
        };
        let peer = with.text("peer");
        let Some(peer_id) = peer_id(trace, peer) else {
            return Err(CheckResult::unproven("the peer's id is not known", vec![]));
        };
        let labels = with.texts("call");
        let mut window = Self {
            calls: vec![],
            made: vec![],
            others: vec![],
            earlier: vec![],
            paths: BTreeSet::new(),
            beats_untold: beats_untold(trace, peer),
            new: after.into_iter().filter(|entry| !is_among(&before, entry)).collect(),
            before,
            peer_id,
            evidence: vec![first],
        };
        let is_asked = |label: Option<&str>| label.is_some_and(|label| labels.contains(&label));
        let asked = trace.exchanges().filter(|(entry, _)| is_asked(entry.label.as_deref()));
        let last_asked = asked.map(|(entry, _)| entry.n).max().unwrap_or_default();
        for (entry, exchange) in trace.exchanges().filter(|(_, exchange)| exchange.peer == peer) {
            window.paths.insert(below(exchange));
            let is_own = exchange.direction == Direction::FromTarget && exchange.succeeded();
            let is_turned_away = exchange.route().is_none() || exchange.status() == Some(429);
            if is_asked(entry.label.as_deref()) && !is_turned_away {
                window.calls.push(exchange);
                window.evidence.push(entry.n);
            } else if entry.n < first {
                window.earlier.push(exchange);
            } else if is_own && entry.n < last_asked {
                window.made.push(exchange);
            } else if entry.n < last {
                window.others.push(exchange);
            }
        }
        window.evidence.push(last);
        if window.calls.is_empty() {
            return Err(CheckResult::unproven("no call was made", vec![first, last]));
        }
        Ok(window)
    }

    /// Returns the calls that require an entry: each call of the peer, and any one of those that the target
    /// made. The last call that the target makes between reads may not be logged yet.
    fn owed(&self) -> Vec<Vec<&'a Exchange>> {
        let own = Some(self.made.clone()).filter(|made| !made.is_empty());
        self.calls.iter().map(|call| vec![*call]).chain(own).collect()
    }

    /// Returns a call without an entry among these, in words.
    fn without_entry(&self, items: &[Item<'_>]) -> Option<String> {
        let owed = self.owed();
        let assigned = assign(owed.len(), items.len(), |want, item| {
            let kin = owed[want].iter().map(|call| self.match_strength(&items[item], call));
            kin.max().unwrap_or(MatchStrength::Other)
        });
        let missing = assigned.iter().position(Option::is_none)?;
        Some(match owed[missing].as_slice() {
            [call] if call.direction == Direction::ToTarget => reply_summary(call),
            _ => "the target's own".to_owned(),
        })
    }

    /// Returns the peer's calls without an entry among these.
    fn unmatched(&self, items: &[Item<'_>]) -> Vec<&'a Exchange> {
        let kin = |call: usize, item: usize| self.match_strength(&items[item], self.calls[call]);
        let assigned = assign(self.calls.len(), items.len(), kin);
        self.calls.iter().zip(assigned).filter(|(_, item)| item.is_none()).map(|(call, _)| *call).collect()
    }

    /// Returns these entries without those that may belong to the target's own calls, one for each.
    fn without_own<'i>(&self, items: Vec<Item<'i>>) -> Vec<Item<'i>> {
        let own: Vec<_> = self.made.iter().chain(&self.others).collect();
        let own: Vec<_> = own.into_iter().filter(|call| call.direction == Direction::FromTarget).collect();
        let assigned =
            assign(own.len(), items.len(), |call, item| self.match_strength(&items[item], own[call]));
        let taken: BTreeSet<usize> = assigned.into_iter().flatten().collect();
        items
            .into_iter()
            .enumerate()
            .filter(|(place, _)| !taken.contains(place))
            .map(|(_, item)| item)
            .collect()
    }

    /// Returns entries with the same content that outnumber the calls that they can belong to: their name,
    /// and both numbers. An entry that names no call may belong to anything.
    fn doubled<'i>(&self, items: &[Item<'i>]) -> Option<(&'i str, usize, usize)> {
        let mut forms: BTreeMap<String, Vec<&Item<'i>>> = BTreeMap::new();
        for item in items.iter().filter(|item| !self.may_be_untold(item)) {
            forms.entry(item.form()).or_default().push(item);
        }
        forms.into_iter().find_map(|(form, same)| {
            let mut calls = self.earlier_not_in_before(&form);
            calls.extend(self.calls.iter().chain(&self.made).chain(&self.others).copied());
            let names_one = |item: &&Item<'_>| {
                calls.iter().any(|call| self.match_strength(item, call) == MatchStrength::Certain)
            };
            let assigned =
                assign(calls.len(), same.len(), |call, item| self.match_strength(same[item], calls[call]));
            let matched = assigned.into_iter().flatten().count();
            (same.len() > matched && same.iter().all(names_one))
                .then(|| (same[0].name(), same.len(), matched))
        })
    }

    /// Returns the calls before the first read that had no entry of this form yet.
    fn earlier_not_in_before(&self, form: &str) -> Vec<&'a Exchange> {
        let known: Vec<_> = self.before.iter().map(Item::read).filter(|item| item.form() == form).collect();
        let kin = |call: usize, item: usize| self.match_strength(&known[item], self.earlier[call]);
        let assigned = assign(self.earlier.len(), known.len(), kin);
        self.earlier.iter().zip(assigned).filter(|(_, item)| item.is_none()).map(|(call, _)| *call).collect()
    }

    /// Returns whether an entry may belong to a call that the trace lacks: one that never arrived, or that is
    /// not recorded.
    fn may_be_untold(&self, item: &Item<'_>) -> bool {
        let went_out = item.direction == Some(Direction::FromTarget);
        (went_out && item.granted.is_none())
            || (self.beats_untold && item.direction != Some(Direction::ToTarget))
    }

    fn match_strength(&self, item: &Item<'_>, call: &Exchange) -> MatchStrength {
        item.match_strength(call, &self.paths)
    }
}

/// Assigns an item to each want by bipartite matching, as far as possible: certain matches first.
fn assign(wants: usize, items: usize, kin: impl Fn(usize, usize) -> MatchStrength) -> Vec<Option<usize>> {
    let mut taken_by: Vec<Option<usize>> = vec![None; items];
    for least in [MatchStrength::Certain, MatchStrength::Possible] {
        let fits = |want: usize, item: usize| kin(want, item) >= least;
        for want in 0..wants {
            if !taken_by.contains(&Some(want)) {
                place(want, &mut taken_by, &mut vec![false; items], &fits);
            }
        }
    }
    let mut given = vec![None; wants];
    for (item, want) in taken_by.into_iter().enumerate() {
        if let Some(want) = want {
            given[want] = Some(item);
        }
    }
    given
}

/// Finds an item for a want. Other wants move to another item if they can.
fn place(
    want: usize,
    taken_by: &mut [Option<usize>],
    tried: &mut [bool],
    fits: &impl Fn(usize, usize) -> bool,
) -> bool {
    for item in 0..taken_by.len() {
        if tried[item] || !fits(want, item) {
            continue;
        }
        tried[item] = true;
        if taken_by[item].is_none_or(|other| place(other, taken_by, tried, fits)) {
            taken_by[item] = Some(want);
            return true;
        }
    }
    false
}

/// Returns the entries in the result of `audit.list`.
fn entries(trace: &Trace, label: &str) -> Option<(u64, Vec<Value>)> {
    let (n, operation) = trace.operation(label)?;
    Some((n, operation.result.as_ref()?["entries"].as_array()?.clone()))
}

/// Returns whether an entry was there before. Entries are compared by id, because the other members may grow.
fn is_among(before: &[Value], entry: &Value) -> bool {
    match &entry["id"] {
        Value::Null => before.contains(entry),
        id => before.iter().any(|known| known["id"] == *id),
    }
}

fn beats_untold(trace: &Trace, peer: &str) -> bool {
    let mut notes = trace.entries().iter().filter_map(|entry| match &*entry.what {
        What::Note(note) => Some(note),
        _ => None,
    });
    notes.any(|note| note.kind == "counted" && note.facts["peer"] == peer)
}

/// Returns the CNs by which the target may know the peer: those that it assigned, signed or received from a
/// proxy, and those that follow from the id.
fn certificate_subjects(trace: &Trace, peer: &str, peer_id: &str) -> Vec<String> {
    let mut subjects = vec![inbound_subject(peer_id), peer_id.to_owned()];
    for (_, call) in trace.exchanges_of(peer, Direction::ToTarget) {
        let headers = call.request.headers.iter();
        subjects.extend(headers.filter_map(|(name, value)| forwarded_subject(name, value)));
        if let Some(data) = call.data().filter(|_| call.route() == Some(Route::Accept)) {
            let assigned = [&data, &data["trust_exchange"]].map(|place| &place["assigned_inbound_subject"]);
            subjects.extend(assigned.into_iter().filter_map(Value::as_str).map(ToOwned::to_owned));
            subjects.extend(signed_subject(&data));
        }
    }
    subjects.sort();
    subjects.dedup();
    subjects
}

/// Returns the CN in the certificate that the target signed for the peer.
fn signed_subject(accepted: &Value) -> Option<String> {
    let pem = accepted["federation_certificate"]["cert_pem"].as_str()?;
    let (_, block) = parse_x509_pem(pem.as_bytes()).ok()?;
    let certificate = block.parse_x509().ok()?;
    let name = certificate.subject().iter_common_name().find_map(|name| name.as_str().ok())?;
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Operation, Recorder};
    use covenant_model::wire::header::forwarded_g1;
    use covenant_model::wire::path::PREFIX;
    use serde_json::json;

    fn exchange(direction: Direction, method: &str, path: &str, status: u16, body: &Value) -> What {
        What::Exchange(
            Exchange::made("alice", direction).on(method, path).answered_with(status, body.clone()),
        )
    }

    /// Evaluates a check over a granted read, a refused read, and a heartbeat of the target between them.
    fn evaluated(
        evaluate: fn(&Trace, Arguments<'_>) -> CheckResult,
        before: &Value,
        mut new: Vec<Value>,
    ) -> Verdict {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        let call = |label, direction, method: &str, path: &str, status| {
            let body = json!({"success": true, "data": {"peer_id": "p"}});
            let mut what = exchange(direction, method, path, status, &body);
            if let (What::Exchange(exchange), Direction::ToTarget) = (&mut what, direction) {
                exchange.request.headers = forwarded_g1("p");
            }
            recorder.record(None, label, what);
        };
        call(None, Direction::ToTarget, "POST", "accept", 200);
        let look = |label: &str, entries: Vec<&Value>| {
            let result = Some(json!({ "entries": entries }));
            let list =
                Operation { method: "audit.list".into(), parameters: json!({}), result, failure: None };
            recorder.record(None, Some(label), What::Operation(list));
        };
        look("before", vec![before]);
        call(Some("call"), Direction::ToTarget, "GET", "resources/skill/a", 200);
        call(None, Direction::FromTarget, "POST", "heartbeat", 200);
        call(Some("call"), Direction::ToTarget, "GET", "resources/skill/b", 403);
        for (n, entry) in (1..).zip(&mut new) {
            entry["id"] = json!(n);
        }
        look("after", [before].into_iter().chain(&new).collect());
        let excerpt = json!({"data": {"events": new.iter().filter(|entry| entry["withheld"].is_null()).collect::<Vec<_>>()}});
        recorder.record(
            None,
            Some("excerpt"),
            exchange(Direction::ToTarget, "GET", "audit_excerpts", 200, &excerpt),
        );
        let labels = ["call", "before", "after", "excerpt"].map(|label| (label, label));
        let with = labels
            .into_iter()
            .chain([("peer", "alice")])
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        evaluate(&recorder.trace(), Arguments::new(&with)).verdict
    }

    /// Returns an entry as the reference platform writes it.
    fn entry(action: &str, path: &str, status: u16) -> Value {
        json!({"federation_peer_id": "p", "action": action, "route": format!("GET {PREFIX}/{path}"), "status": status})
    }

    fn granted() -> Value {
        entry("federation.resources", "resources/skill/a", 200)
    }

    fn refused() -> Value {
        entry("federation.resources", "resources/skill/b", 403)
    }

    fn own() -> Value {
        json!({"federation_peer_id": "p", "action": "federation.heartbeat.sent", "direction": "outbound", "status": 200})
    }

    fn seen(entry: &Value) -> Value {
        let mut entry = entry.clone();
        entry["action"] = json!("transport.resources");
        entry
    }

    fn logged(new: &[Value]) -> Verdict {
        evaluated(every_action_is_logged, &json!({"id": 0, "action": "accept"}), new.to_vec())
    }

    #[test]
    fn a_missing_a_nameless_and_a_doubled_entry_are_broken() {
        let anonymous = json!({"federation_peer_id": "", "action": "federation.resources", "status": 200});
        assert_eq!(logged(&[granted(), refused(), own()]), Kept);
        assert_eq!(logged(&[granted(), refused()]), Broken);
        assert_eq!(logged(&[granted(), own()]), Broken);
        assert_eq!(logged(&[anonymous, refused(), own()]), Broken);
        assert_eq!(logged(&[granted(), granted(), refused(), own()]), Broken);
        assert_eq!(logged(&[granted(), refused(), refused(), own()]), Broken);
        assert_eq!(logged(&[]), Broken);
    }

    #[test]
    fn entries_of_one_call_do_not_stand_for_another() {
        assert_eq!(logged(&[granted(), seen(&granted()), own()]), Broken);
        assert_eq!(logged(&[granted(), granted(), own(), own()]), Broken);
    }

    #[test]
    fn levels_and_background_are_no_doubles() {
        let levels = [granted(), seen(&granted()), refused(), seen(&refused()), own()];
        assert_eq!(logged(&levels), Kept);
        let sweep = json!({"federation_peer_id": "p", "action": "peer.liveness.checked"});
        let background: Vec<_> = [granted(), refused(), own()].into_iter().chain(vec![sweep; 9]).collect();
        assert_eq!(logged(&background), Kept);
        // A call of the target that never reached the peer.
        let attempt =
            json!({"federation_peer_id": "p", "action": "federation.heartbeat.sent", "status": null});
        assert_eq!(logged(&[granted(), refused(), own(), attempt.clone(), attempt]), Kept);
        // The accept came before the first read, and is logged after it.
        let late = entry("federation.accept", "accept", 200);
        assert_eq!(logged(&[granted(), refused(), own(), late.clone()]), Kept);
        assert_eq!(logged(&[granted(), refused(), own(), late.clone(), late]), Broken);
    }

    #[test]
    fn entries_that_say_little_are_counted() {
        let plain = |action: &str| json!({"federation_peer_id": "p", "action": action});
        assert_eq!(logged(&[plain("read"), plain("read"), plain("heartbeat")]), Kept);
        assert_eq!(logged(&[plain("read"), plain("read")]), Broken);
        assert_eq!(logged(&[plain("read"), plain("read"), plain("grant.used"), plain("heartbeat")]), Kept);
        assert_eq!(logged(&vec![plain("read"); 5]), Broken);
    }

    #[test]
    fn an_entry_that_grew_is_not_new() {
        let old = json!({"id": 0, "federation_peer_id": "p", "action": "federation.accept", "looked_at": 1});
        let grown = |new: Vec<Value>| evaluated(every_action_is_logged, &old, new);
        assert_eq!(grown(vec![granted(), refused(), own()]), Kept);
    }

    #[test]
    fn a_peer_under_another_name_is_not_seen() {
        let other = |mut entry: Value| {
            entry["peer"] = entry["federation_peer_id"].take();
            entry
        };
        assert_eq!(logged(&[other(granted()), other(refused()), other(own())]), Unproven);
        assert_eq!(logged(&[other(granted()), other(own())]), Broken);
    }

    fn acted(new: &[(Value, &str)]) -> Verdict {
        let by = |(entry, who): &(Value, &str)| {
            let mut entry = entry.clone();
            entry["payload"] = json!({"remote_subject": who});
            entry
        };
        evaluated(subjects_are_logged, &json!({"id": 0}), new.iter().map(by).collect())
    }

    #[test]
    fn a_call_that_no_one_is_named_for_is_broken() {
        assert_eq!(acted(&[(granted(), "fed:p"), (refused(), "p")]), Kept);
        assert_eq!(acted(&[(granted(), "federation-peer-p"), (refused(), "federation-peer-p")]), Kept);
        assert_eq!(acted(&[(granted(), "fed:p"), (refused(), "federation-peer-target")]), Broken);
        assert_eq!(acted(&[(granted(), "fed:p"), (refused(), "fed:target")]), Broken);
        assert_eq!(acted(&[(granted(), "fed:p"), (refused(), "")]), Broken);
        // An entry of another call does not stand for it.
        assert_eq!(acted(&[(granted(), "fed:p"), (granted(), "fed:p"), (refused(), "")]), Broken);
        // Nor does the platform's own call take an entry with the minimum content.
        let short = json!({"federation_peer_id": "p", "action": "federation.resources"});
        assert_eq!(acted(&[(granted(), "fed:p"), (short, ""), (own(), "fed:target")]), Broken);
        // The missing entry is reported by 5.1.
        assert_eq!(acted(&[(granted(), "fed:p"), (own(), "fed:target")]), Kept);
        assert_eq!(acted(&[]), Unproven);
    }

    #[test]
    fn an_excerpt_that_leaves_out_what_was_logged_is_broken() {
        let shown = |new: &[Value]| evaluated(excerpt_is_whole, &json!({"id": 0}), new.to_vec());
        let withheld = |mut entry: Value| {
            entry["withheld"] = json!(true);
            entry
        };
        assert_eq!(shown(&[granted(), refused(), own()]), Kept);
        assert_eq!(
            shown(&[granted(), refused(), withheld(own())]),
            Kept,
            "its own call is no act of the peer's"
        );
        assert_eq!(shown(&[granted(), withheld(refused()), own()]), Broken);
        assert_eq!(shown(&[withheld(granted()), withheld(refused())]), Broken);
        // A call that the audit lacks too is reported by 5.1.
        assert_eq!(shown(&[granted()]), Kept);
        assert_eq!(shown(&[]), Unproven);
        let sum = json!({"action": "resources", "count": 2});
        assert_eq!(shown(&[sum, withheld(granted()), withheld(refused())]), Unproven);
    }

    #[test]
    fn what_the_platform_did_itself_may_have_any_name() {
        let sweep = json!({"action": "peer.liveness.checked"});
        assert_eq!(acted(&[(granted(), "fed:p"), (refused(), "p"), (own(), ""), (sweep.clone(), "")]), Kept);
        assert_eq!(
            acted(&[(granted(), "fed:p"), (seen(&granted()), ""), (refused(), "p"), (seen(&refused()), "")]),
            Kept
        );
        // The trace does not show which call the entry belongs to.
        assert_eq!(acted(&[(granted(), "fed:p"), (sweep.clone(), ""), (sweep, "")]), Unproven);
    }
}
