//! The points that a diagnosis finds, one after the other.

use crate::Blame;

/// One point of a diagnosis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// Examined part: `trust`, `clock`.
    pub subject: &'static str,
    /// Finding, for a person.
    pub found: String,
    /// Effect on a run.
    pub result: PointResult,
}

/// The effect of one point on a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointResult {
    /// It works.
    Fine,
    /// It limits what a run can prove.
    Note,
    /// It prevents a run.
    Failed(FailedPoint),
}

/// The failure of a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedPoint {
    /// How to fix it.
    pub hint: String,
    /// Side that it is due to; `None` if the command line or the configuration file has to change.
    pub blame: Option<Blame>,
}

/// Passes each point on when it is found.
pub struct Points<'a> {
    show: &'a mut dyn FnMut(&Point),
    first_failure: Option<FailedPoint>,
}

impl<'a> Points<'a> {
    /// Passes each point to `show`.
    pub fn new(show: &'a mut dyn FnMut(&Point)) -> Self {
        Self { show, first_failure: None }
    }

    /// Returns the first point that failed; `None` if none failed.
    #[must_use]
    pub fn first_failure(&self) -> Option<&FailedPoint> {
        self.first_failure.as_ref()
    }

    pub(super) fn fine(&mut self, subject: &'static str, found: impl Into<String>) {
        (self.show)(&Point { subject, found: found.into(), result: PointResult::Fine });
    }

    pub(super) fn note(&mut self, subject: &'static str, found: impl Into<String>) {
        (self.show)(&Point { subject, found: found.into(), result: PointResult::Note });
    }

    /// Passes on a point that failed, and that `blame` can fix; `None` stands for the user.
    pub fn failed(
        &mut self,
        subject: &'static str,
        found: impl Into<String>,
        hint: &str,
        blame: impl Into<Option<Blame>>,
    ) {
        let failure = FailedPoint { hint: hint.to_owned(), blame: blame.into() };
        self.first_failure.get_or_insert_with(|| failure.clone());
        (self.show)(&Point { subject, found: found.into(), result: PointResult::Failed(failure) });
    }
}
