//! `grant-lasts-in-real-time`.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Deserialize;

use super::watched_grant::WatchedGrant;
use crate::check::arguments::Label;
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use covenant_model::transcript::Trace;

/// The period before the end that counts as the last seconds.
const LAST_SECONDS: SignedDuration = SignedDuration::from_secs(5);

/// Reads under a grant are honoured up to its last seconds, by the target's own clock.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct GrantLastsInRealTime {
    /// The operation that records the grant.
    pub grant: Label,
    /// The reads under the grant.
    pub call: Label,
    /// Calls that need no grant.
    pub probe: Label,
}

impl Check for GrantLastsInRealTime {
    const ID: &'static str = "grant-lasts-in-real-time";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const EXPECTED: &'static [&'static str] = &["2xx up to the last second of the grant"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let grant = WatchedGrant::of(trace, &self.grant, &self.call, &self.probe)?;
        if let Some(read) = grant.reads.iter().find(|read| grant.was_cut_short_by(read)) {
            if let Some(notice) = grant.may_be_withdrawn {
                let actual = "the peer was notified of a revocation in another form";
                return Err(Stop::unproven(actual, [grant.n, read.n, notice]));
            }
            let early = grant.ends.duration_since(read.latest);
            return Err(Stop::broken(
                format!("refused at least {early:#} before its end"),
                [grant.n, read.n],
            ));
        }
        grant.was_not_revoked()?;
        let mut honoured = grant.reads.iter().rev().filter(|read| read.is_honoured);
        let last = honoured.next().or_unproven_at("no read under the grant was honoured", &[grant.n])?;
        let left = grant.ends.duration_since(last.shown_first());
        if left > LAST_SECONDS {
            let actual = format!("the last read that was honoured came {left:#} before its end");
            return Err(Stop::unproven(actual, [grant.n, last.n]));
        }
        Ok(Pass::new("honoured in its last seconds", [grant.n, last.n]))
    }
}
