//! Variants of limits, intervals, clock and release.

use crate::handshake::versions;
use crate::inbound::identity;
use crate::migration::{self, Failure, plan};
use crate::reply::Reply;
use crate::{Patch, Settings};
use covenant_model::wire::state::PeerStatus;

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
    FORBIDS_SUSPENDED,
];

/// Variant that answers a suspended peer as one that it knows.
pub(crate) const FORBIDS_SUSPENDED: Patch = Patch::variant(
    "forbids-calls-of-suspended-peers",
    "Answers a call of a suspended peer with 403, and any other call without a right to call with 401.",
    |policy| {
        policy.identity.refuse = |peer| match peer.status {
            PeerStatus::Suspended => Reply::bare_failure(403, "The peer is suspended"),
            _ => Reply::unauthorized("No reachable FederationPeer for mTLS subject"),
        };
    },
);

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
pub(super) const RELEASE: &[Patch] = &[
    Patch::variant(
        "runs-next-major-release",
        "Runs release 2.0.3 unless its operator sets another release.",
        |policy| policy.handshake.choose_release = next_major,
    )
    .deciding(&["its release"]),
    Patch::variant(
        "refuses-peers-outside-the-window",
        "Runs release 2.0.3, and refuses every call of a peer of an incompatible version. What its heartbeats announce is taken.",
        |policy| {
            policy.handshake.choose_release = next_major;
            policy.handshake.refuses_incompatible_heartbeats = true;
            policy.identity.is_admitted = |tx, call, peer| {
                let compatibility = versions::compatibility(tx, peer.platform_version.as_deref())?;
                let is_refused = compatibility.is_frozen() && !call.path.ends_with("/heartbeat");
                Ok(identity::is_admitted(tx, peer) && !is_refused)
            };
        },
    )
    .deciding(&["its release", "who is outside the window"])
    .leaving_unproven(&[
        "10-backwards-compatibility/break-on-short-notice-is-noticed#1",
        "10-backwards-compatibility/break-without-notice-is-noticed#1",
        "10-backwards-compatibility/drift-after-handshake-is-noticed#1",
        "10-backwards-compatibility/drift-after-handshake-is-noticed#2",
        "10-backwards-compatibility/drift-after-handshake-is-noticed-again-with-other-peers#1",
        "10-backwards-compatibility/drift-after-handshake-is-noticed-again-with-other-peers#2",
        "10-backwards-compatibility/incompatible-peers-keep-the-heartbeat#1",
        "10-backwards-compatibility/incompatible-peers-keep-the-heartbeat#3",
        "10-backwards-compatibility/incompatible-peers-keep-the-heartbeat#5",
        "10-backwards-compatibility/invalid-versions-are-answered-as-incompatible#2",
        "10-backwards-compatibility/invalid-versions-are-answered-as-incompatible#3",
        "10-backwards-compatibility/invalid-versions-are-answered-as-incompatible#4",
        "10-backwards-compatibility/invalid-versions-are-answered-as-incompatible#6",
        "10-backwards-compatibility/invalid-versions-are-answered-as-incompatible#7",
        "10-backwards-compatibility/minor-versions-compare-as-numbers#2",
        "10-backwards-compatibility/next-major-is-noticed#2",
        "10-backwards-compatibility/peers-of-an-invalid-version-are-answered-as-incompatible#1",
        "10-backwards-compatibility/peers-of-an-invalid-version-are-answered-as-incompatible#2",
        "10-backwards-compatibility/two-minor-versions-off-is-noticed#2",
        "10-backwards-compatibility/two-minor-versions-off-is-noticed-again-with-other-peers#2",
        "property/versions#3",
    ]),
];

/// Returns release 2.0.3 in place of the default one.
fn next_major(asked: &str) -> String {
    if asked == Settings::default().release { "2.0.3".to_owned() } else { asked.to_owned() }
}
