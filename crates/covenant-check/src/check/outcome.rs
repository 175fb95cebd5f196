//! The outcome of a check: a pass, or the reason why there is none.

/// The observation of a check, with the entries that show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The observed answer, in a sentence without a full stop.
    pub(super) actual: String,
    /// The numbers of the trace entries that show it.
    pub(super) evidence: Vec<u64>,
    /// True of a breach that no later entry can undo or excuse: it stands in a trace that ended early.
    pub(super) is_final: bool,
}

/// The clause is kept, as these entries show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pass(pub(super) Seen);

/// The reason why a check does not pass. `?` carries it with its evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The clause is broken.
    Broken(Seen),
    /// The clause could not be observed.
    Unproven(Seen),
    /// The target has nothing to which the check applies.
    NotApplicable(Seen),
}

/// The result of an evaluation, before it is paired with the expectations of its check.
pub(super) type Outcome = Result<Pass, Stop>;

impl Seen {
    fn new(actual: impl Into<String>, evidence: impl IntoIterator<Item = u64>) -> Self {
        Self { actual: actual.into(), evidence: evidence.into_iter().collect(), is_final: false }
    }
}

impl Pass {
    /// Creates a pass, as these entries show.
    #[must_use]
    pub(super) fn new(actual: impl Into<String>, evidence: impl IntoIterator<Item = u64>) -> Self {
        Self(Seen::new(actual, evidence))
    }
}

impl Stop {
    /// Creates a breach, as these entries show.
    #[must_use]
    pub(super) fn broken(actual: impl Into<String>, evidence: impl IntoIterator<Item = u64>) -> Self {
        Self::Broken(Seen::new(actual, evidence))
    }

    /// Creates a final breach, as these entries show: nothing that a trace could hold later would undo or excuse it. It rests
    /// on what the target sent or showed, never on what is absent, and on no refusal.
    #[must_use]
    pub(super) fn final_breach(actual: impl Into<String>, evidence: impl IntoIterator<Item = u64>) -> Self {
        Self::broken(actual, evidence).final_if(true)
    }

    /// Makes a breach final if this holds.
    #[must_use]
    pub(super) fn final_if(self, is_final: bool) -> Self {
        match self {
            Self::Broken(seen) => Self::Broken(Seen { is_final, ..seen }),
            other => other,
        }
    }

    /// Creates a stop for what could not be observed.
    #[must_use]
    pub(super) fn unproven(actual: impl Into<String>, evidence: impl IntoIterator<Item = u64>) -> Self {
        Self::Unproven(Seen::new(actual, evidence))
    }

    /// Creates a stop for a target that has nothing to which the check applies.
    #[must_use]
    pub(super) fn not_applicable(actual: impl Into<String>, evidence: impl IntoIterator<Item = u64>) -> Self {
        Self::NotApplicable(Seen::new(actual, evidence))
    }

    /// Adds the entries that led to the stop, before its own.
    #[must_use]
    pub(super) fn after(mut self, earlier: impl IntoIterator<Item = u64>) -> Self {
        let (Self::Broken(seen) | Self::Unproven(seen) | Self::NotApplicable(seen)) = &mut self;
        seen.evidence.splice(0..0, earlier);
        self
    }

    /// Turns the stop into `unproven` for another reason, with the same evidence.
    #[must_use]
    pub(super) fn into_unproven(self, actual: impl Into<String>) -> Self {
        let (Self::Broken(seen) | Self::Unproven(seen) | Self::NotApplicable(seen)) = self;
        Self::unproven(actual, seen.evidence)
    }
}

/// Turns what is missing in a trace into an `unproven`, so that `?` ends the check.
pub(super) trait OrUnproven<T> {
    /// Returns the value, or the stop `unproven` for this reason, without evidence.
    fn or_unproven(self, reason: &str) -> Result<T, Stop>;

    /// Returns the value, or the stop `unproven` for this reason, as these entries show.
    fn or_unproven_at(self, reason: &str, evidence: &[u64]) -> Result<T, Stop>;
}

impl<T> OrUnproven<T> for Option<T> {
    fn or_unproven(self, reason: &str) -> Result<T, Stop> {
        self.or_unproven_at(reason, &[])
    }

    fn or_unproven_at(self, reason: &str, evidence: &[u64]) -> Result<T, Stop> {
        self.ok_or_else(|| Stop::unproven(reason, evidence.iter().copied()))
    }
}

/// Ends a check as broken if this is false.
pub(super) fn require(
    holds: bool,
    breach: impl FnOnce() -> String,
    evidence: impl IntoIterator<Item = u64>,
) -> Result<(), Stop> {
    if holds { Ok(()) } else { Err(Stop::broken(breach(), evidence)) }
}
