//! Defects and variants: small patches of real decisions.

use serde_json::{Map, Value, json};

use super::policy::Policy;
use covenant_model::contract::Aspect;

/// One way in which the platform deviates from its default behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Patch {
    /// Name of the patch, such as `commits-step-by-step`.
    pub name: &'static str,
    /// Kind of the patch: against the contract, or within it.
    pub kind: PatchKind,
    /// The effect of the patch, in one sentence.
    pub summary: &'static str,
    /// Set if only a rare history shows the patch.
    pub hard_to_reach: bool,
    /// The variant that is applied first; `None` if there is none. A defect against a contract text is applied on
    /// top of the variant that keeps this text.
    pub on: Option<&'static Patch>,
    /// The checks that are unproven under the patch, because the platform does not speak what they need.
    pub leaves_unproven: &'static [&'static str],
    /// The decisions that the patch takes and that another variant takes otherwise. Two variants that take one decision
    /// contradict each other.
    pub decides: &'static [&'static str],
    apply: fn(&mut Policy),
}

/// The relation of a patch to the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// A patch that breaks these clauses, each in the given aspect.
    Defect {
        /// Clause ids and aspects.
        breaks: &'static [(&'static str, Aspect)],
    },
    /// A patch that keeps every clause.
    Variant,
}

impl PatchKind {
    /// Returns the aspects that the patch breaks.
    #[must_use]
    pub const fn breaks(self) -> &'static [(&'static str, Aspect)] {
        match self {
            Self::Defect { breaks } => breaks,
            Self::Variant => &[],
        }
    }
}

impl Patch {
    /// Creates a patch that breaks these clauses.
    pub(crate) const fn defect(
        name: &'static str,
        breaks: &'static [(&'static str, Aspect)],
        summary: &'static str,
        apply: fn(&mut Policy),
    ) -> Self {
        Self {
            name,
            kind: PatchKind::Defect { breaks },
            summary,
            hard_to_reach: false,
            on: None,
            leaves_unproven: &[],
            decides: &[],
            apply,
        }
    }

    /// Creates a patch that keeps every clause.
    pub(crate) const fn variant(name: &'static str, summary: &'static str, apply: fn(&mut Policy)) -> Self {
        Self {
            name,
            kind: PatchKind::Variant,
            summary,
            hard_to_reach: false,
            on: None,
            leaves_unproven: &[],
            decides: &[],
            apply,
        }
    }

    /// Puts the patch on top of a variant.
    pub(crate) const fn on(self, variant: &'static Patch) -> Self {
        Self { on: Some(variant), ..self }
    }

    /// Names the checks that need what the platform does not speak under the patch.
    pub(crate) const fn leaving_unproven(self, checks: &'static [&'static str]) -> Self {
        Self { leaves_unproven: checks, ..self }
    }

    /// Names the decisions that other variants take otherwise.
    pub(crate) const fn deciding(self, decisions: &'static [&'static str]) -> Self {
        Self { decides: decisions, ..self }
    }

    /// Returns the decisions of the patch and of the variant below it.
    fn decisions(&self) -> impl Iterator<Item = &'static str> + use<> {
        let below = self.on.map_or(&[][..], |variant| variant.decides);
        self.decides.iter().chain(below).copied()
    }

    fn is_on(&self, variant: &Self) -> bool {
        self.on.is_some_and(|below| below.name == variant.name)
    }

    /// Applies the patch, after its variant.
    pub(crate) fn apply_to(&self, policy: &mut Policy) {
        if let Some(variant) = self.on {
            variant.apply_to(policy);
        }
        (self.apply)(policy);
    }

    /// Marks the patch as one that only a rare history shows.
    pub(crate) const fn hard_to_reach(self) -> Self {
        Self { hard_to_reach: true, ..self }
    }
}

/// Two patches that cannot hold together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{one} and {other} cannot hold together: each decides by itself {decision}; name one of the two")]
pub struct Contradiction {
    /// The name of the first.
    pub one: &'static str,
    /// The name of the second.
    pub other: &'static str,
    /// Decisions that both take.
    pub decision: &'static str,
}

/// Returns the first two patches that contradict each other.
#[must_use]
pub fn contradiction(patches: &[&'static Patch]) -> Option<Contradiction> {
    let pairs = patches.iter().enumerate().flat_map(|(place, one)| {
        let later = patches.iter().skip(place + 1);
        later
            .filter(|other| one.name != other.name && !one.is_on(other) && !other.is_on(one))
            .map(move |other| (one, other))
    });
    pairs
        .flat_map(|(one, other)| one.decisions().map(move |decision| (one, other, decision)))
        .find(|(_, other, decision)| other.decisions().any(|own| own == *decision))
        .map(|(one, other, decision)| Contradiction { one: one.name, other: other.name, decision })
}

/// Counts the patches of several tables.
pub(crate) const fn count(tables: &[&[Patch]]) -> usize {
    let (mut sum, mut table) = (0, 0);
    while table < tables.len() {
        sum += tables[table].len();
        table += 1;
    }
    sum
}

/// Joins tables into one list, in their order. `N` is their [`count`].
pub(crate) const fn joined<const N: usize>(tables: &[&'static [Patch]]) -> [&'static Patch; N] {
    let mut list = [&tables[0][0]; N];
    let (mut place, mut table) = (0, 0);
    while table < tables.len() {
        let mut row = 0;
        while row < tables[table].len() {
            list[place] = &tables[table][row];
            (place, row) = (place + 1, row + 1);
        }
        table += 1;
    }
    list
}

/// Removes a member from the disclosure in an introduction.
pub(crate) fn omit_disclosed(introduction: &mut Map<String, Value>, name: &str) {
    if let Some(metadata) = introduction.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove(name);
    }
}

/// Replaces a member of the disclosure in an introduction.
pub(crate) fn replace_disclosed(introduction: &mut Map<String, Value>, name: &str, value: &str) {
    if let Some(metadata) = introduction.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert(name.to_owned(), json!(value));
    }
}
