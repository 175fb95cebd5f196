//! Families of behaviours: those by which a peer breaks one commitment, in the words of the contract.

use crate::Behaviour;
use crate::behaviours::{BEHAVIOURS, behaviour};

/// Group of behaviours that break one commitment. A behaviour that breaks several is in the family of the first.
#[derive(Debug)]
pub struct Family {
    /// Name, in the contract's words.
    pub name: &'static str,
    /// Number of the commitment.
    pub commitment: u8,
    /// Description, in one sentence.
    pub about: &'static str,
    /// Names of the behaviours that one peer shows at the same time, if it is given the family.
    pub together: &'static [&'static str],
    /// Names of the others: each of them would hide one of the former, or be hidden.
    pub alone: &'static [&'static str],
}

/// Every family, in the order of the commitments.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "withheld-disclosure",
        commitment: 1,
        about: "the peer does not say who operates it, under which law, and what it runs",
        together: &[
            "withholds-contact",
            "withholds-jurisdiction",
            "withholds-version",
            "withholds-last-good-release",
        ],
        alone: &["states-nulls"],
    },
    Family {
        name: "broken-grants",
        commitment: 2,
        about: "the peer does not honour the grants that it issued",
        together: &["broken-grant", "dropped-scope", "silent-grant-revocation"],
        alone: &[],
    },
    Family {
        name: "bogus-capabilities",
        commitment: 3,
        about: "the peer declares capabilities that it does not have",
        together: &["bogus-kind", "bogus-schema", "bogus-filter"],
        alone: &["extensions-without-capabilities", "extensions-with-empty-capabilities", "extensions-alone"],
    },
    Family {
        name: "silent-revocation",
        commitment: 4,
        about: "the peer ends the peering without the notice or the grace that it owes",
        together: &["silent-revocation"],
        alone: &["rejects-open-migrations"],
    },
    Family {
        name: "withheld-excerpt",
        commitment: 5,
        about: "the peer does not deliver its audit excerpts, or delivers what is not the target's",
        together: &["rejects-excerpt-requests"],
        alone: &["late-excerpt", "repeatedly-postponed-excerpt", "foreign-entries-in-excerpt"],
    },
    Family {
        name: "handshake-flood",
        commitment: 6,
        about: "the peer floods the capabilities channel, and issues grants by the dozen",
        together: &["handshake-flood", "capability-churn", "many-wide-grants"],
        alone: &["many-narrow-grants", "grants-in-each-heartbeat"],
    },
    Family {
        name: "partial-apply",
        commitment: 7,
        about: "the peer does not do with a migration what it claims",
        together: &["partial-apply"],
        alone: &[
            "dangling-references",
            "steps-out-of-order",
            "hidden-conflict",
            "invented-conflict",
            "remapped-ids",
            "remapped-reference",
            "sync-after-migration",
        ],
    },
    Family {
        name: "withheld-residency",
        commitment: 8,
        about: "the peer does not say where it keeps data",
        together: &["withholds-residency"],
        alone: &[],
    },
    Family {
        name: "version-mismatch",
        commitment: 10,
        about: "the peer runs a release that is not compatible with the target's, or states none",
        together: &["version-change-after-handshake"],
        alone: &[
            "next-major-version",
            "version-two-minors-away",
            "invalid-version",
            "version-with-leading-v",
        ],
    },
    Family {
        name: "demanded-deletion",
        commitment: 11,
        about: "the peer demands that the target deletes what is the target's own",
        together: &["demands-deletion"],
        alone: &[],
    },
    Family {
        name: "contract-mismatch",
        commitment: 12,
        about: "the peer advertises another contract version or text than the one that it honours",
        together: &["contract-mismatch"],
        alone: &[
            "agrees-to-other-contract-version",
            "sends-other-contract-digest",
            "sends-almost-the-contract-digest",
        ],
    },
];

