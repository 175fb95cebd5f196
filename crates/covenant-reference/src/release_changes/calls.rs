//! Incompatibilities in the calls to peers, and in what is read of their answers.

use serde_json::{Value, json};

use super::ReleaseChange;
use super::edit::{calls, remove, rename, replace};
use super::scenario::{DISCLOSED, JOINED, NOTICE, SENT, SENT_MIGRATION, SENT_SYNC};
use covenant_model::wire::path::Route;

/// Releases whose calls a peer of the release before cannot read.
pub(super) const CHANGES: &[ReleaseChange] = &[
    ReleaseChange::breaking(
        "release-sends-no-release",
        "member-gone",
        SENT,
        "Sends a heartbeat without `platform_version`.",
        calls!(Heartbeat, |body| remove(body, "/platform_version")),
    ),
    ReleaseChange::breaking(
        "release-renames-own-status",
        "enum-changed",
        SENT,
        "Sends a heartbeat with the status `running` for `active`.",
        calls!(Heartbeat, |body| rename(body, "/status", "active", "running")),
    ),
    ReleaseChange::breaking(
        "release-sends-priority-as-text",
        "type-changed",
        SENT,
        "Sends a heartbeat with the priority of an endpoint as text.",
        calls!(Heartbeat, |body| replace(body, "/endpoints/0/priority", json!("10"))),
    ),
    ReleaseChange::breaking(
        "release-sends-no-endpoints",
        "list-item-gone",
        SENT,
        "Sends a heartbeat with no endpoint.",
        calls!(Heartbeat, |body| replace(body, "/endpoints", json!([]))),
    ),
    ReleaseChange::breaking(
        "release-joins-without-digest",
        "member-gone",
        JOINED,
        "Sends an accept without `contract_digest`.",
        calls!(Accept, |body| remove(body, "/contract_digest")),
    ),
    ReleaseChange::breaking(
        "release-joins-with-null-request",
        "member-null",
        JOINED,
        "Sends an accept with a null `caller_inbound_subject`.",
        calls!(Accept, |body| replace(body, "/caller_inbound_subject", Value::Null)),
    ),
    ReleaseChange::breaking(
        "release-joins-on-another-path",
        "call-gone",
        JOINED,
        "Sends an accept to a path of its own.",
        |policy| {
            policy.outbound.override_request = |route, sent| {
                if *route == Route::Accept {
                    sent.path_and_query = sent.path_and_query.replace("federation_api", "federation_api/v2");
                }
            };
        },
    )
    .entailing(&["scenario-ended"]),
    ReleaseChange::breaking(
        "release-sends-no-summary-of-plan",
        "member-gone",
        SENT_MIGRATION,
        "Sends a migration without `plan_summary`.",
        calls!(Migrations, |body| remove(body, "/plan_summary")),
    )
    .entailing(&["scenario-ended", "call-gone"]),
    ReleaseChange::breaking(
        "release-renames-conflict-policy",
        "enum-changed",
        SENT_MIGRATION,
        "Sends a migration with the conflict policy `keep` for `skip_if_exists`.",
        calls!(Migrations, |body| rename(body, "/steps/0/conflict_policy", "skip_if_exists", "keep")),
    )
    .entailing(&["scenario-ended", "call-gone"]),
    ReleaseChange::breaking(
        "release-sends-grants-under-another-scheme",
        "header-changed",
        SENT_MIGRATION,
        "Sends a bearer grant under the scheme `Grant`.",
        |policy| {
            policy.outbound.override_request = |route, sent| {
                if *route == Route::Migrations {
                    for (name, value) in &mut sent.headers {
                        if name == "authorization" {
                            *value = value.replacen("Bearer", "Grant", 1);
                        }
                    }
                }
            };
        },
    )
    .entailing(&["scenario-ended", "call-gone"]),
    ReleaseChange::breaking(
        "release-sends-batches-without-digest",
        "member-gone",
        SENT_SYNC,
        "Sends a batch of a sync stream without `sha256`.",
        calls!(Sync, |body| remove(body, "/sha256")),
    )
    .entailing(&["scenario-ended", "call-gone"]),
    ReleaseChange::breaking(
        "release-sends-batches-of-another-form",
        "type-changed",
        SENT_SYNC,
        "Sends a batch with its cursor as one text.",
        calls!(Sync, |body| replace(body, "/cursor", json!("0-7"))),
    )
    .entailing(&["scenario-ended", "call-gone"]),
    ReleaseChange::breaking(
        "release-renames-notice",
        "enum-changed",
        NOTICE,
        "Announces the end of a grant under another kind.",
        calls!(Heartbeat, |body| {
            rename(body, "/events/0/kind", "platform.grant.revoked", "federation.grant.ended");
        }),
    ),
    ReleaseChange::breaking(
        "release-announces-nothing",
        "member-gone",
        NOTICE,
        "Sends heartbeats without `events`.",
        calls!(Heartbeat, |body| remove(body, "/events")),
    ),
    ReleaseChange::breaking(
        "release-requires-more-of-an-accept",
        "call-gone",
        DISCLOSED,
        "Takes the answer to its accept for a failure, since it lacks `sdwan_attach`.",
        |policy| {
            policy.outbound.override_answer = |route, called| {
                if *route == Route::Accept && called.body.pointer("/data/sdwan_attach").is_none() {
                    called.status = None;
                    called.failure = Some("the answer lacks sdwan_attach".to_owned());
                }
            };
        },
    )
    .entailing(&["scenario-ended"]),
];
