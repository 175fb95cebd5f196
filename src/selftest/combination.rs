//! Sets of variants: a conforming platform takes many permitted choices at once, and no check may break then.

use std::collections::BTreeSet;
use std::str::FromStr;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::Rng;

use crate::clock::Seed;
use crate::reference::{Patch, VARIANTS, contradiction};

/// The number of variants of a random set.
const RANDOM_SIZES: std::ops::RangeInclusive<u32> = 3..=6;
/// The most variants of a set that covers pairs.
const PAIRS_SIZE_MAX: usize = 16;
/// The word that asks for all pairs.
const PAIRS: &str = "pairs";
/// The most random sets.
const RANDOM_SETS_MAX: u32 = 100_000;

/// The sets of variants that a self-test runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    /// Sets that hold each pair of variants which do not contradict each other.
    Pairs,
    /// That many random sets.
    Random(u32),
}

impl FromStr for Combine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == PAIRS {
            return Ok(Self::Pairs);
        }
        let count = text.parse().ok().filter(|count| (1..=RANDOM_SETS_MAX).contains(count));
        count
            .map(Self::Random)
            .ok_or_else(|| format!("`{PAIRS}` or a number from 1 to {RANDOM_SETS_MAX} was expected"))
    }
}

/// A set of variants that do not contradict each other, with the seed of its run.
#[derive(Clone, Debug)]
pub struct Combination {
    /// The variants, in the order of [`VARIANTS`].
    pub variants: Vec<&'static Patch>,
    /// The seed of its run.
    pub seed: Seed,
}

impl Combination {
    /// Returns the names of the variants.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.variants.iter().map(|variant| variant.name.to_owned()).collect()
    }
}

/// Returns the sets. The same seed gives the same sets.
#[must_use]
pub fn combinations(combine: Combine, seed: Seed) -> Vec<Combination> {
    let sets = match combine {
        Combine::Pairs => covering_pairs(seed),
        Combine::Random(count) => (0..count).map(|number| random_set(part(seed, number))).collect(),
    };
    let seeds = (0..).map(|number| part(seed, number));
    sets.into_iter().zip(seeds).map(|(set, seed)| Combination { variants: patches(&set), seed }).collect()
}

/// Returns the seed of one set.
fn part(seed: Seed, number: u32) -> Seed {
    seed.derive(&format!("combination {number}"))
}

/// A set, as places in [`VARIANTS`].
type Set = BTreeSet<usize>;

fn patches(set: &Set) -> Vec<&'static Patch> {
    set.iter().map(|place| VARIANTS[*place]).collect()
}

fn random_set(seed: Seed) -> Set {
    let mut order = Order::new(seed);
    let sizes = RANDOM_SIZES.end() - RANDOM_SIZES.start() + 1;
    let size = RANDOM_SIZES.start() + order.below(sizes);
    grow(Set::new(), &order.shuffled(), size as usize)
}

/// Returns sets that hold each pair. Each set begins with a pair that none before it holds.
fn covering_pairs(seed: Seed) -> Vec<Set> {
    let mut order = Order::new(seed);
    let mut missing: BTreeSet<(usize, usize)> = (0..VARIANTS.len())
        .flat_map(|one| (one + 1..VARIANTS.len()).map(move |other| (one, other)))
        .collect();
    missing.retain(|(one, other)| contradiction(&[VARIANTS[*one], VARIANTS[*other]]).is_none());
    let mut sets = Vec::new();
    while let Some((one, other)) = missing.first().copied() {
        let mut places = order.shuffled();
        // Variants that miss many pairs go first, so that few sets do.
        let missed = |place: &usize| missing.iter().filter(|(a, b)| a == place || b == place).count();
        places.sort_by_cached_key(|place| std::cmp::Reverse(missed(place)));
        let set = grow(Set::from([one, other]), &places, PAIRS_SIZE_MAX);
        missing.retain(|(one, other)| !(set.contains(one) && set.contains(other)));
        sets.push(set);
    }
    sets
}

/// Adds variants in this order, up to a size, each if it contradicts none of the set.
fn grow(mut set: Set, places: &[usize], size: usize) -> Set {
    for place in places {
        if set.len() >= size {
            break;
        }
        let mut with = set.clone();
        with.insert(*place);
        if contradiction(&patches(&with)).is_none() {
            set = with;
        }
    }
    set
}

/// Draws by a seed.
struct Order(ChaCha8Rng);

impl Order {
    fn new(seed: Seed) -> Self {
        Self(seed.rng())
    }

    /// Draws a number below a limit.
    fn below(&mut self, limit: u32) -> u32 {
        // The limits are small, so no number is noticeably likelier.
        self.0.next_u32() % limit
    }

    /// Returns the places of all variants in a random order.
    fn shuffled(&mut self) -> Vec<usize> {
        let mut places: Vec<(u64, usize)> =
            (0..VARIANTS.len()).map(|place| (self.0.next_u64(), place)).collect();
        places.sort_unstable();
        places.into_iter().map(|(_, place)| place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_sets_contradict_nothing_and_repeat_by_their_seed() {
        let drawn = |seed| combinations(Combine::Random(50), Seed(seed));
        let names = |sets: &[Combination]| sets.iter().map(Combination::names).collect::<Vec<_>>();
        let sets = drawn(1);
        assert_eq!(names(&sets), names(&drawn(1)));
        assert_ne!(names(&sets), names(&drawn(2)));
        for set in &sets {
            assert!((3..=6).contains(&set.variants.len()), "{set:?}");
            assert_eq!(contradiction(&set.variants), None);
        }
        let different: BTreeSet<Vec<String>> = names(&sets).into_iter().collect();
        assert!(different.len() > 45, "{}", different.len());
    }

    #[test]
    fn the_sets_of_pairs_hold_each_pair_that_can_be() {
        let sets = combinations(Combine::Pairs, Seed(1));
        assert!(sets.iter().all(|set| contradiction(&set.variants).is_none()));
        let holds = |one: &Patch, other: &Patch| {
            let has =
                |set: &Combination, patch: &Patch| set.variants.iter().any(|own| own.name == patch.name);
            sets.iter().any(|set| has(set, one) && has(set, other))
        };
        for (place, one) in VARIANTS.iter().enumerate() {
            for other in &VARIANTS[place + 1..] {
                let can_be = contradiction(&[one, other]).is_none();
                assert_eq!(holds(one, other), can_be, "{} {}", one.name, other.name);
            }
        }
    }

    #[test]
    fn a_wrong_word_names_what_was_expected() {
        assert_eq!("pairs".parse(), Ok(Combine::Pairs));
        assert_eq!("500".parse(), Ok(Combine::Random(500)));
        for wrong in ["", "0", "all", "-1", "100001"] {
            assert!(wrong.parse::<Combine>().expect_err(wrong).contains("from 1 to 100000"), "{wrong}");
        }
    }
}
