//! Compatibility of platform versions (commitment 10): same major, minors at most one apart.

use jiff::{SignedDuration, Timestamp};
use semver::Version;
use serde_json::{Value, json};

use super::release;
use crate::store::rows::Peer;
use crate::store::{StoreError, facts};
use crate::suspicion::Suspicion;
use crate::transaction::Transaction;
use covenant_model::wire::notice::finding;

/// Minimum notice before a major break (10.2).
pub(crate) const BREAK_NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Returns whether two versions are compatible. Patch, pre-release and build do not count. A version that is
/// not semantic is compatible with nothing.
pub(crate) fn are_compatible(local: &str, remote: &str) -> bool {
    match (Version::parse(local), Version::parse(remote)) {
        (Ok(local), Ok(remote)) => local.major == remote.major && local.minor.abs_diff(remote.minor) <= 1,
        _ => false,
    }
}

/// The compatibility of a peer's version with this platform's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Compatibility {
    /// One of `compatible`, `degraded`, `incompatible`.
    pub(crate) status: &'static str,
    pub(crate) local: String,
    pub(crate) remote: Option<String>,
}

/// Checks a peer's version. A version that is not yet known counts as compatible.
pub(crate) fn compatibility(tx: &Transaction<'_>, remote: Option<&str>) -> Result<Compatibility, StoreError> {
    let local = release(tx)?;
    let status = match remote {
        None => "compatible",
        Some(remote) if (tx.policy.handshake.are_compatible)(&local, remote) => "compatible",
        Some(remote) if (tx.policy.handshake.serves_previous_major)(tx, remote)? => "degraded",
        Some(_) => "incompatible",
    };
    Ok(Compatibility { status, local, remote: remote.map(ToOwned::to_owned) })
}

impl Compatibility {
    /// Returns whether sync with this peer is frozen.
    pub(crate) fn is_frozen(&self) -> bool {
        self.status == "incompatible"
    }

    /// Returns the lasting state against the peer if the versions are incompatible.
    pub(crate) fn drift(&self) -> Option<Suspicion> {
        self.is_frozen().then(|| {
            let payload = json!({"local_version": self.local, "remote_version": self.remote});
            Suspicion::soft(finding::SCHEMA_VERSION_DRIFT, "the versions do not go together", payload)
        })
    }

    /// Returns the JSON form of `schema_compatibility`.
    pub(crate) fn to_value(&self) -> Value {
        let notes = match self.status {
            "degraded" => "served until the deprecation of this major version is due",
            "incompatible" => "sync is frozen; heartbeats go on",
            _ => "same major version, minor at most one apart",
        };
        json!({
            "status": self.status, "source": "implicit", "local_version": self.local,
            "remote_version": self.remote, "notes": notes,
        })
    }
}

/// Returns a suspicion if a peer changed its major version and no deprecation was announced 30 days before
/// (10.2).
pub(crate) fn find_unannounced_break(tx: &Transaction<'_>, before: &Peer, peer: &Peer) -> Option<Suspicion> {
    let (from, to) = (before.platform_version.as_deref()?, peer.platform_version.as_deref()?);
    let (old, new) = (Version::parse(from).ok()?, Version::parse(to).ok()?);
    let notices = peer.metadata.get("deprecations_received").and_then(Value::as_array);
    let announced = notices.into_iter().flatten().any(|notice| {
        let since = notice["received_at"].as_str().and_then(|text| text.parse::<Timestamp>().ok());
        since.is_some_and(|since| tx.now.duration_since(since) >= BREAK_NOTICE)
    });
    (old.major != new.major && !announced).then(|| {
        let payload = json!({"from": from, "to": to});
        let message = "a major version came without a deprecation of 30 days";
        Suspicion::breach(finding::BREAK_UNANNOUNCED, &[10], message, payload)
    })
}

/// Returns whether the previous major version is still served. It is served until its deprecation was
/// announced 30 days ago and its end date has passed (10.2).
pub(crate) fn serves_previous_major(tx: &Transaction<'_>, remote: &str) -> Result<bool, StoreError> {
    let Some(previous) = facts::text(tx.db, facts::PREVIOUS_RELEASE)? else {
        return Ok(false);
    };
    if !are_compatible(&previous, remote) {
        return Ok(false);
    }
    let notices = facts::find(tx.db, facts::DEPRECATIONS)?.unwrap_or_default();
    let needed = tx.policy.handshake.required_notice;
    let has_ended = |notice: &Value| may_break(notice, &previous, needed, tx.now);
    Ok(!notices.as_array().into_iter().flatten().any(has_ended))
}

fn may_break(notice: &Value, version: &str, needed: SignedDuration, now: Timestamp) -> bool {
    let time = |name: &str| notice[name].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let same_major = match (Version::parse(version), notice["version"].as_str().map(Version::parse)) {
        (Ok(ours), Some(Ok(named))) => ours.major == named.major,
        _ => false,
    };
    same_major
        && time("breaks_at").is_some_and(|breaks_at| breaks_at <= now)
        && time("declared_at").is_some_and(|declared| now.duration_since(declared) >= needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_minor_versions_are_compatible() {
        for remote in ["1.9.0", "1.10.7", "1.11.0", "1.9.3-rc.1", "1.10.0+build.5"] {
            assert!(are_compatible("1.10.0", remote), "{remote}");
        }
        for remote in ["1.8.9", "1.12.0", "2.10.0", "0.10.0", "v1.10.0", "1.1", "1", "", "latest"] {
            assert!(!are_compatible("1.10.0", remote), "{remote}");
        }
    }
}
