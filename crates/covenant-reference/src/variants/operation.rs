//! Variants of limits, intervals, clock and release.

use crate::migration::{self, Failure, plan};
use crate::{Patch, Settings};

/// Variants in limits, intervals and the network in front of the platform.
pub(super) const LIMITS: &[Patch] = &[
    Patch::variant(
        "applies-strict-rate-limit",
        "Lets a peer call accept and heartbeat at most six times a minute.",
        |policy| policy.counters.is_flood = |calls_before, _| calls_before >= 6,
    )
    .deciding(&["its rate limit"]),
    Patch::variant(
        "applies-loose-rate-limit",
        "Lets a peer call accept and heartbeat 250 times a minute.",
        |policy| {
            policy.counters.is_flood = |calls_before, _| calls_before >= 250;
        },
    )
    .deciding(&["its rate limit"]),
    Patch::variant("sends-frequent-heartbeats", "Sends a heartbeat every twenty seconds.", |policy| {
        policy.outbound.choose_heartbeat_seconds = |_| 20;
    }),
    Patch::variant(
        "refuses-plans-of-over-100-steps",
        "Refuses a plan of more than a hundred steps.",
        |policy| {
            policy.migration.has_valid_orders = |steps| steps.len() <= 100 && plan::has_valid_orders(steps);
        },
    ),
    Patch::variant(
        "refuses-texts-of-over-255-characters",
        "Fails a plan of which a text is longer than 255 characters.",
        |policy| {
            policy.migration.apply_step = |plan, step, outcome| {
                let is_long = |text: &str| text.chars().count() > 255;
                if step.payload.values().any(|member| member.as_str().is_some_and(is_long)) {
                    return Err(Failure::failed(format!("a text of step {} is too long", step.step_order)));
                }
                migration::apply_step(plan, step, outcome)
            };
        },
    ),
    BEHIND_PROXY,
];

/// Variant that sees its callers' certificates in a header.
pub(crate) const BEHIND_PROXY: Patch =
    Patch::variant("runs-behind-tls-proxy", "Runs behind a proxy that terminates TLS.", |policy| {
        policy.inbound.runs_behind_proxy = true;
    });

/// Variants in the platform's clock.
pub(super) const CLOCK: &[Patch] = &[Patch::variant(
    "runs-clock-a-minute-ahead",
    "Runs a clock that is a minute ahead of all others.",
    |policy| {
        policy.inbound.clock_ahead_seconds = 60;
    },
)];

/// Variants in the platform's release.
pub(super) const RELEASE: &[Patch] = &[Patch::variant(
    "runs-next-major-release",
    "Runs release 2.0.3 unless its operator sets another release.",
    |policy| {
        policy.handshake.choose_release = |asked| {
            if asked == Settings::default().release { "2.0.3".to_owned() } else { asked.to_owned() }
        };
    },
)];
