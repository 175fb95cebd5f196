//! `major-break-follows-30-day-notice`.

use jiff::SignedDuration;
use schemars::JsonSchema;
use semver::Version;
use serde::Deserialize;

use super::announcement::{announced_otherwise, announcements};
use super::service::{is_like, shortfall, took_nothing, was_lost};
use crate::check::arguments::{Labels, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::general::{CallOutcome, call_outcome};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, calls, silence};
use covenant_model::operator::release::SetRelease;
use covenant_model::operator::{OperatorMethod, is_refusal_of_the_state};
use covenant_model::transcript::{Exchange, OperationFailure, Trace};

/// The minimum time between the announcement of a major break and the break.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A partner of the major version before is served until 30 days after the end was announced to it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct MajorBreakFollows30DayNotice {
    /// The partner.
    pub peer: PeerName,
    /// Its calls, before the end and after it.
    pub call: Labels,
}

impl Check for MajorBreakFollows30DayNotice {
    const ID: &'static str = "major-break-follows-30-day-notice";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const EXPECTED: &'static [&'static str] = &["every call accepted until 30 days after the notice"];

    // A target may serve the previous version for ever: only a break that comes too early violates the
    // clause.
    fn evaluate(&self, trace: &Trace) -> Outcome {
        let is_call = |call: &Call<'_>| {
            let label = call.entry.label.as_deref();
            label.is_some_and(|label| self.call.iter().any(|own| own == label))
        };
        let made: Vec<Call<'_>> = calls(trace).filter(is_call).collect();
        let broken = (0..made.len()).find(|place| ends_there(trace, &made[..=*place]));
        let (Some(first), None | Some(1..)) = (made.first(), broken) else {
            return Err(Stop::unproven("the version before was never served", []));
        };
        let mut before_end = made.iter().take(broken.unwrap_or(made.len()));
        if let Some((call, reason)) = before_end.find_map(|call| Some((call, shortfall(trace, call)?))) {
            let actual = format!("neither served nor cut off from what was served: {reason}");
            return Err(Stop::unproven(actual, [call.n()]));
        }
        match broken.and_then(|place| made.get(place)) {
            Some(call) => self.notice_precedes(trace, first, call),
            None => served_throughout(trace, &made, first),
        }
    }
}

impl MajorBreakFollows30DayNotice {
    /// Evaluates whether the notice of a break came 30 days before the first call that is no longer served.
    fn notice_precedes(&self, trace: &Trace, first: &Call<'_>, broken: &Call<'_>) -> Outcome {
        let end = shortfall(trace, broken).unwrap_or_else(|| broken.summary());
        let is_before = |call: &Call<'_>| call.n() < broken.n();
        let announced = announcements(trace, &self.peer).map(|(call, _)| call).find(is_before);
        let otherwise = || announced_otherwise(trace, &self.peer).filter(is_before);
        let Some(notice) = announced.or_else(otherwise) else {
            let mut later = announcements(trace, &self.peer).map(|(call, _)| call.n());
            let Some(later) = later.find(|n| *n > broken.n()) else {
                let actual = format!("no notice of any form, and {end}");
                return Err(silence(trace, &self.peer, actual, [first.n(), broken.n()]));
            };
            let actual = format!("the notice came only after {end}");
            return Err(Stop::broken(actual, [first.n(), broken.n(), later]));
        };
        let evidence = [first.n(), notice.n(), broken.n()];
        let elapsed = broken.at().duration_since(notice.at());
        let actual = format!("{} hours after the notice {end}", elapsed.as_hours());
        if elapsed < NOTICE {
            // An earlier notice may be lost where the way back is not shown open.
            return Err(silence(trace, &self.peer, actual, evidence));
        }
        if announced.is_none() {
            return Err(Stop::unproven(format!("{actual}; that was in another form"), evidence));
        }
        Ok(Pass::new(actual, evidence))
    }
}

