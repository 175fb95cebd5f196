//! The contract as data: clauses, classes, aspects, versions and digests. Depends on no other module.
//!
//! The clause is the unit of this project. Every check, scenario, property, defect and report row refers to
//! the id of a clause. The obligations are in our own words; a contract text is identified by its version and
//! its digest. Each text has a [`Register`], listed in [`REGISTERS`]; [`HeldText`] is the one that a run goes by.

mod fix;
mod held;
mod id;
mod register;
mod texts;

pub use fix::fix;
pub use held::{HeldText, TextSource};
pub use id::{ClauseId, ParseClauseError, Section};
pub use register::{Register, TextId, TextRange};
pub use texts::{REGISTERS, V1_2026_05, V1_2026_06, register};

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Version of the binding: the additions that the project proposes if the observed wire has no field.
pub const BINDING_VERSION: &str = "1";

/// Way in which the contract enforces a clause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Enforced by program.
    Hard,
    /// Enforced by operator review.
    Soft,
    /// Driven by an operator.
    Critical,
}

/// Side of a clause that a check evaluates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// The target keeps the clause itself.
    Conduct,
    /// The target notices a peer that breaks the clause.
    Detection,
}

/// Basis of a check: the half of the binding that it uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// The wire as platforms speak it.
    #[default]
    Observed,
    /// An addition of the binding, for data that the observed wire has no field for.
    Proposed,
}

/// Plane on which a clause is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// The federation plane.
    Wire,
    /// The operator plane.
    Operator,
    /// Both planes together.
    WireAndOperator,
    /// The statement of a person only.
    Attestation,
}

/// Description of the way in which one aspect of a clause is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Observation {
    /// Description, for a person.
    pub how: &'static str,
    /// Plane of the observation.
    pub by: Means,
}

/// One obligation of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Clause {
    /// Id, such as `7.1`.
    pub id: ClauseId,
    /// Class of enforcement. The contract gives commitment 2 no class. It is written as a duty, so it counts
    /// as hard.
    pub class: Class,
    /// Obligation, in our own words.
    pub obligation: &'static str,
    /// Observation of the target's own conduct; `None` if the clause does not have that aspect.
    pub conduct: Option<Observation>,
    /// Observation of the target's detection; `None` if the clause does not have that aspect.
    pub detection: Option<Observation>,
    /// `true` if the text withdraws the clause: no target has to keep it.
    pub withdrawn: bool,
}

impl Clause {
    /// Returns the aspects that this clause has.
    pub fn aspects(&self) -> impl Iterator<Item = Aspect> + use<> {
        let conduct = self.conduct.map(|_| Aspect::Conduct);
        conduct.into_iter().chain(self.detection.map(|_| Aspect::Detection))
    }

    /// Returns the observation of an aspect; `None` if the clause does not have that aspect.
    #[must_use]
    pub fn observation(&self, aspect: Aspect) -> Option<Observation> {
        match aspect {
            Aspect::Conduct => self.conduct,
            Aspect::Detection => self.detection,
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Hard => "hard",
            Self::Soft => "soft",
            Self::Critical => "critical",
        })
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Conduct => "conduct",
            Self::Detection => "detection",
        })
    }
}

impl FromStr for Aspect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "conduct" => Ok(Self::Conduct),
            "detection" => Ok(Self::Detection),
            other => Err(format!("{other:?} is no aspect: conduct or detection")),
        }
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Observed => "observed",
            Self::Proposed => "proposed",
        })
    }
}
