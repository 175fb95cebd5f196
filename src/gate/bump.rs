//! The step from the recorded release to the new one, and the notice that a major one needs.

use std::cmp::Ordering;

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use semver::Version;
use serde::Serialize;
use serde_json::Value;

use crate::clock::read_moment;
use crate::transcript::{Direction, Trace};

/// The days by which a deprecation precedes a break (10.2).
const NOTICE_DAYS: i64 = 30;

/// The step from one release to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bump {
    /// The same release.
    Same,
    /// Another patch or pre-release of the same minor version.
    Patch,
    /// The next minor version.
    Minor,
    /// The next major version.
    Major,
    /// A release that is no neighbour: the contract asks nothing of the two.
    Outside,
    /// The new release is not known.
    Unknown,
    /// A release before the recorded one.
    Back,
}

impl Bump {
    /// Returns the step between two releases.
    #[must_use]
    pub fn between(old: &Version, new: &Version) -> Self {
        // The metadata of a build orders nothing.
        match old.cmp_precedence(new) {
            Ordering::Equal => return Self::Same,
            Ordering::Greater => return Self::Back,
            Ordering::Less => {}
        }
        match (new.major - old.major, new.minor.checked_sub(old.minor)) {
            (0, Some(0)) => Self::Patch,
            (0, Some(1)) => Self::Minor,
            (1, _) => Self::Major,
            _ => Self::Outside,
        }
    }

    /// Returns the step in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "the same release",
            Self::Patch => "a patch",
            Self::Minor => "a minor bump",
            Self::Major => "a major bump",
            Self::Outside => "no neighbour",
            Self::Unknown => "an unknown step",
            Self::Back => "a step back",
        }
    }
}

/// A deprecation notice of the recorded release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The source of what is known of it.
    pub source: NoticeSource,
    /// The moment of the notice.
    pub declared_at: Timestamp,
    /// True if it is old enough.
    pub old_enough: bool,
}

/// The source of a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeSource {
    /// The target states it in the handshake.
    Wire,
    /// A person states it: it is attested.
    Attested,
}

impl Notice {
    /// Returns the notice that a person states.
    #[must_use]
    pub fn attested(given: Date, now: Timestamp) -> Option<Self> {
        let declared_at = TimeZone::UTC.to_timestamp(given.at(0, 0, 0, 0)).ok()?;
        Some(Self::new(NoticeSource::Attested, declared_at, now))
    }

    fn new(source: NoticeSource, declared_at: Timestamp, now: Timestamp) -> Self {
        let due = declared_at.checked_add((NOTICE_DAYS * 24).hours());
        Self { source, declared_at, old_enough: due.is_ok_and(|due| due <= now) }
    }
}

/// Finds the oldest notice of a release that the target states in a trace in which no operator made it.
#[must_use]
pub fn notice_on_wire(trace: &Trace, deprecated: &Version) -> Option<Notice> {
    let notices = trace
        .exchanges()
        .filter(|(_, exchange)| exchange.direction == Direction::ToTarget)
        .flat_map(|(entry, exchange)| {
            let data = exchange.data().unwrap_or(Value::Null);
            let rows = data.pointer("/metadata/deprecations").and_then(Value::as_array).cloned();
            rows.into_iter().flatten().filter_map(move |row| Some((entry.at, declared(&row, deprecated)?)))
        });
    let notices = notices.map(|(now, declared_at)| Notice::new(NoticeSource::Wire, declared_at, now));
    notices.min_by_key(|notice| notice.declared_at)
}

/// Returns the moment at which the row deprecates the release, or one of its major version.
fn declared(row: &Value, deprecated: &Version) -> Option<Timestamp> {
    let version = row["version"].as_str()?;
    let major = version.trim_start_matches('v').split('.').next()?;
    let declared_at = read_moment(row["declared_at"].as_str()?)?;
    (major.parse() == Ok(deprecated.major)).then_some(declared_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_minor_or_one_major_version_apart() {
        let between = |old: &str, new: &str| {
            Bump::between(&old.parse().expect("a version"), &new.parse().expect("a version"))
        };
        assert_eq!(between("1.4.0", "1.4.0"), Bump::Same);
        assert_eq!(between("1.4.0", "1.4.7"), Bump::Patch);
        assert_eq!(between("1.4.0-rc.1", "1.4.0"), Bump::Patch);
        assert_eq!(between("1.4.9", "1.5.0-rc.1"), Bump::Minor);
        assert_eq!(between("1.4.0", "1.6.0"), Bump::Outside);
        assert_eq!(between("1.4.0", "2.0.0"), Bump::Major);
        assert_eq!(between("1.4.0", "3.0.0"), Bump::Outside);
        assert_eq!(between("1.4.0", "1.3.9"), Bump::Back);
    }

    #[test]
    fn a_stated_notice_is_old_enough_after_30_days() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().expect("a timestamp");
        let given = |date: &str| Notice::attested(date.parse().expect("a date"), now).expect("a notice");
        assert!(given("2026-05-02").old_enough);
        assert!(!given("2026-05-03").old_enough);
    }
}
