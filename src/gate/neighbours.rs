//! The neighbours of a release, and the scenarios in which simulated peers of these releases live in a federation with it.

use semver::{BuildMetadata, Prerelease, Version};
use serde::Serialize;

use crate::scenario::{LibraryError, Loaded, load};

/// The scenarios of a peer inside the window of versions: what is observed, and what the binding adds.
const INSIDE: [(&str, &str); 2] = [
    ("neighbours", include_str!("../../neighbours/inside.toml")),
    ("neighbours-proposed", include_str!("../../neighbours/inside-proposed.toml")),
];

/// The scenarios of a peer outside of it.
const OUTSIDE: [(&str, &str); 2] = [
    ("outsiders", include_str!("../../neighbours/outside.toml")),
    ("outsiders-proposed", include_str!("../../neighbours/outside-proposed.toml")),
];

/// The word that stands for the release of the peer in these scenarios.
const RELEASE: &str = "RELEASE";

/// The place of a release relative to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// At most one minor version apart: the two federate (10.1).
    Inside,
    /// Further apart: it may be refused, frozen or served.
    Outside,
}

/// A release of a simulated peer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// The release.
    pub release: Version,
    /// Its place relative to the release under test.
    pub window: Window,
}

impl Neighbour {
    /// Returns the peers that the gate simulates around a release: of its own, the former and the next minor version, of
    /// any patch and pre-release, and of those that are no neighbours.
    #[must_use]
    pub fn around(release: &Version) -> Vec<Self> {
        let Version { major, minor, patch, .. } = *release;
        let of = |minor: u64, patch: u64| Version::new(major, minor, patch);
        let mut inside = vec![of(minor, patch.saturating_add(7)), pre_release(&of(minor, 0))];
        if let Some(before) = minor.checked_sub(1) {
            inside.extend([of(before, 0), of(before, 9), pre_release(&of(before, 0))]);
        }
        let after = minor.saturating_add(1);
        inside.extend([of(after, 0), of(after, 7), pre_release(&of(after, 0))]);
        let far = minor.saturating_add(2);
        let mut outside =
            vec![of(far, 0), pre_release(&of(far, 0)), Version::new(major.saturating_add(1), 0, 0)];
        outside.extend(minor.checked_sub(2).map(|before| of(before, 9)));
        outside.extend(major.checked_sub(1).map(|before| Version::new(before, minor, 9)));
        let all = |releases: Vec<Version>, window| {
            releases.into_iter().map(move |release| Self { release, window })
        };
        all(inside, Window::Inside)
            .filter(|neighbour| neighbour.release != *release)
            .chain(all(outside, Window::Outside))
            .collect()
    }

    /// Returns the ids of its scenarios. The first shows whether it is admitted.
    #[must_use]
    pub fn scenario_ids(&self) -> Vec<String> {
        self.sources().iter().map(|(id, _)| format!("{id}/{}", self.release)).collect()
    }

    /// Returns its scenarios.
    pub(super) fn scenarios(&self) -> Result<Vec<Loaded>, LibraryError> {
        let sources = self.sources().iter().zip(self.scenario_ids());
        sources
            .map(|((_, template), id)| {
                let source = template.replace(RELEASE, &self.release.to_string());
                Ok(load(&id, &format!("{id}.toml"), &source)?)
            })
            .collect()
    }

    const fn sources(&self) -> &'static [(&'static str, &'static str); 2] {
        match self.window {
            Window::Inside => &INSIDE,
            Window::Outside => &OUTSIDE,
        }
    }
}

fn pre_release(release: &Version) -> Version {
    Version {
        pre: Prerelease::new("rc.1").unwrap_or(Prerelease::EMPTY),
        build: BuildMetadata::new("build.7").unwrap_or(BuildMetadata::EMPTY),
        ..release.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Step;

    fn around(release: &str, window: Window) -> Vec<String> {
        let neighbours = Neighbour::around(&release.parse().expect("a version"));
        let of = neighbours.into_iter().filter(|neighbour| neighbour.window == window);
        of.map(|neighbour| neighbour.release.to_string()).collect()
    }

    #[test]
    fn neighbours_are_of_three_minor_versions_and_of_any_patch() {
        let inside = around("1.4.2", Window::Inside);
        let expected = [
            "1.4.9",
            "1.4.0-rc.1+build.7",
            "1.3.0",
            "1.3.9",
            "1.3.0-rc.1+build.7",
            "1.5.0",
            "1.5.7",
            "1.5.0-rc.1+build.7",
        ];
        assert_eq!(inside, expected);
        assert_eq!(
            around("1.4.2", Window::Outside),
            ["1.6.0", "1.6.0-rc.1+build.7", "2.0.0", "1.2.9", "0.4.9"]
        );
        assert_eq!(around("2.0.0", Window::Inside)[2], "2.1.0", "no minor version goes before");
    }

    #[test]
    fn no_operator_is_called_after_the_proposal() {
        for neighbour in Neighbour::around(&Version::new(1, 4, 2)) {
            for loaded in neighbour.scenarios().expect("sound scenarios") {
                let steps: Vec<&Step> = loaded.scenario.steps.iter().map(toml::Spanned::get_ref).collect();
                let last = steps.iter().rposition(|step| step.method().is_some()).expect("a proposal");
                assert!(matches!(steps[last], Step::Propose(_)), "{}", loaded.id);
                assert!(steps[last].peer() == Some("neighbour"), "{}", loaded.id);
            }
        }
    }
}
