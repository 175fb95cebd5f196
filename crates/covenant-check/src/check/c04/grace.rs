//! Checks of the grace (4.3): migrations in flight have it, and a peer that cuts it is noticed.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::notice::{events, has_event, has_status};
use super::{TRANSIENT_STATUS, at, begun};
use crate::check::common::{findings, new_findings, peer_id, reply_summary};
use crate::check::legacy::Arguments;
use crate::check::model::records;
use crate::check::{CheckResult, Verdict};
use covenant_model::transcript::{Direction, Entry, Exchange, Trace};
use covenant_model::wire::notice::kind;
use covenant_model::wire::path::Route;

/// The period in which a migration in flight may still be finished.
const GRACE: SignedDuration = SignedDuration::from_mins(5);
/// The last part of the grace. If no commit in time falls into it, the target may have cut the grace short.
const LAST_PART: SignedDuration = SignedDuration::from_secs(30);
/// The part of the grace that has to be left if a cut has to be noticed: by one clock or another the grace
/// may be over.
const LEFT_MIN: SignedDuration = SignedDuration::from_millis(500);

pub(super) fn grace_is_given(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| result.expecting("accepted within the grace, refused after it");
    let (in_time, late) = (commits(trace, with.text("call")), commits(trace, with.text("late")));
    let Some((_, first)) = in_time.first().filter(|_| !late.is_empty()) else {
        return expect(CheckResult::unproven("the open migrations were not committed", vec![]));
    };
    let revoked = revocation(trace, with.text("revoke")).filter(|_| were_opened(trace, with));
    let Some((revoked, grace)) = revoked.and_then(|n| Some((n, Grace::of(trace, n, &first.peer)?))) else {
        return expect(CheckResult::unproven("no migration was in flight at a revocation", vec![]));
    };
    // A running clock eats into the margins: a commit on the other side of the end proves nothing.
    let in_time: Vec<_> = in_time.into_iter().filter(|(entry, _)| !grace.may_be_over(entry.at)).collect();
    let late: Vec<_> = late.into_iter().filter(|(entry, _)| grace.is_over(entry.at)).collect();
    let evidence =
        [revoked].into_iter().chain(in_time.iter().chain(&late).map(|(entry, _)| entry.n)).collect();
    if let Some((entry, cut)) = in_time.iter().find(|(_, commit)| is_turned_away(commit)) {
        return expect(CheckResult::broken(
            format!("within the grace, {}", reply_summary(cut)),
            vec![revoked, entry.n],
        ));
    }
    if let Some((entry, taken)) = late.iter().find(|(_, commit)| commit.succeeded() && !is_open(commit)) {
        return expect(CheckResult::broken(
            format!("after the grace, {}", reply_summary(taken)),
            vec![revoked, entry.n],
        ));
    }
    if late.is_empty() || !in_time.iter().any(|(entry, _)| grace.is_in_its_last_part(entry.at)) {
        let actual = "the commits did not fall on both sides of the end of the grace";
        return expect(CheckResult::unproven(actual, evidence));
    }
    let unclear = in_time.iter().find(|(_, commit)| !commit.succeeded());
    if let Some((_, unclear)) = unclear.or_else(|| late.iter().find(|(_, commit)| !is_turned_away(commit))) {
        let actual = format!("neither accepted nor refused: {}", reply_summary(unclear));
        return expect(CheckResult::unproven(actual, evidence));
    }
    if let Some(absent) = absence(trace, with, revoked, &in_time) {
        return expect(absent);
    }
    let actual = format!("{} accepted within the grace, {} refused after it", in_time.len(), late.len());
    expect(CheckResult::kept(actual, evidence))
}

/// Returns the entry of the revocation: the operator's, or the peer's own notice if the target accepted it.
fn revocation(trace: &Trace, label: &str) -> Option<u64> {
    let taken = || trace.exchanges_labelled(label).find(|(_, notice)| notice.succeeded());
    trace.operation(label).map(|(n, _)| n).or_else(|| taken().map(|(n, _)| n))
}

