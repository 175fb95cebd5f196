//! The contract text that the user names, with `--contract` or in `covenant.toml`.

use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::contract::HeldText;

/// A contract text by its id or its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContractChoice(pub(super) HeldText);

impl FromStr for ContractChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        HeldText::named(text).map(Self)
    }
}

impl<'de> Deserialize<'de> for ContractChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
