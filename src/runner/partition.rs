//! The partitions of a run or a self-test that is spread over several machines.

use std::fmt;
use std::str::FromStr;

use crate::wire::canonical::sha256_hex;

/// The most partitions of one run.
const PARTS_MAX: u64 = 1000;

/// The K-th of N partitions, written `hash:K/N`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    part: u64,
    parts: u64,
}

impl Partition {
    /// Returns true if the partition holds the item. Each item belongs to exactly one partition, independent
    /// of the others.
    #[must_use]
    pub fn holds(self, name: &str) -> bool {
        const DIGITS: usize = 15;
        let hash = u64::from_str_radix(&sha256_hex(name)[..DIGITS], 16).unwrap_or_default();
        hash % self.parts == self.part - 1
    }

    /// Returns the number of the partition, from 1.
    #[must_use]
    pub const fn part(self) -> u64 {
        self.part
    }

    /// Returns the number of all partitions.
    #[must_use]
    pub const fn parts(self) -> u64 {
        self.parts
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "hash:{}/{}", self.part, self.parts)
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = || {
            format!(
                "`{text}`: hash:K/N was expected, with K from 1 to N and N at most {PARTS_MAX}, such as hash:2/10"
            )
        };
        let (part, parts) =
            text.strip_prefix("hash:").and_then(|rest| rest.split_once('/')).ok_or_else(expected)?;
        let (Ok(part), Ok(parts)) = (part.parse(), parts.parse()) else { return Err(expected()) };
        if part == 0 || part > parts || parts > PARTS_MAX {
            return Err(expected());
        }
        Ok(Self { part, parts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_belongs_to_exactly_one_part() {
        let parts: Vec<Partition> = (1..=3).map(|k| format!("hash:{k}/3").parse().expect("a part")).collect();
        for name in ["a", "b", "replays-notices", "ipv6", ""] {
            assert_eq!(parts.iter().filter(|part| part.holds(name)).count(), 1, "{name}");
        }
        assert_eq!(parts[1].to_string(), "hash:2/3");
    }

    #[test]
    fn a_malformed_partition_names_the_expected_form() {
        for text in ["", "2/10", "hash:0/3", "hash:4/3", "hash:1/0", "hash:a/b", "hash:-1/2"] {
            let error = text.parse::<Partition>().expect_err(text);
            assert!(error.contains("hash:K/N was expected"), "{error}");
        }
    }
}
