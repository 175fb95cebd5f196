//! `open-migrations-have-grace`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::grace::Grace;
use super::revocation::revocation;
use crate::check::arguments::{Label, Labels};
use crate::check::definition::{AbsentCall, Check};
use crate::check::general::{CallOutcome, call_outcome};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::records;
use crate::check::query::{Call, CallQuery, calls, labelled_calls};
use covenant_model::transcript::Trace;

/// The target accepts every open migration within the grace after a revocation, and refuses it after the
/// grace.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct OpenMigrationsHaveGrace {
    /// The calls that open the migrations, as far as they are made.
    pub open: Labels,
    /// The operation that revokes, or the peer's own notice.
    pub revoke: Label,
    /// The commits within the grace.
    pub within_grace: Label,
    /// The commits after the grace.
    pub after_grace: Label,
    /// The operator's list of records after the commits within the grace.
    pub records: Option<Label>,
    /// The commits of another peer, whose peering lasts: its migrations were open at the same time. Unless one was admitted after it, a
    /// refusal within the grace is unproven.
    pub control: Option<Label>,
}

/// The status of a call that is accepted and not done yet.
const ACCEPTED: u16 = 202;
/// The status of a migration that is done.
const COMPLETED: &str = "completed";

impl Check for OpenMigrationsHaveGrace {
    const ID: &'static str = "open-migrations-have-grace";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const EXPECTED: &'static [&'static str] = &["accepted within the grace, refused after it"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let commits = |label| calls(trace).labelled(label).collect::<Vec<Call<'_>>>();
        let (in_time, late) = (commits(&self.within_grace), commits(&self.after_grace));
        let first = in_time.first().copied().filter(|_| !late.is_empty());
        let first = first.or_unproven("the open migrations were not committed")?;
        let (revoked, grace) =
            self.grace(trace, first).or_unproven("no migration was in flight at a revocation")?;
        // A running clock reduces the margins: a commit on the other side of the end proves nothing.
        let in_time: Vec<Call<'_>> =
            in_time.into_iter().filter(|commit| !grace.may_be_over(commit.at())).collect();
        let late: Vec<Call<'_>> = late.into_iter().filter(|commit| grace.is_over(commit.at())).collect();
        let evidence: Vec<u64> =
            [revoked].into_iter().chain(in_time.iter().chain(&late).map(Call::n)).collect();
        if let Some(cut) = in_time.iter().find(|commit| is_refused(commit)) {
            if let Some(control) = &self.control {
                let mut lasting = calls(trace).labelled(control).filter(|commit| {
                    commit.n() > cut.n() && call_outcome(commit.exchange) == CallOutcome::Admitted
                });
                let lacking = "the target does not accept what a peer whose peering lasts had open either";
                lasting.next().or_unproven_at(lacking, &[revoked, cut.n()])?;
            }
            return Err(Stop::broken(format!("within the grace, {}", cut.summary()), [revoked, cut.n()]));
        }
        if let Some(done) = late.iter().find(|commit| commit.exchange.succeeded() && !is_open(**commit)) {
            return Err(Stop::final_breach(
                format!("after the grace, {}", done.summary()),
                [revoked, done.n()],
            ));
        }
        if late.is_empty() || !in_time.iter().any(|commit| grace.is_in_last_part(commit.at())) {
            let actual = "the commits did not fall on both sides of the end of the grace";
            return Err(Stop::unproven(actual, evidence));
        }
        let unclear = in_time.iter().find(|commit| !commit.exchange.succeeded());
        let unclear = unclear.or_else(|| late.iter().find(|commit| !is_refused(commit)));
        if let Some(unclear) = unclear {
            let actual = format!("neither accepted nor refused: {}", unclear.summary());
            return Err(Stop::unproven(actual, evidence));
        }
        self.require_records(trace, revoked, &in_time)?;
        let actual = format!("{} accepted within the grace, {} refused after it", in_time.len(), late.len());
        Ok(Pass::new(actual, evidence))
    }
}

