//! `incompatible-versions-do-not-sync`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::handshake::Handshake;
use super::service::{is_refused, took_nothing};
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Stop};
use crate::check::query::{Call, labelled_calls};
use covenant_model::transcript::Trace;

/// The sync of a peer whose version is not compatible with the target's is refused, and its heartbeats are
/// accepted.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct IncompatibleVersionsDoNotSync {
    /// The accept or the heartbeat in which both sides report their versions.
    pub accept: Label,
    /// The peer's sync.
    pub call: Labels,
    /// The peer's heartbeats.
    pub probe: Label,
    /// The same sync of a peer whose version is compatible with the target's.
    pub control: Option<Labels>,
}

impl Check for IncompatibleVersionsDoNotSync {
    const ID: &'static str = "incompatible-versions-do-not-sync";
    const EXPECTED: &'static [&'static str] = &["the sync refused, the heartbeats accepted"];
    const CONTROL: Option<&'static str> =
        Some("the same sync of a peer of a compatible version was accepted, and the heartbeats were");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let controls = self.control.as_ref();
        let handshake = Handshake::of_incompatible(trace, &self.accept, controls)?;
        let valid: Vec<Call<'_>> = handshake.compatible_controls(trace, controls).collect();
        if let Some(control) = valid.iter().find(|control| !control.exchange.succeeded()) {
            let actual = format!("a conforming peer has the same result: {}", control.summary());
            return Err(Stop::unproven(actual, [handshake.n, control.n()]));
        }
        let versions = &handshake.versions;
        match labelled_calls(trace, &self.call).next() {
            Some(sync) if took_nothing(sync.exchange) => {
                let actual = format!("{versions}, and the sync was accepted, and nothing was stored");
                Err(Stop::unproven(actual, [handshake.n, sync.n()]))
            }
            Some(sync) if sync.exchange.succeeded() => {
                let actual = format!("{versions}, and the sync was accepted");
                Err(Stop::broken(actual, [handshake.n, sync.n()]))
            }
            Some(sync) if is_refused(sync.exchange) && valid.is_empty() && controls.is_some() => {
                let actual = format!("{versions}, and no peer of a compatible version synced");
                Err(Stop::unproven(actual, [handshake.n, sync.n()]))
            }
            Some(sync) if is_refused(sync.exchange) => handshake.all_served(trace, &[&self.probe], controls),
            _ => Err(Stop::unproven("the sync was neither accepted nor refused", [handshake.n])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c10::fixture::{VersionSteps, work};
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::json;

    type Checked = IncompatibleVersionsDoNotSync;

    /// Returns the verdict if a peer of this version was accepted with this status, and its sync got that.
    fn frozen(builder: TraceBuilder, version: &str, status: &str, sync: u16) -> Verdict {
        let builder = builder.federated(version, status).served("sync", sync).served("heartbeat", 200);
        builder.verdict::<Checked>(
            json!({"accept": "accept", "call": "sync", "probe": "heartbeat", "control": "valid"}),
        )
    }

    #[test]
    fn a_sync_between_incompatible_versions_is_broken() {
        assert_eq!(frozen(TraceBuilder::new(), "1.6.0", "enrolled", 422), Unproven, "no other peer synced");
        assert_eq!(frozen(TraceBuilder::new().syncs_as("bob", "valid"), "1.6.0", "enrolled", 422), Kept);
        assert_eq!(frozen(TraceBuilder::new(), "1.6.0", "enrolled", 200), Broken);
        assert_eq!(frozen(TraceBuilder::new(), "1.6.0", "enrolled", 500), Unproven);
        assert_eq!(frozen(TraceBuilder::new(), "1.6.0", "accepted", 422), Unproven);
        assert_eq!(frozen(TraceBuilder::new(), "1.5.0", "enrolled", 422), Unproven);
        assert_eq!(frozen(TraceBuilder::new().served("valid", 422), "1.6.0", "enrolled", 422), Unproven);
    }

    #[test]
    fn a_sync_that_stored_nothing_is_no_sync() {
        let federated =
            || TraceBuilder::new().accepts("alice", "1.6.0").accepts("bob", "1.4.0").syncs("bob", 200, 1);
        let frozen = |builder: TraceBuilder| work::<Checked>(builder, "sync-alice");
        assert_eq!(frozen(federated().syncs("alice", 200, 1)), Broken);
        assert_eq!(frozen(federated().syncs("alice", 200, 0)), Unproven);
        assert_eq!(frozen(federated().syncs("alice", 429, 0)), Unproven);
        assert_eq!(frozen(federated().syncs("alice", 422, 0)), Kept);
    }
}
