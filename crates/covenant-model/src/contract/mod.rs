//! The contract as data: clauses, classes, aspects, versions and digests. Depends on nothing.
//!
//! A clause is the atom of this project: every check, scenario, property, defect and line of a
//! report hangs on a clause's id. The obligations are told in words of our own; the contract's
//! text is known by its digest only.

mod id;
mod register;

pub use id::{ClauseId, ParseClauseError, Section};
pub use register::{REGISTER_V1, Register};

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of our binding: what the project proposes where the observed wire has no field.
pub const BINDING_VERSION: &str = "1";

/// How the contract says that a clause is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Verified by program.
    Hard,
    /// Reviewed by an operator.
    Soft,
    /// Driven by an operator.
    Critical,
}

/// Which side of a clause is evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// The target keeps the clause itself.
    Conduct,
    /// The target notices a peer that breaks it.
    Detection,
}

/// Which half of the binding a result rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Basis {
    /// What the platform speaks today.
    #[default]
    Observed,
    /// What our binding proposes for what that wire has no field for.
    Proposed,
}

/// What a clause is seen through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// What crosses the federation wire.
    Wire,
    /// The operator plane.
    Operator,
    /// Both together.
    WireAndOperator,
    /// A person's word only.
    Attestation,
}

/// One aspect of a clause: how it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Observation {
    /// In words.
    pub how: &'static str,
    /// Through what.
    pub by: Means,
}

/// One obligation of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Clause {
    /// `7.1`
    pub id: ClauseId,
    /// How it is enforced. Commitment 2 is given no class by the contract; it is written as a duty,
    /// so it counts as hard here.
    pub class: Class,
    /// What is owed, in words of our own.
    pub obligation: &'static str,
    /// How the target's own conduct is seen, where the clause has that aspect.
    pub conduct: Option<Observation>,
    /// How the target's noticing is seen, where the clause has that aspect.
    pub detection: Option<Observation>,
}

impl Clause {
    /// The aspects that this clause has.
    pub fn aspects(&self) -> impl Iterator<Item = Aspect> + use<> {
        let conduct = self.conduct.map(|_| Aspect::Conduct);
        conduct.into_iter().chain(self.detection.map(|_| Aspect::Detection))
    }

    /// How a aspect is seen.
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
