//! The releases of peers, derived from the target's: `${release.…}` in a scenario.

use semver::{BuildMetadata, Prerelease, Version};
use serde_json::{Value, json};

/// The minor version at which comparison as a number and comparison as text differ.
const DIGIT: u64 = 10;

/// Returns the releases around `release`, by the names that scenarios use.
pub(super) fn around(release: &Version) -> Value {
    let Version { major, minor, patch, .. } = *release;
    let of = |minor: u64, patch: u64| Version::new(major, minor, patch);
    let pre_release = Version {
        pre: Prerelease::new("rc.1").unwrap_or(Prerelease::EMPTY),
        build: BuildMetadata::new("build.7").unwrap_or(BuildMetadata::EMPTY),
        ..of(minor, 0)
    };
    let named = [
        ("own", release.clone()),
        ("patched", of(minor, patch.saturating_add(7))),
        ("pre_release", pre_release),
        // The first minor version of a major version has no predecessor: what is derived is compatible.
        ("minor_before", of(minor.saturating_sub(1), 9)),
        ("minor_after", of(minor.saturating_add(1), 0)),
        ("before_window", before_window(release)),
        ("two_minors_after", of(minor.saturating_add(2), 0)),
        ("minor_with_a_zero", of(minor.max(1).saturating_mul(DIGIT), 0)),
        ("next_major", Version::new(major.saturating_add(1), 0, 0)),
    ];
    // What near misses of the target's own release are made of. Whatever follows a pre-release or a build may be a valid part of
    // it, so they are made of the three numbers alone.
    let near_misses = [
        ("version_core", of(minor, patch).to_string()),
        ("two_numbers", format!("{major}.{minor}")),
        ("one_number", major.to_string()),
        ("minor_with_leading_zero", format!("{major}.0{minor}.{patch}")),
    ];
    let named = named.into_iter().map(|(name, release)| (name, release.to_string()));
    named.chain(near_misses).map(|(name, release)| (name.to_owned(), json!(release))).collect()
}

/// Returns a release before those that are compatible. The first releases of all have none: for them it is one after.
fn before_window(release: &Version) -> Version {
    let Version { major, minor, .. } = *release;
    match (major, minor) {
        (_, 2..) => Version::new(major, minor - 2, 9),
        (1.., _) => Version::new(major - 1, minor, 9),
        _ => Version::new(major, minor.saturating_add(2), 9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_reckoned_from_the_targets_own() {
        let of = |release: &str, name: &str| around(&release.parse().expect("a version"))[name].clone();
        for (name, of_1_4_0, of_2_0_3) in [
            ("own", "1.4.0", "2.0.3"),
            ("patched", "1.4.7", "2.0.10"),
            ("pre_release", "1.4.0-rc.1+build.7", "2.0.0-rc.1+build.7"),
            ("minor_before", "1.3.9", "2.0.9"),
            ("minor_after", "1.5.0", "2.1.0"),
            ("before_window", "1.2.9", "1.0.9"),
            ("two_minors_after", "1.6.0", "2.2.0"),
            ("minor_with_a_zero", "1.40.0", "2.10.0"),
            ("next_major", "2.0.0", "3.0.0"),
            ("version_core", "1.4.0", "2.0.3"),
            ("two_numbers", "1.4", "2.0"),
            ("one_number", "1", "2"),
            ("minor_with_leading_zero", "1.04.0", "2.00.3"),
        ] {
            assert_eq!((of("1.4.0", name), of("2.0.3", name)), (json!(of_1_4_0), json!(of_2_0_3)), "{name}");
        }
        assert_eq!(of("1.4.0-rc.1+go", "version_core"), "1.4.0");
        assert_eq!(of("1.4.0-rc.1+go", "own"), "1.4.0-rc.1+go");
    }
}
