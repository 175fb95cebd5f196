//! The seed of a run, and the seeds derived from it by name.

use std::fmt;
use std::str::FromStr;

use chacha20::ChaCha8Rng;
use chacha20::rand_core::SeedableRng;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Number from which every choice of a run follows. A run prints it first and accepts it as `--seed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// Creates a seed from the system's randomness.
    #[must_use]
    pub fn fresh() -> Self {
        let mut bytes = [0_u8; 8];
        getrandom::fill(&mut bytes).expect("the system gives randomness");
        // Nine digits at most, so that a person can type the seed.
        Self(u64::from_le_bytes(bytes) % 1_000_000_000)
    }

    /// Returns the seed for a part of the run. The same parent and name give the same child.
    #[must_use]
    pub fn derive(self, name: &str) -> Self {
        let hash = Sha256::new().chain_update(self.0.to_le_bytes()).chain_update(name).finalize();
        let mut bytes = [0_u8; 8];
        bytes.copy_from_slice(&hash[..8]);
        Self(u64::from_le_bytes(bytes))
    }

    /// Returns a generator that draws the same numbers for the same seed.
    #[must_use]
    pub fn rng(self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.0)
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |_| format!("a whole number from 0 to {} was expected", u64::MAX);
        text.parse().map(Self).map_err(wrong)
    }
}

/// Returns a token that no one can guess, of 32 bytes of the system's randomness in hex. No seed repeats it.
#[must_use]
pub fn fresh_token() -> String {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chacha20::rand_core::Rng;

    #[test]
    fn children_differ_by_name_and_by_parent_and_repeat() {
        assert_eq!(Seed(7).derive("a"), Seed(7).derive("a"));
        assert_ne!(Seed(7).derive("a"), Seed(7).derive("b"));
        assert_ne!(Seed(7).derive("a"), Seed(8).derive("a"));
    }

    /// A recorded seed has to repeat its run under a later release of the libraries.
    #[test]
    fn the_numbers_of_a_seed_stay_the_same_across_releases() {
        for (seed, drawn) in
            [(Seed(1), [177, 13, 164, 140, 234, 76, 9, 103]), (Seed(7), [187, 67, 215, 35, 52, 83, 101, 40])]
        {
            let mut bytes = [0_u8; 8];
            seed.rng().fill_bytes(&mut bytes);
            assert_eq!(bytes, drawn, "{seed}");
        }
    }
}
