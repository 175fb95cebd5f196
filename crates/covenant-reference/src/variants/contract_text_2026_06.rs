//! Variants that keep the later text of version 1. That text asks for no automatic suspension and does not
//! forbid one.

use crate::Patch;
use crate::policy::Policy;

/// SHA-256 of the later text.
const DIGEST: &str = "93d878c3857964f4d35e5da795046cdfcd34290eebb3932ae80943436d613e0d";

/// The later text as it is written: findings and disclosures suspend nobody.
pub(crate) const KEEPS: Patch = Patch::variant(
    "keeps-contract-text-of-2026-06",
    "Keeps the later text of contract version 1: suspends no peer by itself.",
    |policy| {
        keep_text(policy);
        policy.governance.suspends = |_, _| false;
        policy.notices.suspends_compromised = |_, _| false;
    },
)
.deciding(&["its contract text", "who is suspended"]);

/// The later text, with the suspensions of the first.
const SUSPENDS: Patch = Patch::variant(
    "suspends-under-contract-text-of-2026-06",
    "Keeps the later text of contract version 1, and suspends peers by itself all the same.",
    keep_text,
)
.deciding(&["its contract text"]);

fn keep_text(policy: &mut Policy) {
    policy.handshake.own_text = DIGEST;
}

/// The variants.
pub(super) const PATCHES: &[Patch] = &[KEEPS, SUSPENDS];