impl OpenMigrationsHaveGrace {
    /// Returns the entry of the revocation and the grace after it. Returns `None` unless every migration that
    /// should be in flight was opened, and there is at least one.
    fn grace(&self, trace: &Trace, commit: Call<'_>) -> Option<(u64, Grace)> {
        let revoked = revocation(trace, &self.revoke)?;
        let mut opened = labelled_calls(trace, &self.open).peekable();
        let were_opened =
            opened.peek().is_some() && opened.all(|call| call.exchange.status() == Some(ACCEPTED));
        let grace = Grace::of(trace, revoked, &commit.exchange.peer)?;
        were_opened.then_some((revoked, grace))
    }

    /// Ends the check for a commit within the grace whose record is not there: the commit had no effect, or
    /// it is not done yet.
    fn require_records(&self, trace: &Trace, revoked: u64, in_time: &[Call<'_>]) -> Result<(), Stop> {
        let absences = in_time.iter().filter_map(|commit| {
            let (listed, id) = self.absent_record(trace, *commit)?;
            let actual = format!("within the grace, {}, and {id} is not there", commit.summary());
            let evidence = [revoked, commit.n(), listed];
            let is_without_effect = !is_open(*commit) && status_in(*commit).is_some();
            Some(if is_without_effect {
                Stop::broken(actual, evidence)
            } else {
                Stop::unproven(format!("{actual} yet"), evidence)
            })
        });
        match absences.min_by_key(|stop| !matches!(stop, Stop::Broken(_))) {
            Some(stop) => Err(stop),
            None => Ok(()),
        }
    }

    /// Returns the record of a committed migration if it is missing in the operator's list, with the entry of
    /// the list.
    fn absent_record(&self, trace: &Trace, commit: Call<'_>) -> Option<(u64, String)> {
        let (listed, records) = records(trace, self.records.as_deref()?)?;
        let path = commit.exchange.request.path.as_deref()?;
        let open = labelled_calls(trace, &self.open).find(|open| {
            let data = open.exchange.data();
            let id = data.as_ref().and_then(|data| data["migration_id"].as_str());
            id.is_some_and(|id| path.contains(id))
        })?;
        let plan = open.exchange.sent()?;
        let (kind, id) = (plan["root_resource_kind"].as_str()?, plan["root_resource_id"].as_str()?);
        let is_there = records.contains_key(&(kind.to_owned(), id.to_owned()));
        (!is_there).then_some((*listed.first()?, id.to_owned()))
    }
}

fn is_refused(commit: &Call<'_>) -> bool {
    call_outcome(commit.exchange) == CallOutcome::Refused
}

/// Returns whether an accepted commit says that it is not done yet.
fn is_open(commit: Call<'_>) -> bool {
    commit.exchange.status() == Some(ACCEPTED) || status_in(commit).is_some_and(|status| status != COMPLETED)
}

/// Returns the status of the migration in the response to its commit.
fn status_in(commit: Call<'_>) -> Option<String> {
    Some(commit.exchange.data()?["status"].as_str()?.to_lowercase())
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use serde_json::{Value, json};

    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use covenant_model::wire::notice::kind::PEER_REVOKED;

    fn call(status: u16, answer: Value) -> Exchange {
        Exchange::to_target("alice").on("POST", "heartbeat").sending(json!({})).answered_with(status, answer)
    }

    fn verdict(builder: &TraceBuilder) -> Verdict {
        builder.verdict::<OpenMigrationsHaveGrace>(json!({
            "open": "open", "revoke": "revoke", "within_grace": "in time", "after_grace": "late",
        }))
    }

    /// Returns the verdict on commits that get these statuses, each this many seconds after the revocation.
    /// The notice comes with the revocation and names a time this many seconds later.
    fn grace_of(named: Option<i64>, in_time: &[(i64, u16)], late: &[(i64, u16)]) -> Verdict {
        let mut builder = TraceBuilder::new().call("open", call(202, json!({})));
        if let Some(seconds) = named {
            let effective_at = builder.now() + SignedDuration::from_secs(seconds);
            let event = json!({"kind": PEER_REVOKED, "payload": {"effective_at": effective_at.to_string()}});
            let notice = Exchange::from_target("alice").on("POST", "heartbeat");
            let notice = notice.sending(json!({"events": [event]})).answered_with(200, json!({}));
            builder = builder.call_from_target(notice);
        }
        builder = builder.operation("revoke", "peer.revoke", json!({}));
        let mut now = 0;
        for (label, commits) in [("in time", in_time), ("late", late)] {
            for (seconds, status) in commits {
                builder = builder.advance(seconds - now).call(label, call(*status, json!({})));
                now = *seconds;
            }
        }
        verdict(&builder)
    }

    #[test]
    fn a_grace_that_is_too_short_or_too_long_is_broken() {
        assert_eq!(grace_of(None, &[(299, 201)], &[(301, 401)]), Kept);
        assert_eq!(grace_of(None, &[(299, 401)], &[(301, 401)]), Broken);
        assert_eq!(grace_of(None, &[(299, 201)], &[(301, 201)]), Broken);
        assert_eq!(grace_of(None, &[(299, 500)], &[(301, 401)]), Unproven);
        assert_eq!(grace_of(None, &[(302, 401)], &[(310, 401)]), Unproven, "the clock ran on");
        assert_eq!(grace_of(None, &[(290, 201)], &[(299, 201)]), Unproven);
    }

    #[test]
    fn a_refusal_counts_beside_a_commit_of_a_peer_whose_peering_lasts() {
        let lasting_at = |is_after: bool, lasting: Option<u16>, in_time: u16| {
            let mut builder = TraceBuilder::new().call("open", call(202, json!({}))).operation(
                "revoke",
                "peer.revoke",
                json!({}),
            );
            let control = |builder: TraceBuilder| match lasting {
                Some(status) => {
                    let commit =
                        Exchange::to_target("bob").on("POST", "migrations/m/commit").sending(json!({}));
                    builder.call("lasting", commit.answered_with(status, json!({})))
                }
                None => builder,
            };
            if !is_after {
                builder = control(builder);
            }
            builder = builder.call("in time", call(in_time, json!({})));
            builder = builder.advance(299).call("in time", call(in_time, json!({})));
            if is_after {
                builder = control(builder);
            }
            let builder = builder.advance(2).call("late", call(401, json!({})));
            builder.verdict::<OpenMigrationsHaveGrace>(json!({
                "open": "open", "revoke": "revoke", "within_grace": "in time", "after_grace": "late", "control": "lasting",
            }))
        };
        let verdict = |lasting: Option<u16>, in_time: u16| lasting_at(true, lasting, in_time);
        assert_eq!((verdict(Some(201), 201), verdict(Some(201), 401)), (Kept, Broken));
        assert_eq!(lasting_at(false, Some(201), 401), Unproven, "what was open may be lost since then");
        for lost in [Some(202), Some(404), Some(409), Some(503), None] {
            assert_eq!(verdict(lost, 404), Unproven, "{lost:?}: a restart lost what was open");
        }
        assert_eq!(verdict(Some(404), 201), Kept);
    }

    #[test]
    fn every_commit_has_the_grace() {
        assert_eq!(grace_of(None, &[(1, 201), (299, 201)], &[(301, 401), (400, 401)]), Kept);
        assert_eq!(grace_of(None, &[(1, 201), (299, 401)], &[(301, 401)]), Broken);
        assert_eq!(grace_of(None, &[(299, 201)], &[(301, 401), (400, 201)]), Broken);
        // The clock runs on before the second one: it says nothing, and the first is enough.
        assert_eq!(grace_of(None, &[(299, 201), (300, 401)], &[(301, 401)]), Kept);
    }

    #[test]
    fn a_rate_limit_does_not_cut_the_grace() {
        for status in [429, 408, 503] {
            assert_eq!(grace_of(None, &[(299, status)], &[(301, 401)]), Unproven, "{status}");
        }
        assert_eq!(grace_of(None, &[(60, 429), (299, 401)], &[(301, 401)]), Broken);
        assert_eq!(grace_of(None, &[(299, 201)], &[(301, 429)]), Unproven, "refused for another cause");
    }

    #[test]
    fn a_running_clock_proves_a_cut_and_no_full_grace() {
        assert_eq!(grace_of(None, &[(60, 401), (303, 401)], &[(305, 401)]), Broken);
        assert_eq!(grace_of(None, &[(60, 201), (303, 401)], &[(305, 401)]), Unproven);
        assert_eq!(grace_of(None, &[(60, 201), (289, 201), (303, 401)], &[(305, 401)]), Kept);
    }

    /// Returns the verdict on a commit within the grace that gets this answer, and whose record is there or
    /// not.
    fn committed((status, reported): (u16, &str), is_there: bool) -> Verdict {
        let ask = |path: &str, sent: Value, status, answer: Value| {
            Exchange::to_target("alice").on("POST", path).sending(sent).answered_with(status, answer)
        };
        let plan = json!({"root_resource_kind": "skill", "root_resource_id": "r1"});
        let opened = json!({"data": {"migration_id": "m1"}});
        let answer = json!({"data": {"migration_id": "m1", "status": reported}});
        let listed = if is_there { json!([{"kind": "skill", "id": "r1", "record": {}}]) } else { json!([]) };
        TraceBuilder::new()
            .call("open", ask("migrations", plan, 202, opened))
            .operation("revoke", "peer.revoke", json!({}))
            .advance(299)
            .call("in time", ask("migrations/m1/commit", json!({}), status, answer))
            .operation("records", "resource.list", json!({ "resources": listed }))
            .advance(2)
            .call("late", call(401, json!({"error": "Certificate is revoked"})))
            .verdict::<OpenMigrationsHaveGrace>(json!({
                "open": "open", "revoke": "revoke", "within_grace": "in time", "after_grace": "late",
                "records": "records",
            }))
    }

    #[test]
    fn only_a_commit_that_is_reported_as_completed_can_be_without_effect() {
        assert_eq!(committed((201, "completed"), true), Kept);
        assert_eq!(committed((201, "completed"), false), Broken);
        for open in [(202, "applying"), (200, "applying"), (202, "completed")] {
            assert_eq!(committed(open, true), Kept, "{open:?}");
            assert_eq!(committed(open, false), Unproven, "{open:?}");
        }
    }

    #[test]
    fn a_commit_that_is_not_done_yet_was_not_accepted_after_the_grace() {
        let late = |status: u16, reported: &str| {
            let builder = TraceBuilder::new()
                .call("open", call(202, json!({})))
                .operation("revoke", "peer.revoke", json!({}))
                .advance(299)
                .call("in time", call(201, json!({})))
                .advance(2)
                .call("late", call(status, json!({"data": {"status": reported}})));
            verdict(&builder)
        };
        assert_eq!(late(201, "completed"), Broken);
        assert_eq!(late(202, "applying"), Unproven);
        assert_eq!(late(200, "cancelled"), Unproven);
    }

    /// Returns the verdict on a notice of the peer that gets this status, and on its commits.
    fn revoked_by_peer(status: u16, in_time: u16, late: u16) -> Verdict {
        let builder = TraceBuilder::new().call("open", call(202, json!({}))).advance(600);
        let event = json!({"kind": PEER_REVOKED, "payload": {"effective_at": builder.now().to_string()}});
        let notice = call(status, json!({})).sending(json!({"status": "revoked", "events": [event]}));
        let builder = builder
            .call("revoke", notice)
            .advance(299)
            .call("in time", call(in_time, json!({})))
            .advance(2)
            .call("late", call(late, json!({})));
        verdict(&builder)
    }

    #[test]
    fn a_peer_that_revokes_has_the_grace_too() {
        assert_eq!(revoked_by_peer(200, 201, 401), Kept);
        assert_eq!(revoked_by_peer(200, 401, 401), Broken);
        assert_eq!(revoked_by_peer(200, 201, 201), Broken);
        assert_eq!(revoked_by_peer(503, 401, 401), Unproven, "its notice was not accepted");
    }

    #[test]
    fn the_grace_starts_at_the_time_that_the_notice_names() {
        assert_eq!(grace_of(Some(0), &[(299, 201)], &[(301, 401)]), Kept);
        assert_eq!(grace_of(Some(60), &[(299, 201)], &[(301, 201)]), Unproven, "it ends at 360");
        assert_eq!(grace_of(Some(60), &[(359, 201)], &[(361, 401)]), Kept);
        assert_eq!(grace_of(Some(60), &[(359, 401)], &[(361, 401)]), Broken);
        assert_eq!(grace_of(Some(-60), &[(299, 201)], &[(301, 401)]), Kept);
        assert_eq!(grace_of(Some(-60), &[(299, 401)], &[(301, 401)]), Broken);
    }
}