/// Returns whether every migration that should be in flight was opened, and there is at least one.
fn were_opened(trace: &Trace, with: Arguments<'_>) -> bool {
    let labels = with.texts("open");
    let mut opened = labels.iter().flat_map(|label| trace.exchanges_labelled(label)).peekable();
    opened.peek().is_some() && opened.all(|(_, exchange)| exchange.status() == Some(ACCEPTED))
}

/// Returns whether a call was rejected for good.
fn is_turned_away(call: &Exchange) -> bool {
    call.was_refused() && call.status().is_none_or(|status| !TRANSIENT_STATUS.contains(&status))
}

const ACCEPTED: u16 = 202;
const COMPLETED: &str = "completed";

/// Returns whether an accepted commit says that it is not done yet.
fn is_open(commit: &Exchange) -> bool {
    commit.status() == Some(ACCEPTED) || said(commit).is_some_and(|status| status != COMPLETED)
}

/// Returns the status of the migration in the answer to its commit.
fn said(commit: &Exchange) -> Option<String> {
    Some(commit.data()?["status"].as_str()?.to_lowercase())
}

/// Returns the result for a commit within the grace whose record is not there: it had no effect, or it is not
/// done yet.
fn absence(
    trace: &Trace,
    with: Arguments<'_>,
    revoked: u64,
    in_time: &[(&Entry, &Exchange)],
) -> Option<CheckResult> {
    let absent = in_time.iter().filter_map(|(entry, commit)| {
        let (listed, id) = absent_record(trace, with, commit)?;
        let actual = format!("within the grace, {}, and {id} is not there", reply_summary(commit));
        let evidence = vec![revoked, entry.n, listed];
        let is_in_vain = !is_open(commit) && said(commit).is_some();
        Some(if is_in_vain {
            CheckResult::broken(actual, evidence)
        } else {
            CheckResult::unproven(format!("{actual} yet"), evidence)
        })
    });
    absent.min_by_key(|result| result.verdict != Verdict::Broken)
}

fn commits<'a>(trace: &'a Trace, label: &'a str) -> Vec<(&'a Entry, &'a Exchange)> {
    trace.labelled(label).filter_map(|entry| Some((entry, entry.exchange()?))).collect()
}

/// The start of the grace: the earliest and the latest one, if readings differ.
struct Grace {
    earliest: Timestamp,
    latest: Timestamp,
}

impl Grace {
    /// Returns the grace. It starts at the later of two moments: the notice, of the target or of the peer,
    /// and the moment that the notice names. Without a notice it starts at the revocation.
    fn of(trace: &Trace, revoked: u64, peer: &str) -> Option<Self> {
        let begun = begun(trace, revoked);
        let own = trace.exchanges().find(|(entry, _)| entry.n == revoked);
        let mut reported =
            trace.exchanges_of(peer, Direction::FromTarget).filter(|(entry, _)| entry.n > begun);
        let notice =
            own.or_else(|| reported.find(|(_, exchange)| has_event(exchange) || has_status(exchange)));
        let named = notice.and_then(|(_, exchange)| effective_at(exchange));
        let moments = [Some(at(trace, revoked)?), notice.map(|(entry, _)| entry.at), named];
        let earliest = at(trace, begun)?;
        let latest = moments.into_iter().flatten().max()?;
        Some(Self { earliest: named.map_or(earliest, |named| named.max(earliest)), latest })
    }

    fn may_be_over(&self, at: Timestamp) -> bool {
        at.duration_since(self.earliest) >= GRACE
    }

    fn is_over(&self, at: Timestamp) -> bool {
        at.duration_since(self.latest) >= GRACE
    }

    fn is_in_its_last_part(&self, at: Timestamp) -> bool {
        at.duration_since(self.earliest) >= GRACE - LAST_PART
    }

    fn is_left(&self, at: Timestamp, least: SignedDuration) -> bool {
        at.duration_since(self.earliest) <= GRACE - least
    }
}

