//! Changes that break nothing: a peer of the release before goes on as it did.

use serde_json::{Value, json};

use super::ReleaseChange;
use super::edit::{add, answers, any_answer, calls, header, is, list, remove, replace};
use super::scenario::{FLOOD, JOINED, LIFE, OUTCOMES, ROUTES, SENT, SENT_MIGRATION, SENT_SYNC, SYNC};
use covenant_net::net::Outbound;

/// Releases that add to the one before.
pub(super) const CHANGES: &[ReleaseChange] = &[
    ReleaseChange::addition(
        "release-adds-load-to-heartbeat",
        LIFE,
        "Answers a heartbeat with a new member `load`.",
        answers!("heartbeat", |body| add(body, "/data", "load", json!(0.5))),
    ),
    ReleaseChange::addition(
        "release-adds-region-to-accept",
        LIFE,
        "Answers an accept with a new object `region`.",
        answers!("accept", |body| {
            add(body, "/data", "region", json!({"name": "north", "zones": [1]}));
        }),
    ),
    ReleaseChange::addition(
        "release-adds-revision-to-records",
        LIFE,
        "Answers a read with a new member `revision`.",
        answers!("resources", |body| add(body, "/data", "revision", json!(3))),
    ),
    ReleaseChange::addition(
        "release-adds-duration-to-migrations",
        LIFE,
        "Answers a migration with a new member `duration_ms`.",
        answers!("migrations", |body| add(body, "/data", "duration_ms", json!(12))),
    ),
    ReleaseChange::addition(
        "release-adds-kind-of-audit-entry",
        ROUTES,
        "Answers an excerpt with one entry more, of a new kind.",
        answers!("audit_excerpts", |body| {
            list(body, "/data/events", |events| {
                events.push(json!({"kind": "federation.load.reported", "payload": {}}));
            });
            let count = body.pointer("/data/events").and_then(Value::as_array).map_or(0, Vec::len);
            replace(body, "/data/count", json!(count));
        }),
    ),
    ReleaseChange::addition(
        "release-adds-offering",
        ROUTES,
        "Lists one offering more.",
        answers!("service_catalog", |body| {
            list(body, "/data/offerings", |offerings| {
                offerings.push(json!({"slug": "mirror", "name": "Mirror"}));
            });
        }),
    ),
    ReleaseChange::addition(
        "release-adds-endpoint",
        SENT,
        "Answers a heartbeat with a second endpoint, in front of the first.",
        answers!("heartbeat", |body| {
            list(body, "/data/our_endpoints", |endpoints| {
                endpoints.insert(0, json!({"url": "https://lan.example", "scope": "lan", "priority": 5}));
            });
        }),
    ),
    ReleaseChange::addition(
        "release-adds-version-to-envelope",
        LIFE,
        "Puts a new member `api_version` beside `data` in every answer.",
        |policy| {
            policy.inbound.override_response =
                |_, sent| any_answer(sent, |body| add(body, "", "api_version", json!("2026-07")));
        },
    ),
    ReleaseChange::addition("release-adds-header", LIFE, "Adds a header to every answer.", |policy| {
        policy.inbound.override_response = |_, sent| header(sent, "x-release-train", Some("blue"));
    }),
    ReleaseChange::addition(
        "release-names-charset",
        LIFE,
        "Adds the character set to the type of every answer.",
        |policy| {
            policy.inbound.override_response =
                |_, sent| header(sent, "content-type", Some("application/json; charset=utf-8"));
        },
    ),
    ReleaseChange::addition(
        "release-rewords-errors",
        OUTCOMES,
        "Words every error in another way.",
        |policy| {
            policy.inbound.override_response = |_, sent| {
                if sent.status >= 400 {
                    any_answer(sent, |body| {
                        replace(body, "/error", json!("This call cannot be served: see the guide"));
                    });
                }
            };
        },
    ),
    ReleaseChange::addition(
        "release-omits-code-of-errors",
        OUTCOMES,
        "Answers errors without `success` and `code`, which each platform may do.",
        |policy| {
            policy.inbound.override_response = |_, sent| {
                if sent.status >= 400 {
                    any_answer(sent, |body| {
                        remove(body, "/success");
                        remove(body, "/code");
                    });
                }
            };
        },
    ),
    ReleaseChange::addition(
        "release-adds-route",
        ROUTES,
        "Answers a call of a path that it did not know.",
        |policy| {
            policy.inbound.override_response = |call, sent| {
                if call.path.ends_with("/nowhere") {
                    *sent = Outbound::json(200, &json!({"success": true, "data": {}}));
                }
            };
        },
    ),
    ReleaseChange::addition(
        "release-waits-shorter",
        FLOOD,
        "Limits a flood with another `Retry-After`.",
        |policy| {
            policy.inbound.override_response = |_, sent| {
                if sent.status == 429 {
                    header(sent, "retry-after", Some("7"));
                }
            };
        },
    ),
    ReleaseChange::addition(
        "release-adds-member-to-sync-answer",
        SYNC,
        "Answers a batch of a sync stream with a new member.",
        answers!("sync", |body| add(body, "/data", "lag_seconds", json!(0))),
    ),
    ReleaseChange::addition(
        "release-sends-load",
        SENT,
        "Sends a heartbeat with a new member `load`.",
        calls!(Heartbeat, |body| add(body, "", "load", json!({"cpu": 0.5}))),
    ),
    ReleaseChange::addition(
        "release-joins-with-more",
        JOINED,
        "Sends an accept with a new member.",
        calls!(Accept, |body| add(body, "", "software", json!("powernode"))),
    ),
    ReleaseChange::addition(
        "release-sends-more-of-a-plan",
        SENT_MIGRATION,
        "Sends a migration with a new member of its summary.",
        calls!(Migrations, |body| add(body, "/plan_summary", "records", json!(1))),
    ),
    ReleaseChange::addition(
        "release-sends-more-of-a-batch",
        SENT_SYNC,
        "Sends a batch with a new member.",
        calls!(Sync, |body| add(body, "", "compression", json!("none"))),
    ),
    ReleaseChange::addition(
        "release-answers-in-another-case-of-headers",
        ROUTES,
        "Writes the names of headers in another case.",
        |policy| {
            policy.inbound.override_response = |call, sent| {
                if is(call, "trust_bundle") {
                    header(sent, "Content-Type", Some("Application/JSON"));
                }
            };
        },
    ),
];
