//! `join-avoids-deprecated-version`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::agreement::{is_same_version, requested_version};
use crate::check::arguments::PeerName;
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// As the joining side, the target asks for a contract version other than the deprecated one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct JoinAvoidsDeprecatedVersion {
    /// The peer that it joins.
    pub peer: PeerName,
    /// The deprecated version.
    pub version: u64,
    /// A peer that offers another version, if the other one offers the deprecated one alone: a join of it shows that the
    /// target joins at all.
    pub other: Option<PeerName>,
}

impl Check for JoinAvoidsDeprecatedVersion {
    const ID: &'static str = "join-avoids-deprecated-version";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] = &["a join on another version than the deprecated one"];
    const CONTROL: Option<&'static str> = Some("a join of the target to the same peer succeeded");

    fn expected(&self) -> Vec<String> {
        vec![format!("a join on another version than {}", self.version)]
    }

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let deprecated = json!(self.version);
        let accepts: Vec<Call<'_>> = calls(trace).of(&self.peer).made_by_target().on(Route::Accept).collect();
        let adopts = |accept: &&Call<'_>| is_same_version(&requested_version(accept.exchange), &deprecated);
        if let Some(accept) = accepts.iter().find(adopts) {
            return Err(Stop::final_breach(format!("it joins on version {deprecated}"), [accept.n()]));
        }
        let joined = self.other.as_ref().unwrap_or(&self.peer);
        let mut succeeded = calls(trace).of(joined).made_by_target().on(Route::Accept).accepted();
        let accept = succeeded.find(|accept| !adopts(&accept)).or_unproven("it joined no one")?;
        let actual = format!("it joins on version {}", requested_version(accept.exchange));
        Ok(Pass::new(actual, [accept.n()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;

    #[test]
    fn a_join_on_a_deprecated_version_is_broken() {
        let joined = |versions: &[u64]| {
            let join = |builder: TraceBuilder, requested: &u64| {
                let accept = Exchange::from_target("alice")
                    .on("POST", "accept")
                    .sending(json!({ "contract_version": requested }))
                    .answered_with(200, json!({"data": {}}));
                builder.call("join", accept)
            };
            let builder = versions.iter().fold(TraceBuilder::new(), join);
            builder.verdict::<JoinAvoidsDeprecatedVersion>(json!({"peer": "alice", "version": 7002}))
        };
        assert_eq!(joined(&[1]), Kept);
        assert_eq!(joined(&[7002]), Broken);
        assert_eq!(joined(&[1, 7002]), Broken);
        assert_eq!(joined(&[]), Unproven);
    }

    #[test]
    fn a_peer_that_offers_the_deprecated_version_alone_is_not_joined() {
        let joined = |joins: &[(&str, u64, u16)]| {
            let join = |builder: TraceBuilder, (peer, requested, status): &(&str, u64, u16)| {
                let accept = Exchange::from_target(peer)
                    .on("POST", "accept")
                    .sending(json!({ "contract_version": requested }))
                    .answered_with(*status, json!({"data": {}}));
                builder.call("join", accept)
            };
            let builder = joins.iter().fold(TraceBuilder::new(), join);
            let with = json!({"peer": "alice", "version": 1, "other": "bob"});
            builder.verdict::<JoinAvoidsDeprecatedVersion>(with)
        };
        assert_eq!(joined(&[("alice", 2, 422), ("bob", 2, 200)]), Kept);
        assert_eq!(joined(&[("bob", 2, 200)]), Kept, "it does not even ask");
        assert_eq!(joined(&[("alice", 1, 200), ("bob", 2, 200)]), Broken);
        assert_eq!(joined(&[("alice", 1, 200), ("bob", 1, 422)]), Broken);
        assert_eq!(joined(&[("alice", 2, 422), ("bob", 1, 422)]), Unproven);
        assert_eq!(joined(&[("alice", 2, 422)]), Unproven, "nothing shows that it joins at all");
    }
}
