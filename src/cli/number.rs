//! The numbers of the command line and of `covenant.toml`. Each has one row with its limits, which both use.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number<const MIN: u64, const MAX: u64>(u64);

/// The number of scenarios that run in parallel.
pub(super) type Jobs = Number<1, 64>;
/// The number of cases of each property.
pub(super) type Cases = Number<0, 1_000_000>;
/// The number of times that a scenario with a broken check is played again.
pub(super) type Retries = Number<0, 100>;
/// The seconds to wait for the result of one method.
pub(super) type AdapterTimeout = Number<1, 3600>;
/// The seconds that one call on the federation plane may take.
pub(super) type RequestTimeout = Number<1, 3600>;
/// The seconds to wait for a finding, an event or a notice that is due.
pub(super) type PollTimeout = Number<0, 3600>;
/// The seconds that one scenario may wait in real time.
pub(super) type MaxWait = Number<0, 86_400>;
/// The calls that an audit makes in one minute.
pub(super) type Rate = Number<1, 6000>;
/// The number of platforms that the self-test tests in parallel.
pub(super) type Platforms = Number<1, 16>;

/// The number of peers on one listener.
pub(super) type Count = Number<1, 100_000>;

/// The entries before and after the one to show: a mistyped number prints no whole transcript.
pub(super) type Around = Number<0, 10_000>;

/// The handshakes of a flood in a second.
pub(super) type FloodRate = Number<1, 1_000_000>;
/// The handshakes of a flood at the same time.
pub(super) type AtOnce = Number<1, 4096>;

impl<const MIN: u64, const MAX: u64> Number<MIN, MAX> {
    /// Returns the number, or `None` if it is outside the limits.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        (MIN..=MAX).contains(&number).then_some(Self(number))
    }

    /// Returns the number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    fn expected() -> String {
        format!("a whole number from {MIN} to {MAX} was expected")
    }
}

/// The least that is allowed.
impl<const MIN: u64, const MAX: u64> Default for Number<MIN, MAX> {
    fn default() -> Self {
        Self(MIN)
    }
}

impl<const MIN: u64, const MAX: u64> From<Number<MIN, MAX>> for u64 {
    fn from(number: Number<MIN, MAX>) -> Self {
        number.0
    }
}

impl<const MIN: u64, const MAX: u64> FromStr for Number<MIN, MAX> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().ok().and_then(Self::new).ok_or_else(Self::expected)
    }
}

impl<const MIN: u64, const MAX: u64> fmt::Display for Number<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Number<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Value::deserialize(deserializer)?;
        let number = given.as_u64().and_then(Self::new);
        number.ok_or_else(|| de::Error::custom(format!("{given}: {}", Self::expected())))
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Number<MIN, MAX> {
    fn schema_name() -> Cow<'static, str> {
        format!("Number{MIN}To{MAX}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_the_file_have_the_same_limits_and_say_them() {
        // Each with what the file says of it: TOML itself refuses what is no number.
        for (text, in_file) in [
            ("0", "from 1 to 64"),
            ("65", "from 1 to 64"),
            ("-1", "from 1 to 64"),
            ("1.5", "whole number"),
            ("", "line 2"),
            ("x", "line 2"),
            ("99999999999999999999999", "line 2"),
        ] {
            let error = "a whole number from 1 to 64 was expected".to_owned();
            assert_eq!(text.parse::<Jobs>(), Err(error), "{text}");
            let error = super::super::Config::parse(&format!("[run]\njobs = {text}\n")).expect_err(text);
            assert!(error.to_string().contains(in_file), "{text}: {error}");
        }
        assert_eq!("64".parse::<Jobs>().map(u64::from), Ok(64));
        let config = super::super::Config::parse("[run]\njobs = 64\n").expect("it reads");
        assert_eq!(config.run.jobs, Jobs::new(64));
    }
}
