//! The calls between two snapshots of the audit, and the entries that are new in the second. A snapshot is what
//! the operator sees, or the excerpt that the peer gets.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::audit_entry::{AuditEntry, MatchStrength, actions_in, has_subject, path_of_call};
use super::excerpt::excerpt_entries;
use super::matching::assign;
use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::outcome::{OrUnproven, Stop};
use crate::check::query::{Call, CallQuery, calls, labelled_calls, peer_id};
use covenant_model::operator::{OperatorMethod, audit};
use covenant_model::transcript::{Direction, Exchange, Note, NoteKind, Trace};
use covenant_model::wire::path::Route;

/// The first status that says that the server failed: perhaps one in front of the platform.
const SERVER_ERRORS: u16 = 500;
/// The statuses by which a router says that it has no such route.
const NO_SUCH_ROUTE: [u16; 3] = [404, 405, 501];

/// The calls of a peer between two snapshots of the audit, and the entries that are new in the second.
pub(super) struct AuditWindow<'a> {
    /// The calls that reached the peer's account, each an action.
    pub(super) calls: Vec<&'a Exchange>,
    /// The calls that the target made to the peer meanwhile, and that the peer answered.
    made: Vec<&'a Exchange>,
    /// The other calls of that peer and of the target that may be logged now: those that may not have reached the
    /// platform, those that the target attempted, and those at the edges of
    /// the window.
    others: Vec<&'a Exchange>,
    /// The calls before the first snapshot: they may be logged late.
    earlier: Vec<&'a Exchange>,
    /// The paths of all these calls.
    paths: BTreeSet<&'a str>,
    /// `true` if the target made calls that the trace does not record.
    has_unrecorded_calls: bool,
    before: Vec<Value>,
    /// The new entries.
    pub(super) new: Vec<Value>,
    /// The entries of the first snapshot that sum up more actions now, and by how many.
    grown: Vec<(Value, u64)>,
    /// The id under which the target stores the peer.
    pub(super) peer_id: String,
    /// The numbers of the snapshots and of the calls.
    pub(super) evidence: Vec<u64>,
    /// The entries that the operator sees, where the snapshots are excerpts and the operator can be asked.
    pub(super) seen_by_operator: Option<Vec<Value>>,
    /// `true` if the second snapshot is an excerpt.
    is_excerpt: bool,
}

impl<'a> AuditWindow<'a> {
    /// Reads the window of a peer's calls between the snapshots `before` and `after`. Without `before` it begins
    /// with the trace. The check is unproven if a snapshot or every call is missing.
    pub(super) fn read(
        trace: &'a Trace,
        peer: &PeerName,
        labels: &Labels,
        before: Option<&Label>,
        after: &Label,
    ) -> Result<Self, Stop> {
        const UNREADABLE: &str = "the audit could not be read";
        let last_call = labelled_calls(trace, labels).map(|call| call.n()).max().unwrap_or_default();
        let (first, before) = match before {
            Some(before) => audit_entries(trace, before).or_unproven(UNREADABLE)?,
            None => (0, vec![]),
        };
        let of_operator = audit_entries(trace, after).map(|(n, entries)| (n, entries, false));
        let of_excerpt = || disclosed_entries(trace, after).map(|(n, entries)| (n, entries, true));
        // Where the excerpt is only promised, the operator may see the log all the same.
        let listed = || listed_entries(trace).filter(|(n, _)| *n > last_call);
        let of_operator_after = || listed().map(|(n, entries)| (n, entries, false));
        let entries = of_operator.or_else(of_excerpt).or_else(of_operator_after);
        let (last, after, is_excerpt) = entries.or_unproven(UNREADABLE)?;
        let mut window = Self {
            calls: vec![],
            made: vec![],
            others: vec![],
            earlier: vec![],
            paths: BTreeSet::new(),
            has_unrecorded_calls: has_unrecorded_calls(trace, peer),
            grown: after.iter().filter_map(|entry| Some((entry.clone(), growth(&before, entry)?))).collect(),
            new: after.into_iter().filter(|entry| !is_among(&before, entry)).collect(),
            before,
            peer_id: peer_id(trace, peer).or_unproven("the peer's id is not known")?,
            evidence: Some(first).filter(|first| *first > 0).into_iter().collect(),
            seen_by_operator: listed_entries(trace).filter(|_| is_excerpt).map(|(_, entries)| entries),
            is_excerpt,
        };
        for call in calls(trace).of(peer) {
            window.paths.insert(path_of_call(call.exchange));
            let is_own = call.exchange.direction == Direction::FromTarget && call.exchange.succeeded();
            if call.has_label_of(labels) && !may_be_unseen(trace, call.exchange) {
                window.calls.push(call.exchange);
                window.evidence.push(call.n());
            } else if call.n() < first {
                window.earlier.push(call.exchange);
            } else if is_own && call.n() < last_call {
                window.made.push(call.exchange);
            } else if call.n() < last || (is_excerpt && call.n() == last) {
                // An excerpt may have the request for it.
                window.others.push(call.exchange);
            }
        }
        window.evidence.push(last);
        if window.calls.is_empty() {
            return Err(Stop::unproven("no call was made", window.evidence));
        }
        Ok(window)
    }

