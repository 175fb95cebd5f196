//! `no-sync-to-incompatible-version`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::handshake::Handshake;
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls};
use covenant_model::transcript::Trace;
use covenant_model::wire::path::Route;

/// The target sends no sync to a peer whose version is not compatible with its own, and sends one to another
/// peer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct NoSyncToIncompatibleVersion {
    /// The accept, in which both sides report their versions.
    pub accept: Label,
    /// The peer of the incompatible version.
    pub peer: PeerName,
    /// A peer whose version is compatible with the target's.
    pub conforming: PeerName,
}

impl Check for NoSyncToIncompatibleVersion {
    const ID: &'static str = "no-sync-to-incompatible-version";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] = &["no sync to a peer of an incompatible version"];
    const CONTROL: Option<&'static str> =
        Some("a sync of the target to a peer of a compatible version arrived");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let handshake = Handshake::of_incompatible(trace, &self.accept, None)?;
        let sync = |peer: &str| -> Option<Call<'_>> {
            calls(trace).of(peer).made_by_target().on(Route::Sync).after(handshake.n).next()
        };
        if let Some(sync) = sync(&self.peer) {
            let actual = format!("{}, and a sync was sent", handshake.versions);
            return Err(Stop::broken(actual, [handshake.n, sync.n()]));
        }
        let Some(control) = sync(&self.conforming) else {
            return Err(handshake.unproven("exchanged no sync, and the other peer was sent none either"));
        };
        let actual = format!("{}: a sync was sent to another peer only", handshake.versions);
        Ok(Pass::new(actual, [handshake.n, control.n()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::c10::fixture::{VersionSteps, answer, routed};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Direction, Exchange};
    use serde_json::json;

    #[test]
    fn a_sync_to_a_peer_of_an_incompatible_version_is_broken() {
        let sent = |version: &str, to: &[&str]| {
            let mut builder = TraceBuilder::new().accepts("alice", version);
            for peer in to {
                let sync = routed(peer, ("POST", "sync"), &json!({}), answer(200, &json!({})));
                let sync = Exchange { direction: Direction::FromTarget, ..sync };
                builder = builder.call_from_target(sync);
            }
            builder.verdict::<NoSyncToIncompatibleVersion>(
                json!({"accept": "accept-alice", "peer": "alice", "conforming": "bob"}),
            )
        };
        assert_eq!(sent("1.6.0", &["bob"]), Kept);
        assert_eq!(sent("1.6.0", &["bob", "alice"]), Broken);
        assert_eq!(sent("1.6.0", &[]), Unproven);
        assert_eq!(sent("1.5.0", &["bob", "alice"]), Unproven);
    }
}
