//! `grant-ends-in-real-time`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::watched_grant::WatchedGrant;
use crate::check::arguments::Label;
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use covenant_model::transcript::Trace;

/// No read under a grant is honoured after its end, by the target's own clock.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct GrantEndsInRealTime {
    /// The operation that records the grant.
    pub grant: Label,
    /// The reads under the grant.
    pub call: Label,
    /// Calls that need no grant.
    pub probe: Label,
}

impl Check for GrantEndsInRealTime {
    const ID: &'static str = "grant-ends-in-real-time";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] = &["401 or 403 from the grant's end on"];
    const CONTROL: Option<&'static str> = Some("a read under the same grant was honoured before its end");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let grant = WatchedGrant::of(trace, &self.grant, &self.call, &self.probe)?;
        if let Some(read) = grant.reads.iter().find(|read| grant.was_outlived_by(read)) {
            let late = read.earliest.duration_since(grant.ends);
            let actual = format!("honoured {late:#} after its end, by its own clock");
            return Err(Stop::broken(actual, [grant.n, read.n]));
        }
        grant.was_not_revoked()?;
        let mut late = grant.reads.iter().filter(|read| !read.is_honoured && read.earliest >= grant.ends);
        let refused = late.next().or_unproven_at("nothing was asked after its end", &[grant.n])?;
        // A grant that was never honoured may be no grant at all.
        if !grant.reads.iter().any(|read| read.is_honoured) {
            return Err(Stop::unproven("no read under the grant was honoured", [grant.n, refused.n]));
        }
        Ok(Pass::new("refused after its end", [grant.n, refused.n]))
    }
}