    /// Returns the calls that require an entry: each call of the peer, and any one of those that the target
    /// made, where the operator lists the audit. An excerpt may lack what the target did. The last call that the target makes
    /// between snapshots may not be logged yet.
    pub(super) fn owed(&self) -> Vec<Vec<&'a Exchange>> {
        let own = Some(self.made.clone()).filter(|made| !made.is_empty() && !self.is_excerpt);
        self.calls.iter().map(|call| vec![*call]).chain(own).collect()
    }

    /// Requires an entry for one of the target's own calls on this route or below it, and for no other one. The check is unproven if
    /// it made none.
    pub(super) fn require_own_on(&mut self, route: &str) -> Result<(), Stop> {
        let is_on_route = |call: &&Exchange| {
            call.route().is_some_and(|it| it.name().split('/').next().is_some_and(|first| first == route))
        };
        let (made, others) = self.made.drain(..).partition(is_on_route);
        self.made = made;
        self.others.extend::<Vec<_>>(others);
        if self.made.is_empty() {
            let actual = format!("the target made no call of its own on {route} that was answered");
            return Err(Stop::unproven(actual, self.evidence.clone()));
        }
        Ok(())
    }

    /// Returns the calls that the target made and that require no entry here.
    pub(super) fn own_others(&self) -> impl Iterator<Item = &'a Exchange> {
        self.others.iter().copied().filter(|call| call.direction == Direction::FromTarget)
    }

    /// Returns the entries that sum up several actions, each as often as it may stand for a call besides the one for
    /// which a new entry stands in any case.
    pub(super) fn summed(&self) -> impl Iterator<Item = &Value> {
        let most = u64::try_from(self.calls.len()).unwrap_or(u64::MAX);
        let new = self.new.iter().map(|entry| (entry, actions_in(entry).saturating_sub(1)));
        let sums = new.chain(self.grown.iter().map(|(entry, more)| (entry, *more)));
        sums.flat_map(move |(entry, more)| (0..more.min(most)).map(move |_| entry))
    }

    /// Returns whether an entry was in the first snapshot.
    pub(super) fn has_before(&self, entry: &Value) -> bool {
        is_among(&self.before, entry)
    }

    /// Returns the peer's calls that none of these entries fits.
    pub(super) fn unmatched(&self, entries: &[AuditEntry<'_>]) -> Vec<&'a Exchange> {
        self.without_entry(&self.calls, entries)
    }

    /// Returns the calls that none of these entries fits.
    fn without_entry(&self, calls: &[&'a Exchange], entries: &[AuditEntry<'_>]) -> Vec<&'a Exchange> {
        let strength = |call: usize, entry: usize| self.match_strength(&entries[entry], calls[call]);
        let assigned = assign(calls.len(), entries.len(), strength);
        calls.iter().zip(assigned).filter(|(_, entry)| entry.is_none()).map(|(call, _)| *call).collect()
    }

    /// Returns these entries without those that may belong to the target's own calls, one for each call.
    pub(super) fn without_own<'i>(&self, entries: Vec<AuditEntry<'i>>) -> Vec<AuditEntry<'i>> {
        let own: Vec<_> = self.made.iter().copied().chain(self.own_others()).collect();
        let strength = |call: usize, entry: usize| self.match_strength(&entries[entry], own[call]);
        let assigned = assign(own.len(), entries.len(), strength);
        let taken: BTreeSet<usize> = assigned.into_iter().flatten().collect();
        let rest = entries.into_iter().enumerate().filter(|(place, _)| !taken.contains(place));
        rest.map(|(_, entry)| entry).collect()
    }

    /// Returns entries with the same content that outnumber the calls that they can belong to: their name,
    /// and both numbers. An entry that names no call may belong to anything.
    pub(super) fn doubled<'i>(&self, entries: &[AuditEntry<'i>]) -> Option<(&'i str, usize, usize)> {
        let mut forms: BTreeMap<String, Vec<&AuditEntry<'i>>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| !self.may_be_unrecorded(entry)) {
            forms.entry(entry.form()).or_default().push(entry);
        }
        forms.into_iter().find_map(|(form, same)| {
            let mut calls = self.earlier_not_in_before(&form);
            calls.extend(self.calls.iter().chain(&self.made).chain(&self.others).copied());
            let names_a_call = |entry: &&AuditEntry<'_>| {
                calls.iter().any(|call| self.match_strength(entry, call) == MatchStrength::Certain)
            };
            let strength = |call: usize, entry: usize| self.match_strength(same[entry], calls[call]);
            let matched = assign(calls.len(), same.len(), strength).into_iter().flatten().count();
            (same.len() > matched && same.iter().all(names_a_call))
                .then(|| (same[0].name(), same.len(), matched))
        })
    }

    /// Returns the calls before the first snapshot that had no entry of this form yet.
    fn earlier_not_in_before(&self, form: &str) -> Vec<&'a Exchange> {
        let known = self.before.iter().map(AuditEntry::read).filter(|entry| entry.form() == form);
        self.without_entry(&self.earlier, &known.collect::<Vec<_>>())
    }

    /// Returns whether an entry may belong to a call that the trace lacks: one that never arrived, or that is
    /// not recorded.
    fn may_be_unrecorded(&self, entry: &AuditEntry<'_>) -> bool {
        let is_outgoing = entry.direction == Some(Direction::FromTarget);
        (is_outgoing && entry.admitted.is_none())
            || (self.has_unrecorded_calls && entry.direction != Some(Direction::ToTarget))
    }

    /// Returns whether an entry that the operator sees names the subject of a call, where the snapshots are
    /// excerpts.
    pub(super) fn operator_sees(&self, call: &Exchange, subjects: &[&str]) -> bool {
        let mut seen = self.seen_by_operator.iter().flatten();
        seen.any(|entry| {
            let strength = self.match_strength(&AuditEntry::read(entry), call);
            strength == MatchStrength::Certain && has_subject(entry, subjects)
        })
    }

    /// Returns the match strength of an entry and a call of the window.
    pub(super) fn match_strength(&self, entry: &AuditEntry<'_>, call: &Exchange) -> MatchStrength {
        entry.match_strength(call, &self.paths)
    }
}

