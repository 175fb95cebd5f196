//! Defects and variants: small patches of real decisions, one file each.

use super::policy::Policy;
use covenant_model::contract::Aspect;

/// One way in which the platform deviates from its conforming self.
#[derive(Clone, Copy, Debug)]
pub struct Patch {
    /// What it is called: `commits-step-by-step`.
    pub name: &'static str,
    /// Against the contract, or within it.
    pub kind: PatchKind,
    /// What the platform then does, in a sentence.
    pub summary: &'static str,
    /// Whether only a rare history shows it.
    pub hard_to_reach: bool,
    pub(crate) apply: fn(&mut Policy),
}

/// Whether a patch is against the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// It breaks these clauses, each in that aspect.
    Defect {
        /// Clause ids and aspects.
        breaks: &'static [(&'static str, Aspect)],
    },
    /// It is valid: everything is still kept.
    Variant,
}

impl Patch {
    /// A deviation that breaks these clauses.
    pub(crate) const fn defect(
        name: &'static str,
        breaks: &'static [(&'static str, Aspect)],
        summary: &'static str,
        apply: fn(&mut Policy),
    ) -> Self {
        Self { name, kind: PatchKind::Defect { breaks }, summary, hard_to_reach: false, apply }
    }

    /// A valid way of being different.
    pub(crate) const fn variant(name: &'static str, summary: &'static str, apply: fn(&mut Policy)) -> Self {
        Self { name, kind: PatchKind::Variant, summary, hard_to_reach: false, apply }
    }

    /// The same, as one that only a rare history shows.
    pub(crate) const fn hard_to_reach(self) -> Self {
        Self { hard_to_reach: true, ..self }
    }
}
