//! `granted-requests-are-served`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::grant::{Grant, requests};
use crate::check::arguments::{Label, Labels};
use crate::check::definition::{AbsentCall, Check};
use crate::check::enforcement::is_suspended_status;
use crate::check::general::{CallOutcome, call_outcome, is_rejected};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, is_denied, last_put, silence, status_shown};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// Each request that a grant allows, by the model of a grant, is served.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct GrantedRequestsAreServed {
    /// The requests under the grant.
    pub call: Labels,
    /// The operation that issued the grant.
    pub grant: Label,
    /// The seconds before the grant's end within which a request has to have been served.
    pub until_seconds: Option<u64>,
    /// The request under a fresh grant of the same peer. With it a refusal is a breach only if the target serves this request,
    /// refuses one under the grant before it and one after it, and could have announced the end of the grant.
    pub control: Option<Label>,
    /// The snapshot of the peer while it was suspended. With it the check is not kept unless the snapshot shows that.
    pub suspended: Option<Label>,
    /// `true` if the operator did something after which a target may end the grant or the peering with a notice. Then a refusal is a
    /// breach only where the notice could have arrived.
    #[serde(default)]
    pub may_end_with_notice: bool,
}

impl Check for GrantedRequestsAreServed {
    const ID: &'static str = "granted-requests-are-served";
    const EXPECTED: &'static [&'static str] = &["2xx for each request that the grant allows"];
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const TAKES_PLACED: bool = true;

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let grant = Grant::issued(trace, &self.grant)?;
        let (withdrawn, allowed): (Vec<Call<'_>>, Vec<Call<'_>>) = requests(trace, &self.call)
            .filter(|call| grant.covers(trace, call.exchange) && !grant.has_ended(trace, call))
            .filter(|call| !is_absent(trace, call))
            .partition(|call| grant.was_withdrawn(trace, call));
        let refused = allowed.iter().find(|call| is_refused(trace, call));
        let withdraws = |call: &Call<'_>| grant.may_be_withdrawn(trace, &call.exchange.peer);
        let announced = |call: &Call<'_>| grant.withdrawal(trace, &call.exchange.peer);
        if let Some((call, notice)) = refused.and_then(|call| Some((call, announced(call)?))) {
            let actual = format!("{}, and the target announced that it ended it by itself", call.summary());
            return Err(Stop::unproven(actual, [grant.n, call.n(), notice]));
        }
        if let Some((call, notice)) = refused.and_then(|call| Some((call, withdraws(call)?))) {
            let actual =
                format!("{}, and the peer was notified of a revocation in another form", call.summary());
            return Err(Stop::unproven(actual, [grant.n, call.n(), notice]));
        }
        if let Some(control) = &self.control {
            beside_control(trace, &grant, &allowed, control)?;
        }
        if let Some(call) = allowed.iter().find(|call| is_denied(trace, call.n(), call.exchange)) {
            let actual = format!("{}: it says that the record is not there", call.summary());
            return Err(self.breach(trace, &grant, call, actual));
        }
        if let Some(call) = allowed.iter().find(|call| is_rejected(call.exchange)) {
            return Err(self.breach(trace, &grant, call, call.summary()));
        }
        if let Some(call) = allowed.iter().find(|call| call_outcome(call.exchange) != CallOutcome::Admitted) {
            return Err(Stop::unproven(call.summary(), [grant.n, call.n()]));
        }
        if let Some(call) = withdrawn.first() {
            let actual = "the target itself revoked the grant, and announced it";
            return Err(Stop::unproven(actual, [grant.n, call.n()]));
        }
        if allowed.is_empty() {
            return Err(Stop::unproven("nothing was asked that is allowed", [grant.n]));
        }
        if let Some(label) = &self.suspended {
            let (n, status) = status_shown(trace, label).or_unproven("the peer was not shown")?;
            if is_suspended_status(status) != Some(true) {
                return Err(Stop::unproven(format!("it is {status} after peer.suspend"), [grant.n, n]));
            }
        }
        self.served(&grant, &allowed)
    }
}

impl GrantedRequestsAreServed {
    /// Returns the stop for a refused call. Where the target may end the grant with a notice, it is broken only if the notice could
    /// have arrived.
    fn breach(&self, trace: &Trace, grant: &Grant<'_>, call: &Call<'_>, actual: String) -> Stop {
        let evidence = [grant.n, call.n()];
        if self.may_end_with_notice {
            return silence(trace, &call.exchange.peer, actual, evidence);
        }
        Stop::broken(actual, evidence)
    }

    /// Returns the outcome if all that was allowed was served. If the check asks for it, the last request has
    /// to be made within a number of seconds before the end. A clock that runs between moves may pass the end
    /// before the last request arrives.
    fn served(&self, grant: &Grant<'_>, served: &[Call<'_>]) -> Outcome {
        let evidence = served.iter().map(Call::n);
        let seconds = served.iter().map(|call| grant.seconds_left(call)).min().unwrap_or(i64::MAX);
        let is_too_early = |until: u64| u64::try_from(seconds).is_ok_and(|seconds| seconds > until);
        if self.until_seconds.is_some_and(is_too_early) {
            let actual = format!("the last request that was served came {seconds} s before the grant's end");
            return Err(Stop::unproven(actual, evidence));
        }
        let actual =
            format!("{} allowed requests were served, the last {seconds} s before its end", served.len());
        Ok(Pass::new(actual, evidence))
    }
}

/// Stops if a request was refused: broken if that is so before and after a request under a fresh grant that was served, and
/// the way back is shown open, since the target may withdraw a grant with a notice; else unproven.
fn beside_control(trace: &Trace, grant: &Grant<'_>, allowed: &[Call<'_>], control: &str) -> Result<(), Stop> {
    let is_refused = |call: &&Call<'_>| is_refused(trace, call);
    let Some(first) = allowed.iter().find(is_refused) else { return Ok(()) };
    let served = calls(trace).labelled(control).accepted().next();
    let served = served.or_unproven_at("no request under a fresh grant was served", &[grant.n, first.n()])?;
    let last = allowed.iter().filter(is_refused).find(|call| call.n() > served.n());
    let evidence = [grant.n, first.n(), served.n()];
    let Some(last) = last.filter(|_| first.n() < served.n()) else {
        return Err(Stop::unproven(
            format!("{}: not before and after the control", first.summary()),
            evidence,
        ));
    };
    Err(silence(trace, &first.exchange.peer, first.summary(), evidence.into_iter().chain([last.n()])))
}

/// Returns whether the answer refuses a request, or says that a record is not there.
fn is_refused(trace: &Trace, call: &Call<'_>) -> bool {
    is_rejected(call.exchange) || is_denied(trace, call.n(), call.exchange)
}

/// Returns whether the answer says that a record is not there, and nobody put it there.
fn is_absent(trace: &Trace, call: &Call<'_>) -> bool {
    const NOT_FOUND: u16 = 404;
    let Some(Route::Resource { kind, id }) = call.route() else { return false };
    call.exchange.status() == Some(NOT_FOUND) && last_put(trace, call.n(), &kind, &id).is_none()
}