impl Family {
    /// Returns the names of its behaviours.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.together.iter().chain(self.alone).copied()
    }

    /// Returns its behaviours.
    pub fn behaviours(&self) -> impl Iterator<Item = &'static Behaviour> {
        self.names().filter_map(behaviour)
    }

    /// Returns the behaviours that one peer shows at the same time.
    pub fn together(&self) -> impl Iterator<Item = &'static Behaviour> {
        self.together.iter().copied().filter_map(behaviour)
    }
}

/// Returns the family with this name.
#[must_use]
pub fn family(name: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.name == name)
}

/// Returns the family of a behaviour; `None` if the behaviour breaks no clause.
#[must_use]
pub fn family_of(behaviour: &Behaviour) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| family.names().any(|name| name == behaviour.name))
}

/// Meaning of a name: a family, or a behaviour. Some families have the name of their first behaviour;
/// `FAMILY/BEHAVIOUR` is that behaviour alone.
#[derive(Clone, Copy, Debug)]
pub enum Named {
    /// A family.
    Family(&'static Family),
    /// One behaviour.
    Behaviour(&'static Behaviour),
}

impl Named {
    /// Finds what a name stands for.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        if let Some((of, one)) = name.split_once('/') {
            let is_in = family(of)?.names().any(|name| name == one);
            return behaviour(one).filter(|_| is_in).map(Self::Behaviour);
        }
        family(name).map(Self::Family).or_else(|| behaviour(name).map(Self::Behaviour))
    }

    /// Returns every name, for a message about an unknown one.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FAMILIES.iter().map(|family| family.name).chain(BEHAVIOURS.iter().map(|behaviour| behaviour.name))
    }

    /// Returns every behaviour that the name stands for.
    #[must_use]
    pub fn all(self) -> Vec<&'static Behaviour> {
        match self {
            Self::Family(family) => family.behaviours().collect(),
            Self::Behaviour(behaviour) => vec![behaviour],
        }
    }

    /// Returns the behaviours that one peer shows at the same time, if it is given the name.
    #[must_use]
    pub fn together(self) -> Vec<&'static Behaviour> {
        match self {
            Self::Family(family) => family.together().collect(),
            Self::Behaviour(behaviour) => vec![behaviour],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_behaviour_that_breaks_a_clause_is_in_one_family_and_no_other_is() {
        for behaviour in BEHAVIOURS {
            let of = FAMILIES.iter().filter(|family| family.names().any(|name| name == behaviour.name));
            let expected = usize::from(!behaviour.clauses.is_empty());
            assert_eq!(of.count(), expected, "{}", behaviour.name);
        }
    }

    #[test]
    fn each_name_is_a_behaviour_that_breaks_the_commitment() {
        for family in FAMILIES {
            assert!(!family.together.is_empty(), "{}", family.name);
            assert_eq!(family.behaviours().count(), family.names().count(), "{}", family.name);
            for behaviour in family.behaviours() {
                // A digest of another text breaks the section about versions, and the honesty about them.
                let sections = behaviour.clauses.iter().filter_map(|clause| clause.split('.').next());
                let of = family.commitment.to_string();
                let breaks = sections.clone().any(|section| section == of);
                assert!(breaks || behaviour.clauses == ["V.2"], "{} is not of {of}", behaviour.name);
            }
        }
    }

    #[test]
    fn a_name_is_a_family_a_behaviour_or_one_of_a_family() {
        let count = |name: &str| Named::find(name).map(|named| (named.all().len(), named.together().len()));
        assert_eq!(count("partial-apply"), Some((8, 1)));
        assert_eq!(count("partial-apply/partial-apply"), Some((1, 1)));
        assert_eq!(count("bogus-kind"), Some((1, 1)));
        assert_eq!(count("bogus-capabilities"), Some((6, 3)));
        for name in ["bogus", "partial-apply/bogus-kind", "/bogus-kind", "bogus-kind/bogus-kind", ""] {
            assert_eq!(count(name), None, "{name:?}");
        }
    }

    #[test]
    fn the_families_of_the_contract_are_there() {
        for name in [
            "bogus-capabilities",
            "handshake-flood",
            "partial-apply",
            "version-mismatch",
            "silent-revocation",
        ] {
            assert!(family(name).is_some(), "{name}");
        }
    }
}
