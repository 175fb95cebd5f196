//! Incompatibilities in what is accepted, and with which status.

use serde_json::json;

use super::edit::{is, refuse, requires, turns};
use super::scenario::{FLOOD, LIFE, OUTCOMES, ROUTES, SYNC};
use super::{ReleaseChange, WITHOUT_CATALOG};
use covenant_net::net::Outbound;

/// Releases that refuse what they accepted, or answer it with another status.
pub(super) const CHANGES: &[ReleaseChange] = &[
    ReleaseChange::breaking(
        "release-requires-name-of-node",
        "member-required",
        LIFE,
        "Refuses a heartbeat without `node_name`.",
        requires!("heartbeat", "node_name"),
    )
    .entailing(&["scenario-ended"]),
    ReleaseChange::breaking(
        "release-requires-signed-accept",
        "member-required",
        LIFE,
        "Refuses an accept without `signature`.",
        requires!("accept", "signature"),
    )
    .entailing(&["scenario-ended"]),
    ReleaseChange::breaking(
        "release-requires-signed-plan",
        "member-required",
        LIFE,
        "Refuses a migration without `plan_sha256`.",
        requires!("migrations", "plan_sha256"),
    )
    .entailing(&["scenario-ended"]),
    ReleaseChange::breaking(
        "release-requires-version-of-batch",
        "member-required",
        SYNC,
        "Refuses a batch of a sync stream without `schema_version`.",
        requires!("sync", "schema_version"),
    )
    .entailing(&["scenario-ended"]),
    ReleaseChange::breaking(
        "release-closes-excerpts",
        "request-refused",
        ROUTES,
        "Refuses every request for an excerpt with 403.",
        turns!("audit_excerpts", 200, |sent| refuse(sent, 403, "Excerpts are for administrators")),
    ),
    ReleaseChange::breaking(
        "release-removes-trust-bundle",
        "request-refused",
        ROUTES,
        "Answers 404 to a request for the trust bundle.",
        turns!("trust_bundle", 200, |sent| *sent =
            Outbound::json(404, &json!({"status": 404, "error": "Not Found"}))),
    ),
    ReleaseChange::breaking(
        "release-answers-heartbeat-with-202",
        "status-changed",
        LIFE,
        "Answers a heartbeat with 202.",
        turns!("heartbeat", 200, |sent| sent.status = 202),
    )
    .entailing(&["scenario-ended", "call-gone"]),
    ReleaseChange::breaking(
        "release-answers-migration-with-200",
        "status-changed",
        LIFE,
        "Answers a migration with 200 for 201.",
        turns!("migrations", 201, |sent| sent.status = 200),
    ),
    ReleaseChange::breaking(
        "release-answers-unknown-migration-with-410",
        "status-changed",
        ROUTES,
        "Answers 410 for 404 to a request for an unknown migration.",
        turns!("migrations/show", 404, |sent| sent.status = 410),
    ),
    ReleaseChange::breaking(
        "release-fails-at-bundle",
        "answer-failed",
        ROUTES,
        "Answers 500 to a request for the trust bundle.",
        turns!("trust_bundle", 200, |sent| refuse(sent, 500, "Internal server error")),
    ),
    ReleaseChange::breaking(
        "release-drops-requests-for-catalog",
        "answer-gone",
        ROUTES,
        "Closes the connection at a request for the catalogue.",
        |policy| {
            policy.inbound.override_response = |call, sent| {
                if is(call, "service_catalog") {
                    sent.abort = true;
                }
            };
        },
    )
    .entailing(WITHOUT_CATALOG),
    ReleaseChange::breaking(
        "release-serves-suspended-peers",
        "refusal-gone",
        OUTCOMES,
        "Answers 200 to the heartbeat of a suspended peer.",
        |policy| {
            policy.inbound.override_response = |call, sent| {
                if is(call, "heartbeat") && matches!(sent.status, 401 | 403) {
                    *sent = Outbound::json(200, &json!({"success": true, "data": {"status": "active"}}));
                }
            };
        },
    ),
    ReleaseChange::breaking(
        "release-limits-nobody",
        "refusal-gone",
        FLOOD,
        "Answers 200 where it limited a flood.",
        |policy| {
            policy.inbound.override_response = |_, sent| {
                if sent.status == 429 {
                    *sent = Outbound::json(200, &json!({"success": true, "data": {"status": "active"}}));
                }
            };
        },
    )
    // What it answers in place of a limit has few of the members of an answer.
    .entailing(&["member-gone"]),
];