/// Returns whether a router, a limit or a gateway may have rejected a call before the platform saw it, or whether it was
/// lost. A platform need not have each route: its router answers then, to each call alike.
fn may_be_unseen(trace: &Trace, call: &Exchange) -> bool {
    let Some(route) = call.route() else { return true };
    let is_on_each_platform = matches!(
        route,
        Route::Accept | Route::Heartbeat | Route::Resource { .. } | Route::Migrations | Route::AuditExcerpts
    );
    let is_same = |accepted: &Call<'_>| accepted.route().is_some_and(|it| it.name() == route.name());
    let is_absent = !is_on_each_platform
        && call.status().is_some_and(|status| NO_SUCH_ROUTE.contains(&status))
        && !calls(trace).made_by_peer().accepted().any(|accepted| is_same(&accepted));
    call.was_put_off() || call.status().is_none_or(|status| status >= SERVER_ERRORS) || is_absent
}

/// Returns the entries in the result of `audit.list`.
fn audit_entries(trace: &Trace, label: &str) -> Option<(u64, Vec<Value>)> {
    let (n, operation) = trace.operation(label)?;
    Some((n, operation.list("entries")?.clone()))
}

/// Returns the entries in the excerpt that a peer got.
fn disclosed_entries(trace: &Trace, label: &str) -> Option<(u64, Vec<Value>)> {
    let mut requests = calls(trace).labelled(label).rev();
    requests.find_map(|request| Some((request.n(), excerpt_entries(request.exchange)?)))
}

/// Returns the entries that the operator saw last.
fn listed_entries(trace: &Trace) -> Option<(u64, Vec<Value>)> {
    let mut listed = trace.operations([audit::List::METHOD]).rev();
    listed.find_map(|(n, listed)| Some((n, listed.list("entries")?.clone())))
}

/// Returns whether an entry was there before. Entries are compared by id, because the other members may grow.
fn is_among(before: &[Value], entry: &Value) -> bool {
    match &entry["id"] {
        Value::Null => before.contains(entry),
        id => before.iter().any(|known| known["id"] == *id),
    }
}

/// Returns by how many actions an entry that was there before sums up more now; `None` if it does not.
fn growth(before: &[Value], entry: &Value) -> Option<u64> {
    let is_same = |known: &&Value| !known["id"].is_null() && known["id"] == entry["id"];
    let known = before.iter().find(is_same)?;
    actions_in(entry).checked_sub(actions_in(known)).filter(|more| *more > 0)
}

/// Returns whether the trace does not record some calls of the target to this peer.
fn has_unrecorded_calls(trace: &Trace, peer: &str) -> bool {
    let is_unrecorded = |note: &Note| matches!(note.kind, NoteKind::Counted | NoteKind::RejectedByLimit);
    trace.notes().any(|(_, note)| is_unrecorded(note) && note.facts["peer"] == peer)
}
