//! `ended-grant-is-rejected`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::grant::{Grant, requests};
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::general::{CallOutcome, call_outcome, is_accepted};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, labelled_calls};
use covenant_model::transcript::Trace;

/// No request is served under a grant that has ended.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct EndedGrantIsRejected {
    /// The requests under the grant.
    pub call: Labels,
    /// The operation that issued the grant.
    pub grant: Label,
    /// Valid calls that are made after the grant's end.
    pub probe: Option<Labels>,
}

/// The reason for which a refusal proves nothing about the end.
const NEVER_SERVED: &str = "refused, but no request under the grant was served before its end either";

impl Check for EndedGrantIsRejected {
    const ID: &'static str = "ended-grant-is-rejected";
    const EXPECTED: &'static [&'static str] = &["4xx for each request under a grant that has ended"];
    const CONTROL: Option<&'static str> = Some(
        "a request under the grant was served before its end, and valid calls made afterwards are accepted",
    );
    const TAKES_PLACED: bool = true;

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let grant = Grant::issued(trace, &self.grant)?;
        let late: Vec<Call<'_>> = requests(trace, &self.call)
            .filter(|call| grant.covers(trace, call.exchange) && grant.has_surely_ended(trace, call))
            .collect();
        if let Some(call) = late.iter().find(|call| call_outcome(call.exchange) == CallOutcome::Admitted) {
            return Err(Stop::final_breach(call.summary(), [grant.n, call.n()]));
        }
        if late.is_empty() {
            return Err(Stop::unproven("nothing was asked after its end", [grant.n]));
        }
        if let Some(call) = late.iter().find(|call| call_outcome(call.exchange) != CallOutcome::Refused) {
            let actual = format!("neither refused nor accepted: {}", call.summary());
            return Err(Stop::unproven(actual, [grant.n, call.n()]));
        }
        let mut probes = self.probe.iter().flat_map(|labels| labelled_calls(trace, labels));
        if let Some(probe) = probes.find(|probe| !is_accepted(probe.exchange)) {
            let actual = format!("refused, but so was a valid call: {}", probe.summary());
            return Err(Stop::unproven(actual, [grant.n, probe.n()]));
        }
        let served = calls(trace).before(late[0].n()).accepted();
        let served = served.filter(|call| grant.covers(trace, call.exchange)).last_or(NEVER_SERVED)?;
        let evidence = [served.n()].into_iter().chain(late.iter().map(Call::n));
        Ok(Pass::new(format!("{} late requests were refused", late.len()), evidence))
    }
}
