//! Defects against commitment 10: platform versions.

use jiff::{SignedDuration, Timestamp};
use semver::Version;
use serde_json::{Value, json};

use crate::Patch;
use crate::handshake::{disclosure, release, versions};
use crate::inbound::identity;
use crate::migration::{self, Failure, Outcome, Plan};
use crate::patch::omit_disclosed;
use crate::store::rows::{Finding, Peer};
use crate::store::{StoreError, facts, table};
use crate::transaction::Transaction;
use covenant_model::contract::Aspect::{Conduct, Detection};
use covenant_model::wire::notice::{finding, kind};
use covenant_net::net::{Inbound, Outbound};

/// Defects in the compatibility of versions.
pub(super) const COMPATIBILITY: &[Patch] = &[
    Patch::defect(
        "rejects-other-minor-versions",
        &[("10.1", Conduct)],
        "Treats only its own minor version as compatible.",
        |policy| {
            policy.handshake.are_compatible = |local, remote| {
                compare(local, remote, |local, remote| {
                    local.major == remote.major && local.minor == remote.minor
                })
            };
        },
    ),
    Patch::defect(
        "requires-equal-patch-version",
        &[("10.1", Conduct)],
        "Requires an equal patch version of a peer that runs its own minor version.",
        |policy| {
            policy.handshake.are_compatible = |local, remote| {
                compare(local, remote, |local, remote| {
                    let is_near = if local.minor == remote.minor {
                        local.patch == remote.patch
                    } else {
                        local.minor.abs_diff(remote.minor) <= 1
                    };
                    local.major == remote.major && is_near
                })
            };
        },
    ),
    Patch::defect(
        "rejects-pre-release-versions",
        &[("10.1", Conduct)],
        "Treats no pre-release as compatible, whatever its minor version.",
        |policy| {
            policy.handshake.are_compatible = |local, remote| {
                compare(local, remote, |local, remote| {
                    remote.pre.is_empty()
                        && local.major == remote.major
                        && local.minor.abs_diff(remote.minor) <= 1
                })
            };
        },
    ),
    Patch::defect(
        "rejects-accept-of-other-release",
        &[("10.1", Conduct)],
        "Rejects an accept from another release of the same major version.",
        |policy| {
            policy.handshake.rejects_version = |local, remote| {
                compare(local, remote, |local, remote| local.major == remote.major && local != remote)
            };
        },
    ),
    Patch::defect(
        "aborts-join-of-adjacent-minor",
        &[("10.1", Conduct)],
        "Joins only peers of its own minor version.",
        |policy| policy.outbound.joins = is_same_minor,
    ),
    Patch::defect(
        "calls-own-minor-version-only",
        &[("10.1", Conduct)],
        "Accepts the work of an adjacent minor version, but sends it no migration and reads nothing from it.",
        |policy| policy.outbound.calls_release = is_same_minor,
    )
    .hard_to_reach(),
    Patch::defect(
        "discards-adjacent-minor-migrations",
        &[("10.1", Conduct)],
        "Reports a migration from another minor version as completed, but applies none of it.",
        |policy| {
            policy.migration.apply = |plan| {
                discard_if(plan, |ours, theirs| ours.major == theirs.major && ours.minor != theirs.minor)
            };
        },
    ),
    Patch::defect(
        "discards-migrations-of-other-patches",
        &[("10.1", Conduct)],
        "Reports a migration from another patch of its own minor version as completed, but applies none of it.",
        |policy| {
            policy.migration.apply = |plan| {
                discard_if(plan, |ours, theirs| {
                    (ours.major, ours.minor) == (theirs.major, theirs.minor) && ours != theirs
                })
            };
        },
    ),
    Patch::defect(
        "fails-at-heartbeat-of-incompatible-peer",
        &[("10.1", Detection)],
        "Answers 500 to a heartbeat whose version is not compatible.",
        |policy| policy.inbound.override_response = fail_if_incompatible,
    ),
    Patch::defect(
        "orders-minor-versions-as-text",
        &[("10.1", Conduct)],
        "Treats minor versions as adjacent only if text order agrees, in which 1.10 precedes 1.9.",
        |policy| policy.handshake.are_compatible = are_adjacent_as_text,
    )
    .hard_to_reach(),
    Patch::defect(
        "accepts-version-two-minors-away",
        &[("10.1", Detection)],
        "Treats a version two minors away as compatible.",
        |policy| {
            policy.handshake.are_compatible = |local, remote| {
                compare(local, remote, |local, remote| {
                    local.major == remote.major && local.minor.abs_diff(remote.minor) <= 2
                })
            };
        },
    ),
    Patch::defect(
        "compares-first-digit-of-minor-version",
        &[("10.1", Conduct), ("10.1", Detection)],
        "Compares minor versions by their first digit, so 1.10 counts as adjacent to 1.1.",
        |policy| policy.handshake.are_compatible = have_adjacent_digits,
    )
    .hard_to_reach(),
    Patch::defect(
        "treats-invalid-version-as-compatible",
        &[("10.1", Detection)],
        "Treats an invalid version as compatible.",
        |policy| {
            policy.handshake.are_compatible =
                |local, remote| !disclosure::is_version(remote) || versions::are_compatible(local, remote);
        },
    ),
    Patch::defect(
        "accepts-leading-v-in-running-version",
        &[("10.1", Detection)],
        "Parses `v1.4.0` as 1.4.0.",
        |policy| {
            policy.handshake.are_compatible =
                |local, remote| versions::are_compatible(local, remote.trim_start_matches('v'));
        },
    ),
    Patch::defect(
        "completes-version-of-two-numbers",
        &[("10.1", Detection)],
        "Parses `1.4` as 1.4.0.",
        |policy| {
            policy.handshake.are_compatible =
                |local, remote| are_compatible_as(local, remote, |remote| format!("{remote}.0"));
        },
    ),
    Patch::defect(
        "trims-version",
        &[("10.1", Detection)],
        "Takes a version with white space around it for the version.",
        |policy| {
            policy.handshake.are_compatible = |local, remote| versions::are_compatible(local, remote.trim());
        },
    ),
    Patch::defect(
        "ignores-leading-zeros-of-version",
        &[("10.1", Detection)],
        "Parses the numbers of a version without regard to leading zeros.",
        |policy| {
            policy.handshake.are_compatible = |local, remote| are_compatible_as(local, remote, without_zeros);
        },
    ),
    Patch::defect(
        "accepts-open-build-in-running-version",
        &[("10.1", Detection)],
        "Parses a version that ends with the sign of a build as the version before it.",
        |policy| {
            policy.handshake.are_compatible =
                |local, remote| versions::are_compatible(local, remote.trim_end_matches('+'));
        },
    ),
    Patch::defect(
        "keeps-sync-frozen-after-upgrade",
        &[("10.1", Conduct)],
        "Refuses the sync of a peer that ran an incompatible version once, also when it runs a compatible one.",
        |policy| {
            policy.sync.freezes = |inbound, compatibility| {
                Ok(compatibility.is_frozen() || has_drifted(inbound.tx, &inbound.peer)?)
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "refuses-migrations-after-upgrade",
        &[("10.1", Conduct)],
        "Refuses the migrations of a peer that ran an incompatible version once, also when it runs a compatible one.",
        |policy| {
            policy.identity.is_admitted = |tx, call, peer| {
                let is_migration = call.path.contains("/migrations");
                Ok(identity::is_admitted(tx, peer) && !(is_migration && has_drifted(tx, peer)?))
            };
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "overlooks-version-drift",
        &[("10.1", Detection), ("10.2", Detection), ("E.1", Detection)],
        "Reports neither incompatible versions nor a break without notice.",
        |policy| {
            policy.governance.is_reported = |suspicion| {
                ![finding::SCHEMA_VERSION_DRIFT, finding::BREAK_UNANNOUNCED].contains(&suspicion.kind)
            };
        },
    ),
    Patch::defect(
        "ignores-version-change-after-handshake",
        &[("10.1", Detection)],
        "Checks a peer's version at the handshake, and ignores later ones.",
        |policy| policy.peering.override_updated = keep_version_of_handshake,
    ),
    Patch::defect(
        "accepts-any-major-version",
        &[("10.1", Detection), ("10.2", Detection), ("E.1", Detection)],
        "Compares minor versions only, and accepts any major version.",
        |policy| {
            policy.handshake.are_compatible = |local, remote| {
                compare(local, remote, |local, remote| {
                    local.minor.abs_diff(remote.minor) <= 1 || local.major != remote.major
                })
            };
            policy.handshake.find_unannounced_break = |_, _, _| None;
        },
    ),
];

/// Defects in the end of support for a major version.
pub(super) const MAJOR_VERSIONS: &[Patch] = &[
    Patch::defect(
        "ignores-age-of-deprecation-notice",
        &[("10.2", Detection)],
        "Accepts a break from any peer that ever announced the end of a release.",
        |policy| {
            policy.handshake.find_unannounced_break = |tx, before, peer| {
                let notices = peer.metadata.get("deprecations_received").and_then(Value::as_array);
                let is_silent = notices.is_none_or(Vec::is_empty);
                is_silent.then(|| versions::find_unannounced_break(tx, before, peer)).flatten()
            };
        },
    ),
    Patch::defect(
        "drops-previous-major-without-notice",
        &[("10.2", Conduct)],
        "Stops serving the previous major version as soon as it runs a new major version.",
        |policy| policy.handshake.serves_previous_major = |_, _| Ok(false),
    ),
    Patch::defect(
        "rejects-previous-major-migrations",
        &[("10.2", Conduct)],
        "Syncs with the previous major version, but rejects its migrations once it runs a new one.",
        |policy| policy.migration.apply = reject_from_previous_major,
    ),
    Patch::defect(
        "hides-records-from-previous-major",
        &[("10.2", Conduct)],
        "Syncs with the previous major version and applies its migrations, but shows it no record.",
        |policy| {
            policy.resources.override_record = |tx, peer, record| {
                Ok(Some(record).filter(|_| matches!(is_of_previous_major(tx, peer), Ok(false))))
            };
        },
    ),
    Patch::defect(
        "discards-previous-major-data",
        &[("10.2", Conduct)],
        "Answers a batch or migration from the previous major version with success, but stores nothing.",
        |policy| {
            policy.sync.discards = is_of_previous_major;
            policy.migration.apply = discard_from_previous_major;
        },
    ),
    Patch::defect(
        "ends-major-support-after-29-days",
        &[("10.2", Conduct)],
        "Ends support of the previous major version 29 days after its notice.",
        |policy| policy.handshake.serves_previous_major = serves_for_29_days,
    )
    .hard_to_reach(),
    Patch::defect(
        "ends-major-support-on-four-weeks-of-notice",
        &[("10.2", Conduct)],
        "Takes four weeks of notice for enough, and ends support of the previous major version on the announced day.",
        |policy| policy.handshake.required_notice = SignedDuration::from_hours(28 * 24),
    )
    .hard_to_reach(),
    Patch::defect(
        "ends-major-support-on-short-notice",
        &[("10.2", Conduct)],
        "Ends support of the previous major version on the announced day, however short the notice.",
        |policy| policy.handshake.required_notice = SignedDuration::ZERO,
    )
    .hard_to_reach(),
];

/// Defects in the notice of the end of a release.
pub(super) const NOTICES: &[Patch] = &[
    Patch::defect(
        "announces-deprecation-to-first-partner-only",
        &[("10.2", Conduct)],
        "Announces the end of a release to its first partner only.",
        |policy| {
            policy.outbound.select_recipients = |notice_kind, mut partners| {
                if notice_kind == kind::RELEASE_DEPRECATED {
                    partners.truncate(1);
                }
                partners
            };
            policy.handshake.override_introduction = |members| omit_disclosed(members, "deprecations");
        },
    )
    .hard_to_reach(),
    Patch::defect(
        "announces-end-ten-days-too-early",
        &[("10.2", Conduct)],
        "Names in the notice of the end of a release a day ten days before the one that its operator set.",
        |policy| {
            policy.outbound.override_heartbeat = |members| {
                let events = members.get_mut("events").and_then(Value::as_array_mut);
                for event in
                    events.into_iter().flatten().filter(|event| event["kind"] == kind::RELEASE_DEPRECATED)
                {
                    let end =
                        event["payload"]["breaks_at"].as_str().and_then(|end| end.parse::<Timestamp>().ok());
                    let earlier =
                        end.and_then(|end| end.checked_sub(SignedDuration::from_hours(10 * 24)).ok());
                    event["payload"]["breaks_at"] = json!(earlier.map(|end| end.to_string()));
                }
            };
            policy.handshake.override_introduction = |members| omit_disclosed(members, "deprecations");
        },
    ),
    Patch::defect(
        "omits-deprecation-notice",
        &[("10.2", Conduct)],
        "Does not announce the end of a release in any form.",
        |policy| {
            policy.outbound.is_sent = |notice| notice.event.kind != kind::RELEASE_DEPRECATED;
            policy.handshake.override_introduction = |members| omit_disclosed(members, "deprecations");
        },
    ),
    Patch::defect(
        "announces-deprecation-a-day-late",
        &[("10.2", Conduct)],
        "Announces the end of a release a day after the notice period began.",
        |policy| {
            policy.outbound.delay_notice = |notice_kind| {
                let hours = if notice_kind == kind::RELEASE_DEPRECATED { 24 } else { 0 };
                SignedDuration::from_hours(hours)
            };
            policy.handshake.override_introduction = |members| omit_disclosed(members, "deprecations");
        },
    ),
];

/// Returns whether a finding says that the peer ran an incompatible version, at any time.
fn has_drifted(tx: &Transaction<'_>, peer: &Peer) -> Result<bool, StoreError> {
    let findings = table::of_peer::<Finding>(tx.db, &peer.id)?;
    Ok(findings.iter().any(|one| one.kind == finding::SCHEMA_VERSION_DRIFT))
}

/// Returns whether two versions are compatible, the remote one as it is or as it is read.
fn are_compatible_as(local: &str, remote: &str, read: fn(&str) -> String) -> bool {
    versions::are_compatible(local, remote) || versions::are_compatible(local, &read(remote))
}

/// Returns a version without the leading zeros of its numbers.
fn without_zeros(version: &str) -> String {
    let number =
        |part: &str| part.parse::<u64>().map_or_else(|_| part.to_owned(), |number| number.to_string());
    version.split('.').map(number).collect::<Vec<_>>().join(".")
}

/// Returns whether two versions are semantic and the comparison holds.
fn compare(local: &str, remote: &str, holds: fn(&Version, &Version) -> bool) -> bool {
    match (Version::parse(local), Version::parse(remote)) {
        (Ok(local), Ok(remote)) => holds(&local, &remote),
        _ => false,
    }
}

fn is_same_minor(local: &str, remote: &str) -> bool {
    match (Version::parse(local), Version::parse(remote)) {
        (Ok(local), Ok(remote)) => (local.major, local.minor) == (remote.major, remote.minor),
        _ => true,
    }
}

/// Applies a plan, but nothing of it if the platform's release and the sender's are as given.
fn discard_if(plan: &Plan<'_>, is_discarded: fn(&Version, &Version) -> bool) -> Result<Outcome, Failure> {
    let ours = Version::parse(&release(plan.tx)?).ok();
    let theirs = plan.peer.platform_version.as_deref().and_then(|version| Version::parse(version).ok());
    if !ours.zip(theirs).is_some_and(|(ours, theirs)| is_discarded(&ours, &theirs)) {
        return migration::apply(plan);
    }
    Ok(Outcome { applied: plan.request.steps.len() as u64, ..Outcome::default() })
}

fn fail_if_incompatible(call: &Inbound, outbound: &mut Outbound) {
    let is_incompatible = || {
        let answer: Option<Value> = serde_json::from_slice(&outbound.body).ok();
        answer.is_some_and(|answer| answer["data"]["schema_compatibility"]["status"] == "incompatible")
    };
    if call.path.ends_with("/heartbeat") && is_incompatible() {
        outbound.status = 500;
    }
}

fn are_adjacent_as_text(local: &str, remote: &str) -> bool {
    let minors = [local, remote].map(|version| Version::parse(version).ok().map(|version| version.minor));
    let [Some(local_minor), Some(remote_minor)] = minors else { return false };
    let in_order = local_minor.cmp(&remote_minor) == local_minor.to_string().cmp(&remote_minor.to_string());
    in_order && versions::are_compatible(local, remote)
}

fn have_adjacent_digits(local: &str, remote: &str) -> bool {
    let digits = |version: &str| {
        let mut parts = version.split('.');
        let major = parts.next().map(ToOwned::to_owned);
        let minor = parts.next().and_then(|minor| minor.bytes().next());
        major.zip(minor)
    };
    match (digits(local), digits(remote)) {
        (Some((major, minor)), Some((other, digit))) => major == other && minor.abs_diff(digit) <= 1,
        _ => false,
    }
}

fn keep_version_of_handshake(before: &Peer, peer: &mut Peer) {
    let major = |peer: &Peer| Some(Version::parse(peer.platform_version.as_deref()?).ok()?.major);
    if major(before).is_some() && major(before) == major(peer) {
        peer.platform_version.clone_from(&before.platform_version);
    }
}

fn reject_from_previous_major(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let compatibility = versions::compatibility(plan.tx, plan.peer.platform_version.as_deref())?;
    match compatibility.status {
        "compatible" => migration::apply(plan),
        _ => Err(Failure::failed("the versions do not go together")),
    }
}

fn is_of_previous_major(tx: &Transaction<'_>, peer: &Peer) -> Result<bool, StoreError> {
    let compatibility = versions::compatibility(tx, peer.platform_version.as_deref())?;
    Ok(compatibility.status == "degraded")
}

fn discard_from_previous_major(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    if is_of_previous_major(plan.tx, plan.peer)? {
        return Ok(Outcome { applied: plan.request.steps.len() as u64, ..Outcome::default() });
    }
    migration::apply(plan)
}

fn serves_for_29_days(tx: &Transaction<'_>, remote: &str) -> Result<bool, StoreError> {
    let notices = facts::find(tx.db, facts::DEPRECATIONS)?.unwrap_or_default();
    let declared = |notice: &Value| notice["declared_at"].as_str()?.parse::<Timestamp>().ok();
    let is_old = |notice: &Value| {
        declared(notice).is_some_and(|at| tx.now.duration_since(at) >= SignedDuration::from_hours(29 * 24))
    };
    let ended = notices.as_array().into_iter().flatten().any(is_old);
    Ok(!ended && versions::serves_previous_major(tx, remote)?)
}
