//! `no-remote-deletion-on-revocation`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::{Label, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, succeeded_operation};
use covenant_model::transcript::Trace;
use covenant_model::wire::migration::operation;
use covenant_model::wire::path::Route;

/// The reason for which the check ends without a migration and a revocation.
const NOT_MIGRATED: &str = "nothing was migrated, or the peer was not revoked";

/// A target that revokes a peer does not ask it to delete what was migrated to it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct NoRemoteDeletionOnRevocation {
    /// The peer that was revoked.
    pub peer: PeerName,
    /// The operation that sent the migration.
    pub migration: Label,
    /// The operation that revokes.
    pub revoke: Label,
}

impl Check for NoRemoteDeletionOnRevocation {
    const ID: &'static str = "no-remote-deletion-on-revocation";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] = &["no deletion requested from the peer"];
    const CONTROL: Option<&'static str> =
        Some("a migration of the target to the same peer arrived by the same route");

    // Deleting is an operation of its own (11.2), which no revocation asks for.
    fn evaluate(&self, trace: &Trace) -> Outcome {
        let (sent, _) = succeeded_operation(trace, &self.migration, NOT_MIGRATED)?;
        let (revoked, _) = succeeded_operation(trace, &self.revoke, NOT_MIGRATED)?;
        let migrations = || calls(trace).of(&self.peer).made_by_target().on(Route::Migrations);
        let deletes =
            |call: &Call<'_>| call.exchange.sent().is_some_and(|sent| sent["operation"] == operation::DELETE);
        if let Some(deletion) = migrations().after(sent).find(deletes) {
            return Err(Stop::final_breach(deletion.summary(), [sent, revoked, deletion.n()]));
        }
        let Some(migration) = migrations().before(sent).accepted().next() else {
            return Err(Stop::unproven("nothing was migrated to the peer", [sent, revoked]));
        };
        Ok(Pass::new("no deletion was requested", [migration.n(), revoked]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    #[test]
    fn a_deletion_that_a_revocation_asks_for_is_broken() {
        let verdict = |operations: &[&str]| {
            let mut builder = TraceBuilder::new();
            for (place, operation) in operations.iter().enumerate() {
                let migration = Exchange::from_target("alice")
                    .on("POST", "migrations")
                    .sending(json!({ "operation": operation }))
                    .answered(201);
                builder = builder.call_from_target(migration);
                if place == 0 {
                    builder = builder.operation("sent", "x", json!({}));
                }
            }
            builder.operation("revoked", "x", json!({})).verdict::<NoRemoteDeletionOnRevocation>(
                json!({"peer": "alice", "migration": "sent", "revoke": "revoked"}),
            )
        };
        assert_eq!(verdict(&["duplicate"]), Kept);
        assert_eq!(verdict(&["duplicate", "delete"]), Broken);
        assert_eq!(verdict(&[]), Unproven);
    }
}