/// Returns the moment from which the revocation is in force, according to its event.
fn effective_at(exchange: &Exchange) -> Option<Timestamp> {
    let event = events(exchange).find(|event| event["kind"] == kind::PEER_REVOKED)?;
    let said = [&event["payload"]["effective_at"], &event["effective_at"]];
    said.into_iter().find_map(|said| said.as_str()?.parse().ok())
}

/// Returns the record of a committed migration if it is missing in the operator's list.
fn absent_record(trace: &Trace, with: Arguments<'_>, commit: &Exchange) -> Option<(u64, String)> {
    let (listed, there) = records(trace, with.text_if_given("records")?)?;
    let path = commit.request.path.as_deref()?;
    let mut opened = with.texts("open").into_iter().flat_map(|label| trace.exchanges_labelled(label));
    let (_, open) = opened.find(|(_, open)| {
        let id = open.data().and_then(|data| data["migration_id"].as_str().map(ToOwned::to_owned));
        id.is_some_and(|id| path.contains(&id))
    })?;
    let plan = open.sent()?;
    let (kind, id) = (plan["root_resource_kind"].as_str()?, plan["root_resource_id"].as_str()?);
    let is_there = there.contains_key(&(kind.to_owned(), id.to_owned()));
    (!is_there).then_some((*listed.first()?, id.to_owned()))
}

/// Evaluates whether a cut within the grace is noticed. A finding that is raised about every failed migration
/// says nothing about the grace. A finding that is raised about a refusal just after the grace, but not about
/// one long after it, blames a conforming peer: the result is `broken`.
pub(super) fn cut_within_grace_is_noticed(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("a new finding about the peer, and none of that kind about one who kept the grace")
    };
    let peer = with.text("peer");
    let (Some((before_n, before)), Some((after_n, after))) =
        (findings(trace, with.text("before")), findings(trace, with.text("after")))
    else {
        return expect(CheckResult::unproven("the findings could not be read", vec![]));
    };
    let Some(cut) = cut_within_grace(trace, peer, with.text("revoke")) else {
        let actual = "the peer refused no commit while the grace was sure to last";
        return expect(CheckResult::unproven(actual, vec![before_n, after_n]));
    };
    let evidence = vec![cut, before_n, after_n];
    let raised = |name: &str| -> BTreeSet<&str> {
        let id = peer_id(trace, name).unwrap_or_default();
        new_findings(&before, &after, &id).into_iter().map(|finding| finding.kind.as_str()).collect()
    };
    let (of_peer, of_few, of_valid) =
        (raised(peer), raised(with.text("few")), raised(with.text("apart_from")));
    let own: BTreeSet<&str> = of_peer.difference(&of_valid).copied().collect();
    if let Some(slander) = own.intersection(&of_few).next() {
        let actual = format!("{slander} was raised about a peer that kept the grace, too");
        return expect(CheckResult::broken(actual, evidence));
    }
    match (own.first(), of_peer.first()) {
        (Some(kind), _) => expect(CheckResult::kept(format!("{kind} was raised"), evidence)),
        (None, Some(kind)) => {
            let actual = format!("only {kind} was raised, and about a valid refusal too");
            expect(CheckResult::unproven(actual, evidence))
        }
        (None, None) => expect(CheckResult::broken("no finding was raised", evidence)),
    }
}

/// Returns the commit that a peer refused after its own notice, while there was grace left by any clock.
fn cut_within_grace(trace: &Trace, peer: &str, notice: &str) -> Option<u64> {
    let left = revocation(trace, notice)?;
    let grace = Grace::of(trace, left, peer)?;
    let mut commits = trace.exchanges_of(peer, Direction::FromTarget).filter(|(entry, exchange)| {
        entry.n > left && matches!(exchange.route(), Some(Route::MigrationCommit { .. }))
    });
    let (entry, _) = commits.find(|(_, commit)| is_turned_away(commit))?;
    grace.is_left(entry.at, LEFT_MIN).then_some(entry.n)
}
