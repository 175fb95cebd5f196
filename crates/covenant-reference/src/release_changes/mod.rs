//! The ways in which a later release of the reference can differ from the one before: seeded incompatibilities, which the
//! release gate has to find, and additions, which it must not call breaking. They are applied at the edge, where messages leave
//! and arrive. No defect and no variant is among them, since none is about one release alone.

mod additions;
mod answers;
mod calls;
mod edit;
mod requests;

use crate::patch::Patch;
use crate::policy::Policy;

/// A change from one release of the reference to the next.
#[derive(Clone, Copy, Debug)]
pub struct ReleaseChange {
    /// The change itself.
    pub patch: Patch,
    /// The rule of the gate by which it breaks; `None` if it is an addition.
    pub breaks: Option<&'static str>,
    /// Rules of what follows from it, in the same scenarios.
    pub entails: &'static [&'static str],
    /// A scenario of the gate that shows it.
    pub scenario: &'static str,
}

impl ReleaseChange {
    const fn breaking(
        name: &'static str,
        rule: &'static str,
        scenario: &'static str,
        summary: &'static str,
        apply: fn(&mut Policy),
    ) -> Self {
        let patch = Patch::variant(name, summary, apply);
        Self { patch, breaks: Some(rule), entails: &[], scenario }
    }

    const fn addition(
        name: &'static str,
        scenario: &'static str,
        summary: &'static str,
        apply: fn(&mut Policy),
    ) -> Self {
        let patch = Patch::variant(name, summary, apply);
        Self { patch, breaks: None, entails: &[], scenario }
    }

    /// Returns whether the gate finds it by simulated neighbours: they are refused what a peer of this release is served.
    #[must_use]
    pub fn is_seen_by_neighbours(&self) -> bool {
        SEEN_BY_NEIGHBOURS.contains(&self.patch.name)
    }

    /// Returns whether the gate finds it by a pair.
    #[must_use]
    pub fn is_seen_by_pair(&self) -> bool {
        self.breaks.is_some() && !UNSEEN_BY_PAIR.contains(&self.patch.name)
    }

    const fn entailing(self, rules: &'static [&'static str]) -> Self {
        Self { entails: rules, ..self }
    }
}

/// The changes that leave a conforming peer without heartbeat, accept or migration. Any other one changes what no peer is refused.
const SEEN_BY_NEIGHBOURS: &[&str] = &[
    "release-answers-heartbeat-with-202",
    "release-requires-name-of-node",
    "release-requires-signed-accept",
    "release-requires-signed-plan",
];

/// The changes at what no method of an operator makes this platform ask of its peer: the trust bundle, the catalogue,
/// subscriptions, an unknown migration, a commit of its own, a flood.
const UNSEEN_BY_PAIR: &[&str] = &[
    "release-answers-unknown-migration-with-410",
    "release-counts-milliseconds",
    "release-drops-requests-for-catalog",
    "release-fails-at-bundle",
    "release-limits-nobody",
    "release-names-another-migration",
    "release-narrows-default-scopes",
    "release-omits-time-to-wait",
    "release-opens-offerings-by-default",
    "release-removes-trust-bundle",
    "release-sends-bundle-as-text",
    "release-sends-catalog-as-page",
];

/// The tables, in the order in which the changes are listed.
const TABLES: &[&[ReleaseChange]] =
    &[answers::CHANGES, requests::CHANGES, calls::CHANGES, additions::CHANGES];

/// Returns every release change.
pub fn release_changes() -> impl Iterator<Item = &'static ReleaseChange> {
    TABLES.iter().copied().flatten()
}

/// Returns the release change of that name.
#[must_use]
pub fn release_change(name: &str) -> Option<&'static ReleaseChange> {
    release_changes().find(|change| change.patch.name == name)
}

/// Consequence for a peer that cannot read the catalogue: it subscribes to nothing.
const WITHOUT_CATALOG: &[&str] =
    &["request-refused", "status-changed", "request-admitted", "member-gone", "member-required"];

/// Scenarios of the gate, by what they show.
mod scenario {
    pub(super) const LIFE: &str = "00-sanity/full-lifecycle";
    pub(super) const ROUTES: &str = "00-sanity/every-route";
    pub(super) const OUTCOMES: &str = "00-sanity/every-outcome";
    pub(super) const SENT: &str = "01-identity-disclosure/target-discloses-itself";
    pub(super) const JOINED: &str = "A-acknowledgement/join-acknowledges-contract";
    pub(super) const SENT_MIGRATION: &str = "11-right-of-exit/sent-data-remains-at-peer";
    pub(super) const SENT_SYNC: &str = "06-no-undermining/sync-streams-are-intact";
    pub(super) const FLOOD: &str = "06-no-undermining/flood-is-limited";
    pub(super) const COMMIT: &str = "04-notice-of-revocation/open-migrations-have-grace";
    pub(super) const DISCLOSED: &str = "09-compromise-disclosure/compromise-is-disclosed-to-every-partner";
    pub(super) const NOTICE: &str = "02-reciprocity-of-grants/grant-revocation-is-announced";
    pub(super) const SYNC: &str = "00-sanity/sync";
}
