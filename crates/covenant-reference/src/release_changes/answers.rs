//! Incompatibilities in the answers to peers.

use serde_json::{Value, json};

use super::edit::{answers, header, is, remove, rename, replace};
use super::scenario::{COMMIT, FLOOD, LIFE, ROUTES, SENT};
use super::{ReleaseChange, WITHOUT_CATALOG};

/// Releases whose answers a peer of the release before cannot read.
pub(super) const CHANGES: &[ReleaseChange] = &[
    ReleaseChange::breaking(
        "release-drops-status-from-heartbeat",
        "member-gone",
        LIFE,
        "Answers a heartbeat without `status`.",
        answers!("heartbeat", |body| remove(body, "/data/status")),
    )
    .entailing(&["scenario-ended"]),
    ReleaseChange::breaking(
        "release-drops-agreed-version",
        "member-gone",
        LIFE,
        "Answers an accept without `contract_version_agreed`.",
        answers!("accept", |body| remove(body, "/data/contract_version_agreed")),
    ),
    ReleaseChange::breaking(
        "release-drops-certificate-serial",
        "member-gone",
        LIFE,
        "Answers an accept with a certificate and without its `serial`.",
        answers!("accept", |body| remove(body, "/data/federation_certificate/serial")),
    ),
    ReleaseChange::breaking(
        "release-drops-time-of-read",
        "member-gone",
        LIFE,
        "Answers a read without `fetched_at`.",
        answers!("resources", |body| remove(body, "/data/fetched_at")),
    ),
    ReleaseChange::breaking(
        "release-drops-count-from-excerpt",
        "member-gone",
        ROUTES,
        "Answers an excerpt without `count`.",
        answers!("audit_excerpts", |body| remove(body, "/data/count")),
    ),
    ReleaseChange::breaking(
        "release-nulls-peer-kind",
        "member-null",
        LIFE,
        "Answers an accept with a null `peer_kind`.",
        answers!("accept", |body| replace(body, "/data/peer_kind", Value::Null)),
    ),
    ReleaseChange::breaking(
        "release-blanks-time-of-heartbeat",
        "member-null",
        LIFE,
        "Answers a heartbeat with a blank `last_heartbeat_at`.",
        answers!("heartbeat", |body| replace(body, "/data/last_heartbeat_at", json!(""))),
    ),
    ReleaseChange::breaking(
        "release-counts-records-as-text",
        "type-changed",
        LIFE,
        "Answers a migration with `applied_count` as text.",
        answers!("migrations", |body| replace(body, "/data/applied_count", json!("1"))),
    ),
    ReleaseChange::breaking(
        "release-sends-endpoints-by-scope",
        "type-changed",
        LIFE,
        "Answers a heartbeat with `our_endpoints` as an object by scope.",
        answers!("heartbeat", |body| {
            replace(body, "/data/our_endpoints", json!({"wan": []}));
        }),
    ),
    ReleaseChange::breaking(
        "release-renames-status-enrolled",
        "enum-changed",
        LIFE,
        "Answers an accept with the status `admitted` for `enrolled`.",
        answers!("accept", |body| rename(body, "/data/status", "enrolled", "admitted")),
    ),
    ReleaseChange::breaking(
        "release-capitalises-compatibility",
        "enum-changed",
        LIFE,
        "Answers a heartbeat with the compatibility in capitals.",
        answers!("heartbeat", |body| {
            rename(body, "/data/schema_compatibility/status", "compatible", "COMPATIBLE");
        }),
    ),
    ReleaseChange::breaking(
        "release-agrees-to-another-version",
        "value-changed",
        ROUTES,
        "Answers an accept with `contract_version_agreed` 2.",
        answers!("accept", |body| replace(body, "/data/contract_version_agreed", json!(2))),
    ),
    ReleaseChange::breaking(
        "release-opens-offerings-by-default",
        "value-changed",
        ROUTES,
        "Lists an offering that accepts subscriptions as one that does not.",
        answers!("service_catalog", |body| {
            replace(body, "/data/offerings/0/accepting_new_subscriptions", json!(false));
        }),
    ),
    ReleaseChange::breaking(
        "release-counts-milliseconds",
        "unit-changed",
        ROUTES,
        "Answers a subscription with its lifetime in milliseconds.",
        answers!("subscriptions", |body| {
            replace(body, "/data/ttl_seconds", json!(2_592_000_000_i64));
        }),
    ),
    ReleaseChange::breaking(
        "release-sends-days",
        "format-changed",
        LIFE,
        "Answers an accept with the day of `accepted_at`.",
        answers!("accept", |body| replace(body, "/data/accepted_at", json!("2026-06-01"))),
    ),
    ReleaseChange::breaking(
        "release-numbers-grants",
        "format-changed",
        LIFE,
        "Answers a read with a `grant_id` that is no UUID.",
        answers!("resources", |body| replace(body, "/data/grant_id", json!("grant-7"))),
    )
    .entailing(&["echo-changed"]),
    ReleaseChange::breaking(
        "release-shortens-versions",
        "format-changed",
        LIFE,
        "Answers a heartbeat with the peer's release as `1.4`.",
        answers!("heartbeat", |body| {
            replace(body, "/data/schema_compatibility/remote_version", json!("1.4"));
        }),
    ),
    ReleaseChange::breaking(
        "release-hides-its-endpoints",
        "list-item-gone",
        SENT,
        "Answers a heartbeat with an empty `our_endpoints`.",
        answers!("heartbeat", |body| replace(body, "/data/our_endpoints", json!([]))),
    ),
    ReleaseChange::breaking(
        "release-narrows-default-scopes",
        "list-item-gone",
        ROUTES,
        "Lists an offering with the default scope `admin` in place of `read`.",
        answers!("service_catalog", |body| {
            replace(body, "/data/offerings/0/default_grant_scopes", json!(["admin"]));
        }),
    ),
    ReleaseChange::breaking(
        "release-names-another-migration",
        "echo-changed",
        COMMIT,
        "Answers a commit with the id of another migration.",
        answers!("migrations/commit", |body| {
            replace(body, "/data/migration_id", json!("01a2075f-ab38-734e-bd8b-a790d60fdad4"));
        }),
    ),
    ReleaseChange::breaking(
        "release-omits-time-to-wait",
        "header-changed",
        FLOOD,
        "Limits a flood without `Retry-After`.",
        |policy| {
            policy.inbound.override_response = |_, sent| {
                if sent.status == 429 {
                    header(sent, "retry-after", None);
                }
            };
        },
    ),
    ReleaseChange::breaking(
        "release-sends-bundle-as-text",
        "header-changed",
        ROUTES,
        "Answers a request for the trust bundle with the type `text/plain`.",
        |policy| {
            policy.inbound.override_response = |call, sent| {
                if is(call, "trust_bundle") {
                    header(sent, "content-type", Some("text/plain"));
                }
            };
        },
    ),
    ReleaseChange::breaking(
        "release-sends-catalog-as-page",
        "body-changed",
        ROUTES,
        "Answers a request for the catalogue with a page of HTML.",
        |policy| {
            policy.inbound.override_response = |call, sent| {
                if is(call, "service_catalog") {
                    sent.body = "<html>Status page</html>".into();
                }
            };
        },
    )
    .entailing(WITHOUT_CATALOG),
];
