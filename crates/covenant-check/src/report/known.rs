//! Known breaches: what the users of a report have accepted for a time, with a reason.

use std::fmt;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{EvaluatedCheck, Report};
use crate::check::Verdict;
use covenant_model::contract::Basis;

/// Why a breach is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownBreach {
    /// The reason, as the user wrote it.
    pub reason: String,
    /// An address that says more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The last day on which the breach is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub expires: Option<Date>,
}

impl fmt::Display for KnownBreach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)?;
        if let Some(link) = &self.link {
            write!(f, " ({link})")?;
        }
        match &self.expires {
            Some(date) => write!(f, ", until {date}"),
            None => Ok(()),
        }
    }
}

/// An entry of a file of known breaches that fails the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KnownFault {
    /// The file and the line of the entry.
    pub place: String,
    /// The checks that it names.
    pub check: String,
    /// The clause that it names.
    pub clause: String,
    /// Fault of it.
    pub why: String,
}

impl fmt::Display for KnownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, check, clause, why } = self;
        write!(f, "{place}: the known breach of {clause} by {check} {why}")
    }
}

impl Report {
    /// Returns the broken checks of some bases that no one knows.
    pub fn unknown_breaches<'a>(
        &'a self,
        counts: impl Fn(Basis) -> bool + 'a,
    ) -> impl Iterator<Item = &'a EvaluatedCheck> {
        self.checks.iter().filter(move |evaluated| {
            let broken = evaluated.evaluation.result.verdict == Verdict::Broken;
            broken && evaluated.known.is_none() && counts(evaluated.evaluation.check.basis)
        })
    }

    /// Returns whether something is broken, and all of it is known, by entries without a fault.
    #[must_use]
    pub fn is_all_known(&self) -> bool {
        self.known_breaches() > 0
            && self.known_faults.is_empty()
            && self.unknown_breaches(|_| true).next().is_none()
    }

    /// Returns the number of broken checks that are known.
    #[must_use]
    pub fn known_breaches(&self) -> usize {
        self.checks.iter().filter(|check| check.known.is_some()).count()
    }
}
