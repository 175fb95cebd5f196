//! Defects against commitment 1: disclosure of identity.

use serde_json::{Map, Value, json};

use crate::Patch;
use crate::handshake::{self, disclosure, versions};
use crate::patch::{omit_disclosed, replace_disclosed};
use crate::peering;
use crate::store::rows::{AuditEntry, Peer, Side};
use crate::store::{facts, table};
use crate::transaction::Transaction;
use crate::variants::handshake::KEEPS_ANONYMOUS;
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::notice::finding;

/// Defects in the platform's own disclosure.
pub(super) const OWN_DISCLOSURE: &[Patch] = &[
    Patch::defect(
        "discloses-no-operator-contact",
        &[("1.1", Conduct)],
        "Never discloses its `operator_contact`.",
        |policy| {
            policy.handshake.override_introduction = |members| omit_disclosed(members, "operator_contact");
        },
    ),
    Patch::defect(
        "discloses-contact-without-address",
        &[("1.1", Conduct)],
        "Discloses an operator contact without an address.",
        |policy| {
            policy.handshake.override_introduction =
                |members| replace_disclosed(members, "operator_contact", "ask reception");
        },
    ),
    Patch::defect(
        "discloses-release-before-an-upgrade",
        &[("1.3", Conduct)],
        "Goes on disclosing the release before an upgrade, wherever it names its release.",
        |policy| {
            policy.handshake.extend_introduction = |tx, _, members| {
                let before = facts::find(tx.db, facts::PREVIOUS_RELEASE).ok().flatten();
                if let Some(before) = before.as_ref().and_then(Value::as_str) {
                    replace_disclosed(members, "platform_version", before);
                    members.insert("platform_version".to_owned(), json!(before));
                }
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "discloses-no-jurisdiction",
        &[("1.2", Conduct)],
        "Never discloses its `jurisdiction`.",
        |policy| policy.handshake.override_introduction = |members| omit_disclosed(members, "jurisdiction"),
    ),
    Patch::defect(
        "discloses-a-blank-jurisdiction",
        &[("1.2", Conduct)],
        "Discloses a blank as its jurisdiction.",
        |policy| {
            policy.handshake.override_introduction =
                |members| replace_disclosed(members, "jurisdiction", "  ");
        },
    ),
    Patch::defect(
        "discloses-no-last-known-good-release",
        &[("1.4", Conduct)],
        "Never discloses its `last_known_good_release`.",
        |policy| {
            policy.handshake.override_introduction =
                |members| omit_disclosed(members, "last_known_good_release");
        },
    ),
    Patch::defect(
        "discloses-a-blank-last-good-release",
        &[("1.4", Conduct)],
        "Discloses a blank as its last known-good release.",
        |policy| {
            policy.handshake.override_introduction =
                |members| replace_disclosed(members, "last_known_good_release", "");
        },
    ),
    Patch::defect(
        "discloses-non-semver-version",
        &[("1.3", Conduct)],
        "Discloses `latest` as its version.",
        |policy| {
            policy.handshake.override_introduction = |members| {
                members.insert("platform_version".to_owned(), json!("latest"));
                replace_disclosed(members, "platform_version", "latest");
            };
        },
    ),
    Patch::defect(
        "discloses-two-part-version",
        &[("1.3", Conduct)],
        "Discloses a version of two numbers in place of a semantic version.",
        |policy| {
            policy.handshake.override_introduction =
                |members| replace_disclosed(members, "platform_version", "1.4");
        },
    ),
    Patch::defect(
        "echoes-peer-disclosure-as-own",
        &[("1.1", Conduct), ("1.2", Conduct), ("1.3", Conduct), ("1.4", Conduct)],
        "Sends each peer's disclosure back to the peer as its own.",
        |policy| policy.handshake.extend_introduction = echo_disclosure,
    ),
    Patch::defect(
        "blanks-contact-beside-a-notice",
        &[("1.1", Conduct)],
        "Discloses an empty operator contact in each heartbeat that carries a notice.",
        |policy| {
            policy.outbound.override_heartbeat = |members| {
                if members.contains_key("events") {
                    replace_disclosed(members, "operator_contact", "");
                }
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "discloses-malformed-values-after-a-restart",
        &[("1.2", Conduct), ("1.3", Conduct), ("1.4", Conduct)],
        "Discloses a blank jurisdiction, a version of two numbers and an empty last known-good release after a restart.",
        |policy| policy.handshake.extend_introduction = malform_after_restart,
    )
    .hard_to_reach(),
    Patch::defect(
        "blanks-last-good-release-after-an-upgrade",
        &[("1.4", Conduct)],
        "Discloses a space as its last known-good release once it was upgraded, until another release proves good.",
        |policy| {
            policy.handshake.extend_introduction = |tx, _, members| {
                if facts::text(tx.db, facts::RELEASE).is_ok_and(|release| release.is_some()) {
                    replace_disclosed(members, "last_known_good_release", " ");
                }
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "discloses-nothing-to-peers-that-it-joined",
        &[("1.1", Conduct), ("1.2", Conduct), ("1.3", Conduct), ("1.4", Conduct)],
        "Discloses nothing of itself to a peer whose proposal it joined.",
        |policy| {
            policy.handshake.extend_introduction = |_, peer, members| {
                if peer.proposed_by == Side::Remote {
                    members.remove("metadata");
                    members.remove("platform_version");
                }
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "discloses-itself-to-first-peer-alone",
        &[("1.1", Conduct), ("1.2", Conduct), ("1.3", Conduct), ("1.4", Conduct)],
        "Discloses itself to the peer that was proposed first, and to no other peer.",
        |policy| policy.handshake.extend_introduction = disclose_to_first_peer,
    )
    .hard_to_reach(),
];

/// Defects in the check of a peer's disclosure.
pub(super) const PEER_DISCLOSURE: &[Patch] = &[
    Patch::defect(
        "enrols-anonymous-peer",
        &[("1.5", Detection)],
        "Enrols every peer that has a token, whatever it discloses.",
        |policy| {
            policy.handshake.refuses_anonymous = |_, _, _| false;
            policy.handshake.enrols = |_, has_certificate| has_certificate;
        },
    ),
    Patch::defect(
        "requires-operator-contact-only",
        &[("1.5", Detection), ("1.2", Detection), ("1.4", Detection)],
        "Treats a disclosure as complete if it has an operator contact.",
        |policy| policy.handshake.find_gaps = contact_gap,
    ),
    Patch::defect(
        "enrols-anonymous-peer-at-second-attempt",
        &[("1.5", Detection)],
        "Refuses an anonymous accept once, and enrols the peer when it tries again.",
        |policy| {
            policy.handshake.refuses_anonymous =
                |tx, peer, gaps| handshake::refuses_anonymous(tx, peer, gaps) && !was_refused(tx, peer);
            policy.handshake.enrols = |_, has_certificate| has_certificate;
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "accepts-any-value-as-disclosure",
        &[("1.1", Detection), ("1.2", Detection), ("1.4", Detection), ("1.5", Detection)],
        "Accepts any value as a disclosure member: a blank, an invalid contact, an invalid version.",
        |policy| policy.handshake.find_gaps = absent_members,
    ),
    Patch::defect(
        "enrols-blank-disclosure-at-heartbeat",
        &[("1.5", Detection)],
        "Enrols an accepted peer once a heartbeat has all disclosure members, even if they are blank.",
        |policy| {
            policy.handshake.refuses_anonymous = |_, _, _| false;
            policy.handshake.enrols_at_heartbeat = Some(|metadata| {
                ["operator_contact", "jurisdiction", "platform_version", "last_known_good_release"]
                    .into_iter()
                    .all(|name| metadata.contains_key(name))
            });
        },
    ),
    Patch::defect(
        "accepts-leading-v-in-disclosure",
        &[("1.5", Detection)],
        "Ignores a leading `v` in a disclosed version.",
        |policy| policy.handshake.find_gaps = gaps_ignoring_v,
    ),
    Patch::defect(
        "overlooks-heartbeat-without-disclosure",
        &[("1.1", Detection), ("1.2", Detection), ("1.4", Detection)],
        "Does not report a heartbeat without a disclosure.",
        |policy| policy.governance.is_reported = |suspicion| suspicion.kind != finding::IDENTITY_UNDISCLOSED,
    ),
    Patch::defect(
        "accepts-blank-version",
        &[("1.3", Detection), ("1.5", Detection)],
        "Accepts a blank as a version, and treats it as compatible.",
        |policy| {
            policy.handshake.find_gaps = |metadata| gaps_unless_version(metadata, is_blank);
            policy.handshake.are_compatible =
                |ours, theirs| is_blank(theirs) || versions::are_compatible(ours, theirs);
        },
    ),
    Patch::defect(
        "accepts-any-text-as-version",
        &[("1.3", Detection), ("1.5", Detection), ("10.1", Detection)],
        "Accepts any text as a version, and treats it as compatible.",
        |policy| {
            policy.handshake.find_gaps = |metadata| gaps_unless_version(metadata, is_word);
            policy.handshake.are_compatible =
                |ours, theirs| is_word(theirs) || versions::are_compatible(ours, theirs);
        },
    ),
    Patch::defect(
        "reads-version-from-leading-digits",
        &[("1.3", Detection), ("1.5", Detection), ("10.1", Detection)],
        "Reads a version from the leading digits of its first two parts, so `v1.4.0` and `01.4.0.x` are versions.",
        |policy| {
            policy.handshake.find_gaps =
                |metadata| gaps_unless_version(metadata, |text| leading_digits(text).is_some());
            policy.handshake.are_compatible =
                |ours, theirs| match (leading_digits(ours), leading_digits(theirs)) {
                    (Some(ours), Some(theirs)) => ours.0 == theirs.0 && ours.1.abs_diff(theirs.1) <= 1,
                    _ => false,
                };
        },
    ),
];

/// Defects that accept one wrong form of a member, and no other.
pub(super) const WRONG_FORMS: &[Patch] = &[
    Patch::defect(
        "accepts-no-break-space-as-jurisdiction",
        &[("1.5", Detection)],
        "Accepts a no-break space as a jurisdiction, because it trims ASCII only.",
        |policy| {
            policy.handshake.find_gaps =
                |metadata| gaps_unless(metadata, "jurisdiction", |text| text == "\u{a0}");
        },
    ),
    Patch::defect(
        "accepts-line-break-as-last-good-release",
        &[("1.5", Detection)],
        "Accepts a line break as a last known-good release, because it trims spaces only.",
        |policy| {
            policy.handshake.find_gaps =
                |metadata| gaps_unless(metadata, "last_known_good_release", |text| text.ends_with('\n'));
        },
    ),
    Patch::defect(
        "accepts-white-space-as-last-good-release",
        &[("1.4", Detection), ("1.5", Detection)],
        "Accepts any white space as a last known-good release, and nothing that is empty.",
        |policy| {
            policy.handshake.find_gaps = |metadata| {
                gaps_unless(metadata, "last_known_good_release", |text| !text.is_empty() && is_blank(text))
            };
        },
    ),
    Patch::defect(
        "accepts-at-sign-as-contact",
        &[("1.5", Detection)],
        "Accepts an `@` without anything around it as an operator contact.",
        |policy| {
            policy.handshake.find_gaps =
                |metadata| gaps_unless(metadata, "operator_contact", |text| text == "@");
        },
    ),
    Patch::defect(
        "accepts-foreign-digits-in-version",
        &[("1.5", Detection)],
        "Accepts digits of other scripts in a disclosed version.",
        |policy| {
            policy.handshake.find_gaps = |metadata| gaps_unless_version(metadata, |text| !text.is_ascii());
        },
    ),
    Patch::defect(
        "accepts-open-pre-release-in-version",
        &[("1.5", Detection)],
        "Accepts a disclosed version that ends with the sign of a pre-release.",
        |policy| {
            policy.handshake.find_gaps = |metadata| gaps_unless_version(metadata, |text| text.ends_with('-'));
        },
    ),
    Patch::defect(
        "accepts-leading-zero-in-version",
        &[("1.5", Detection)],
        "Accepts a leading zero in the minor number of a disclosed version.",
        |policy| {
            policy.handshake.find_gaps = |metadata| gaps_unless_version(metadata, |text| text == "1.04.0");
        },
    ),
];

/// Defects in what an event does to an anonymous peer.
pub(super) const LATER: &[Patch] = &[Patch::defect(
    "enrols-anonymous-peer-at-a-resume",
    &[("1.5", Detection)],
    "Enrols each peer that its operator resumes, also one that disclosed nothing.",
    |policy| {
        policy.peering.on_resume = |tx, peer| {
            let mut peer = peer.clone();
            if peer.enrolled_at.is_none() {
                peering::enrol(tx, &mut peer)?;
                table::put(tx.db, &peer)?;
            }
            Ok(())
        };
    },
)
.hard_to_reach()
.on(&KEEPS_ANONYMOUS)];

/// Defects in the reading of null.
pub(super) const NULLS: &[Patch] = &[
    Patch::defect(
        "accepts-null-as-jurisdiction",
        &[("1.5", Detection)],
        "Accepts a jurisdiction that is there and null.",
        |policy| policy.handshake.find_gaps = |metadata| gaps_unless_null(metadata, "jurisdiction"),
    ),
    Patch::defect(
        "accepts-null-as-contact",
        &[("1.5", Detection)],
        "Accepts an operator contact that is there and null.",
        |policy| policy.handshake.find_gaps = |metadata| gaps_unless_null(metadata, "operator_contact"),
    ),
];

/// Defects in the check of the disclosure of a joined peer.
pub(super) const JOINS: &[Patch] = &[
    Patch::defect(
        "joins-anonymous-peer",
        &[("1.5", Detection)],
        "Enrols every peer that answers its accept, whatever the response discloses.",
        |policy| policy.outbound.find_gaps = Some(|_| vec![]),
    ),
    Patch::defect(
        "joins-on-presence-alone",
        &[("1.5", Detection)],
        "Enrols a peer that answers its accept with all members, whatever is in them.",
        |policy| policy.outbound.find_gaps = Some(absent_members),
    ),
];

fn echo_disclosure(_: &Transaction<'_>, peer: &Peer, members: &mut Map<String, Value>) {
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        for name in ["operator_contact", "jurisdiction", "platform_version", "last_known_good_release"] {
            if let Some(value) = peer.metadata.get(name) {
                metadata.insert(name.to_owned(), value.clone());
            }
        }
    }
}

fn malform_after_restart(tx: &Transaction<'_>, _: &Peer, members: &mut Map<String, Value>) {
    let starts = facts::find(tx.db, facts::STARTS).ok().flatten().and_then(|starts| starts.as_u64());
    if starts.is_some_and(|starts| starts > 1) {
        replace_disclosed(members, "jurisdiction", "  ");
        replace_disclosed(members, "platform_version", "1.4");
        replace_disclosed(members, "last_known_good_release", "");
    }
}

fn was_refused(tx: &Transaction<'_>, peer: &Peer) -> bool {
    let entries: Vec<AuditEntry> = table::all(tx.db).unwrap_or_default();
    let is_refusal = |entry: &AuditEntry| entry.action == "federation.accept" && entry.status == Some(422);
    entries.iter().any(|entry| entry.federation_peer_id == peer.id && is_refusal(entry))
}

fn contact_gap(metadata: &Map<String, Value>) -> Vec<&'static str> {
    let all = disclosure::find_gaps(metadata);
    all.into_iter().filter(|member| *member == "operator_contact").collect()
}

fn absent_members(metadata: &Map<String, Value>) -> Vec<&'static str> {
    ["operator_contact", "jurisdiction", "platform_version", "last_known_good_release"]
        .into_iter()
        .filter(|name| !metadata.contains_key(*name))
        .collect()
}

fn gaps_ignoring_v(metadata: &Map<String, Value>) -> Vec<&'static str> {
    let mut read = metadata.clone();
    if let Some(version) = metadata.get("platform_version").and_then(Value::as_str) {
        read.insert("platform_version".to_owned(), json!(version.trim_start_matches('v')));
    }
    disclosure::find_gaps(&read)
}

fn disclose_to_first_peer(tx: &Transaction<'_>, peer: &Peer, members: &mut Map<String, Value>) {
    let peers: Vec<Peer> = table::all(tx.db).unwrap_or_default();
    let first = peers.iter().min_by_key(|peer| (peer.proposed_at, &peer.id));
    if first.is_some_and(|first| first.id != peer.id) {
        members.remove("metadata");
        members.remove("platform_version");
    }
}

/// Returns the gaps of a disclosure, without that of a version that `is_accepted` accepts.
fn gaps_unless_version(metadata: &Map<String, Value>, is_accepted: fn(&str) -> bool) -> Vec<&'static str> {
    gaps_unless(metadata, "platform_version", is_accepted)
}

/// Returns the gaps of a disclosure, without that of a member that `is_accepted` accepts.
fn gaps_unless(
    metadata: &Map<String, Value>,
    member: &str,
    is_accepted: fn(&str) -> bool,
) -> Vec<&'static str> {
    let mut gaps = disclosure::find_gaps(metadata);
    if metadata.get(member).and_then(Value::as_str).is_some_and(is_accepted) {
        gaps.retain(|gap| *gap != member);
    }
    gaps
}

/// Returns the gaps of a disclosure, without that of a member that is null.
fn gaps_unless_null(metadata: &Map<String, Value>, member: &str) -> Vec<&'static str> {
    let mut gaps = disclosure::find_gaps(metadata);
    if metadata.get(member) == Some(&Value::Null) {
        gaps.retain(|gap| *gap != member);
    }
    gaps
}

fn is_blank(version: &str) -> bool {
    version.trim().is_empty()
}

/// Returns whether the text is neither blank nor a version.
fn is_word(version: &str) -> bool {
    !is_blank(version) && !disclosure::is_version(version)
}

/// Returns major and minor as the digits with which the first two parts begin.
fn leading_digits(version: &str) -> Option<(u64, u64)> {
    let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
    let mut parts = version.trim_start_matches('v').split('.').map(digits);
    Some((parts.next()??, parts.next()??))
}
