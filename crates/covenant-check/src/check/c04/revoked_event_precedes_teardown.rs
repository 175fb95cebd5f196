//! `revoked-event-precedes-teardown`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::notice::{Form, Teardown};
use crate::check::arguments::{Label, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::Outcome;
use covenant_model::transcript::Trace;

/// A `platform.peer.revoked` event reaches the peer before its first refused call.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct RevokedEventPrecedesTeardown {
    /// The revoked peer.
    pub peer: PeerName,
    /// The operation that revokes.
    pub revoke: Label,
    /// The peer's calls after the revocation.
    pub call: Label,
    /// `true` if the peer was offline meanwhile: then the notice is due when the peer is back, before or after
    /// a refused call.
    #[serde(default)]
    pub offline: bool,
    /// The heartbeat by which the peer named another address. With it a breach is unproven unless a call of the target arrived
    /// there between this heartbeat and the revocation.
    pub moved: Option<Label>,
}

impl Check for RevokedEventPrecedesTeardown {
    const ID: &'static str = "revoked-event-precedes-teardown";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayBreak;
    const EXPECTED: &'static [&'static str] =
        &["a platform.peer.revoked event, before the first refused call"];

    fn expected(&self) -> Vec<String> {
        self.teardown().expected(Self::EXPECTED)
    }

    fn evaluate(&self, trace: &Trace) -> Outcome {
        self.teardown().evaluate(trace)
    }
}

impl RevokedEventPrecedesTeardown {
    fn teardown(&self) -> Teardown<'_> {
        let Self { peer, revoke, call, offline, moved } = self;
        Teardown { peer, revoke, call, offline: *offline, moved: moved.as_ref(), form: Form::Event }
    }
}
