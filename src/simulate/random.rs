//! Behaviours drawn from the seed, as `--random` asks for.

use rand::RngExt;
use rand::seq::IndexedRandom;

use super::deeds::Deed;
use crate::clock::Seed;
use crate::peer::behaviours::BEHAVIOURS;
use crate::peer::{Behaviour, FAMILIES};

/// The largest number of behaviours that are drawn at once.
const AT_ONCE_MAX: usize = 3;

/// Returns the behaviours that may be drawn: those that were named, or else every one that breaks a clause. One that
/// ends the peering would be the last, so it is drawn only if it was named.
pub(super) fn pool(named: &[&'static Behaviour]) -> Vec<&'static Behaviour> {
    if !named.is_empty() {
        return named.to_vec();
    }
    let breaking = BEHAVIOURS.iter().copied().filter(|behaviour| !behaviour.clauses.is_empty());
    breaking.filter(|behaviour| Deed::of(behaviour) != Some(Deed::Revoke)).collect()
}

/// Draws the behaviours of a round: of different families, so that none hides another. Every third round conforms.
pub(super) fn draw(seed: Seed, round: u64, pool: &[&'static Behaviour]) -> Vec<&'static Behaviour> {
    let mut rng = seed.derive("random").derive(&round.to_string()).rng();
    if rng.random_range(0..3) == 0 {
        return vec![];
    }
    let count = rng.random_range(1..=AT_ONCE_MAX);
    let mut drawn: Vec<&'static Behaviour> = Vec::new();
    for behaviour in pool.sample(&mut rng, count) {
        if drawn.iter().all(|other| !is_of_one_family(other, behaviour)) {
            drawn.push(behaviour);
        }
    }
    drawn
}

fn is_of_one_family(one: &Behaviour, other: &Behaviour) -> bool {
    FAMILIES.iter().any(|family| {
        let has = |behaviour: &Behaviour| family.names().any(|name| name == behaviour.name);
        has(one) && has(other)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(seed: u64, round: u64) -> Vec<&'static str> {
        draw(Seed(seed), round, &pool(&[])).iter().map(|behaviour| behaviour.name).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_does_not() {
        let drawn = |seed| (0..50).map(|round| names(seed, round)).collect::<Vec<_>>();
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        assert!(drawn(7).iter().any(Vec::is_empty) && drawn(7).iter().any(|drawn| drawn.len() > 1));
    }

    #[test]
    fn nothing_that_is_drawn_ends_the_peering_unless_it_was_named() {
        let ends = |behaviour: &&Behaviour| Deed::of(behaviour) == Some(Deed::Revoke);
        assert!(!pool(&[]).iter().any(ends));
        let silent = crate::peer::behaviours::behaviour("silent-revocation").expect("a behaviour");
        assert!((0..50).any(|round| !draw(Seed(1), round, &pool(&[silent])).is_empty()));
    }
}
