//! The checks that are not typed yet. This file goes when the last of them is.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{CheckResult, c09, c10, c11};
use super::{enforcement, out_of_scope};
use covenant_model::transcript::Trace;

/// A check with its name and parameters.
#[derive(Debug)]
pub struct LegacyCheck {
    /// The name by which a scenario refers to it.
    pub name: &'static str,
    /// The question that it answers, in a sentence.
    pub about: &'static str,
    /// The parameters that it takes.
    pub parameters: &'static [LegacyParameter],
    /// The function that evaluates it.
    pub evaluate: fn(&Trace, Arguments<'_>) -> CheckResult,
}

/// A parameter of a check.
#[derive(Debug)]
pub struct LegacyParameter {
    /// The name in `with`.
    pub name: &'static str,
    /// `true` if the argument is mandatory.
    pub required: bool,
    /// The meaning, in a few words.
    pub about: &'static str,
}

impl LegacyParameter {
    /// Creates a mandatory parameter.
    #[must_use]
    pub const fn required(name: &'static str, about: &'static str) -> Self {
        Self { name, required: true, about }
    }

    /// Creates an optional parameter.
    #[must_use]
    pub const fn optional(name: &'static str, about: &'static str) -> Self {
        Self { name, required: false, about }
    }
}

/// All checks, by group.
pub const LEGACY: &[&[LegacyCheck]] =
    &[c09::CHECKS, c10::CHECKS, c11::CHECKS, enforcement::CHECKS, out_of_scope::CHECKS];

/// Returns the check of that name.
pub(super) fn legacy_named(name: &str) -> Option<&'static LegacyCheck> {
    LEGACY.iter().flat_map(|group| group.iter()).find(|check| check.name == name)
}

/// The arguments of one check. The parameters are checked when the scenario is loaded, so a missing argument
/// is an optional one.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a>(&'a BTreeMap<String, Value>);

impl<'a> Arguments<'a> {
    /// Creates the arguments from `with`.
    #[must_use]
    pub fn new(with: &'a BTreeMap<String, Value>) -> Self {
        Self(with)
    }

    /// Returns a text, or the empty text if the argument is missing.
    #[must_use]
    pub fn text(&self, name: &str) -> &'a str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns a text, or `None` if the argument is missing.
    #[must_use]
    pub fn text_if_given(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Returns texts: one, or a list of them.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<&'a str> {
        match self.0.get(name) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        }
    }

    /// Returns a number, or `None` if the argument is missing.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// Returns a value of any type, or `None` if the argument is missing.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }
}
