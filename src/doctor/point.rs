//! The points that a diagnosis finds, one after the other.

/// One point of a diagnosis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// What was examined: `trust`, `clock`.
    pub subject: &'static str,
    /// What was found, for a person.
    pub found: String,
    /// The result.
    pub result: PointResult,
}

/// The result of one point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PointResult {
    /// It works.
    Fine,
    /// It limits what a run can prove.
    Note,
    /// It prevents a run.
    Failed {
        /// How to fix it.
        hint: String,
        /// Where the cause is.
        cause: Cause,
    },
}

/// Where the cause of a failed point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The command line or the configuration file.
    Usage,
    /// The target.
    Target,
    /// The adapter or another operator client.
    Adapter,
    /// This machine.
    Environment,
}

/// Passes each point on when it is found.
pub struct Points<'a> {
    show: &'a mut dyn FnMut(&Point),
    first_cause: Option<Cause>,
}

impl<'a> Points<'a> {
    /// Passes each point to `show`.
    pub fn new(show: &'a mut dyn FnMut(&Point)) -> Self {
        Self { show, first_cause: None }
    }

    /// Returns the cause of the first point that failed; `None` if none failed.
    #[must_use]
    pub fn first_cause(&self) -> Option<Cause> {
        self.first_cause
    }

    pub(super) fn fine(&mut self, subject: &'static str, found: impl Into<String>) {
        (self.show)(&Point { subject, found: found.into(), result: PointResult::Fine });
    }

    pub(super) fn note(&mut self, subject: &'static str, found: impl Into<String>) {
        (self.show)(&Point { subject, found: found.into(), result: PointResult::Note });
    }

    /// Passes on a point that failed.
    pub fn failed(&mut self, subject: &'static str, found: impl Into<String>, hint: &str, cause: Cause) {
        self.first_cause.get_or_insert(cause);
        let result = PointResult::Failed { hint: hint.to_owned(), cause };
        (self.show)(&Point { subject, found: found.into(), result });
    }
}