/// Evaluates calls that were all served: there has to have been a break to wait for.
fn served_throughout(trace: &Trace, made: &[Call<'_>], first: &Call<'_>) -> Outcome {
    let evidence = made.iter().map(Call::n);
    let refused = refused_major(trace, first.n());
    let later = |n: &u64| made.last().filter(|last| last.n() > *n);
    if let Some((n, last)) = refused.and_then(|n| Some((n, later(&n)?))) {
        let actual = format!("the new major version was refused, and {}", last.summary());
        return Ok(Pass::new(actual, evidence.chain([n])));
    }
    if !runs_another_major(trace, first.n()) {
        let actual = "the target never reported that it runs another major version";
        return Err(Stop::unproven(actual, evidence));
    }
    Ok(Pass::new(format!("served throughout, from {}", first.summary()), evidence))
}

/// Returns whether the last of these calls shows that a version is no longer served: it was rejected, or it
/// had no effect, and a similar call was served before.
fn ends_there(trace: &Trace, made: &[Call<'_>]) -> bool {
    let Some((last, before)) = made.split_last() else { return false };
    let was_served = before.iter().any(|call| {
        call.exchange.peer == last.exchange.peer
            && is_like(call.exchange, last.exchange)
            && shortfall(trace, call).is_none()
    });
    let is_without_effect = took_nothing(last.exchange) || was_lost(trace, last);
    cuts_off(last.exchange) && before.is_empty()
        || was_served && (cuts_off(last.exchange) || is_without_effect)
}

/// Returns whether a call was rejected because of the version of its caller, as far as can be seen. A limit,
/// a failed answer and a broken connection are not the end of a version.
fn cuts_off(exchange: &Exchange) -> bool {
    const OTHER_VERSION: [u16; 2] = [501, 505];
    let is_other_version = exchange.status().is_some_and(|status| OTHER_VERSION.contains(&status));
    exchange.says_otherwise() || is_other_version || call_outcome(exchange) == CallOutcome::Refused
}

/// Returns the entry, after that one, in which the target refused to its operator another major version than it
/// reported: a platform may keep the clause in this way (`binding.md`, reading 58). An error that only says
/// that the call failed is no refusal of the version, and neither is one of an operator client that sets no release at all.
fn refused_major(trace: &Trace, since: u64) -> Option<u64> {
    let (_, first) = majors_reported(trace).next()?;
    let set = || trace.operations([SetRelease::METHOD]);
    set().find(|(_, operation)| operation.result.is_some())?;
    set().find_map(|(n, operation)| {
        let Some(OperationFailure::Refused { code, .. }) = operation.failure else { return None };
        let asked = Version::parse(operation.parameters["version"].as_str()?).ok()?.major;
        (n > since && asked != first && is_refusal_of_the_state(code)).then_some(n)
    })
}

/// Returns the major versions that the target reported, each with its entry.
fn majors_reported(trace: &Trace) -> impl Iterator<Item = (u64, u64)> {
    calls(trace)
        .filter_map(|call| Some((call.n(), Version::parse(&call.exchange.release_reported()?).ok()?.major)))
}

/// Returns whether the target reported, after that entry, another major version than it reported first:
/// without it there was no break to wait for.
fn runs_another_major(trace: &Trace, since: u64) -> bool {
    let first = majors_reported(trace).next().map(|(_, major)| major);
    majors_reported(trace).any(|(n, major)| n > since && Some(major) != first)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c10::fixture::{DAY, VersionSteps, answer, notice, routed};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    type Checked = MajorBreakFollows30DayNotice;

    /// Returns the verdict on alice's calls, `served` and `later`.
    pub(in crate::check::c10) fn broke_in_time(builder: &TraceBuilder) -> Verdict {
        builder.verdict::<Checked>(json!({"peer": "alice", "call": ["served", "later"]}))
    }

    #[test]
    fn a_break_before_30_days_of_notice_is_broken() {
        let announced = || TraceBuilder::new().runs("1.4.0").served("served", 200).sends(&notice());
        let after = |seconds: i64, status: u16| announced().advance(seconds).served("later", status);
        assert_eq!(broke_in_time(&after(30 * DAY - 1, 422)), Broken);
        assert_eq!(broke_in_time(&after(30 * DAY, 422)), Kept);
        let running = |release: &str| announced().runs(release).advance(30 * DAY).served("later", 200);
        assert_eq!(broke_in_time(&running("2.0.0")), Kept);
        assert_eq!(broke_in_time(&running("1.5.0")), Unproven);
        let silent =
            |status: u16| TraceBuilder::new().runs("1.4.0").served("served", 200).served("later", status);
        assert_eq!(broke_in_time(&silent(422)), Broken);
        assert_eq!(broke_in_time(&silent(505)), Broken);
        assert_eq!(broke_in_time(&TraceBuilder::new().served("served", 422)), Unproven);
        assert_eq!(broke_in_time(&TraceBuilder::new()), Unproven);
    }

    #[test]
    fn a_refused_major_after_which_the_partner_is_served_is_no_break() {
        let verdict_with = |sets_releases: bool, version: &str, code: i64, later: Option<u16>| {
            let refused = OperationFailure::Refused { code, message: "not announced".to_owned() };
            let asked = json!({ "version": version });
            let builder = TraceBuilder::new().runs("1.4.0").served("served", 200);
            let builder = builder.failed_operation("", "release.set", asked, refused);
            let builder = match later {
                Some(status) => builder.served("later", status),
                None => builder,
            };
            let minor = json!({"version": "1.5.0"});
            broke_in_time(&if sets_releases {
                builder.operation_with("", "release.set", minor, json!({}))
            } else {
                builder
            })
        };
        let verdict = |version: &str, code, later| verdict_with(true, version, code, later);
        assert_eq!(verdict_with(false, "2.0.0", -32009, Some(200)), Unproven, "it may set no release at all");
        assert_eq!(verdict("2.0.0", -32009, Some(200)), Kept);
        assert_eq!(verdict("2.0.0", -32012, Some(200)), Kept);
        assert_eq!(verdict("2.0.0", -32009, Some(422)), Broken, "it is cut off all the same");
        assert_eq!(verdict("2.0.0", -32009, None), Unproven, "nothing was served after it");
        assert_eq!(verdict("1.5.0", -32009, Some(200)), Unproven, "that is no major version");
        for code in [-32602, -32000, -32603] {
            assert_eq!(verdict("2.0.0", code, Some(200)), Unproven, "the call failed: {code}");
        }
    }

    #[test]
    fn a_call_that_was_never_served_is_no_break() {
        let verdict = |before: u16| {
            let later = routed("alice", ("POST", "sync"), &json!({}), answer(404, &json!({})));
            TraceBuilder::new()
                .runs("1.4.0")
                .served("served", 200)
                .syncs("alice", before, 1)
                .runs("2.0.0")
                .call("later", later)
                .verdict::<Checked>(json!({"peer": "alice", "call": ["served", "sync-alice", "later"]}))
        };
        assert_eq!(verdict(200), Broken);
        assert_eq!(verdict(404), Unproven);
    }

    #[test]
    fn a_sync_of_which_nothing_is_stored_any_more_is_a_break() {
        let verdict = |stored: [u64; 2]| {
            TraceBuilder::new()
                .runs("1.4.0")
                .served("served", 200)
                .syncs("alice", 200, stored[0])
                .runs("2.0.0")
                .syncs("alice", 200, stored[1])
                .verdict::<Checked>(json!({"peer": "alice", "call": ["served", "sync-alice"]}))
        };
        assert_eq!(verdict([1, 1]), Kept);
        assert_eq!(verdict([1, 0]), Broken);
        assert_eq!(verdict([0, 0]), Unproven);
    }

    #[test]
    fn a_migration_of_which_nothing_is_there_is_a_break() {
        let verdict = |exists: [bool; 2]| {
            let mut builder = TraceBuilder::new().runs("1.4.0").served("served", 200);
            for (id, exists) in ["7", "8"].into_iter().zip(exists) {
                builder = builder.migrates("alice", "migrated", id).reads("alice", "read", id, exists);
                builder = builder.runs("2.0.0");
            }
            builder.verdict::<Checked>(json!({"peer": "alice", "call": ["served", "migrated", "read"]}))
        };
        assert_eq!(verdict([true, true]), Kept);
        assert_eq!(verdict([true, false]), Broken);
        assert_eq!(verdict([false, false]), Unproven);
    }

    #[test]
    fn a_limit_or_a_failure_is_no_break() {
        for status in [429, 500, 503] {
            let builder = TraceBuilder::new().runs("1.4.0").served("served", 200);
            let builder = builder.runs("2.0.0").served("later", status);
            assert_eq!(broke_in_time(&builder), Unproven, "{status}");
        }
    }
}
