//! Comparison of two platform versions by a peer (`wire.md` §6, 10.1).

use semver::Version;
use serde_json::{Value, json};

/// Compares the caller's version with the peer's own. They are compatible if the major is the same and the
/// minors differ by at most one. A text that is not a semantic version is compatible with none.
pub(super) fn compatibility(local: &Value, remote: &Value) -> Value {
    let fits = match (version(local), version(remote)) {
        (Some(local), Some(remote)) => local.major == remote.major && local.minor.abs_diff(remote.minor) <= 1,
        _ => false,
    };
    json!({
        "status": if fits { "compatible" } else { "incompatible" },
        "source": "implicit",
        "local_version": local,
        "remote_version": remote,
        "notes": "same major, minor at most one apart",
    })
}

/// Replaces the release in a request before it is sent, by one derived from it.
pub(super) fn replace_release(body: &mut Value, other: fn(&Version) -> Version) {
    let Some(own) = version(&body["platform_version"]) else { return };
    let other = json!(other(&own).to_string());
    body["platform_version"] = other.clone();
    body["metadata"]["platform_version"] = other;
}

/// Replaces the release in a response as well: a platform runs the same release for every caller.
pub(super) fn replace_release_in_answer(body: &mut Value, other: fn(&Version) -> Version) {
    if body["data"].is_object() {
        replace_release(&mut body["data"], other);
    }
}

/// Returns a release two minor versions before this one, or two after it if there are not two before it.
pub(super) fn two_minors_off(release: &Version) -> Version {
    let minor = release.minor.checked_sub(2).unwrap_or(release.minor + 2);
    Version::new(release.major, minor, 7)
}

/// Returns the first release of the next major version.
pub(super) fn next_major(release: &Version) -> Version {
    Version::new(release.major + 1, 0, 0)
}

fn version(value: &Value) -> Option<Version> {
    Version::parse(value.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_minor_apart_is_compatible_and_no_more() {
        let says = |remote: &str| compatibility(&json!("1.4.0"), &json!(remote))["status"].clone();
        for fitting in ["1.4.0", "1.3.9", "1.5.0-rc.1+build"] {
            assert_eq!(says(fitting), "compatible", "{fitting}");
        }
        for other in ["1.2.9", "1.6.0", "2.4.0", "v1.4.0", "1.4", "latest", ""] {
            assert_eq!(says(other), "incompatible", "{other}");
        }
    }
}
