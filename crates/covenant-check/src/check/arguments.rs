//! The arguments of a check: the values in `with` of the scenario's `[[check]]`.

use std::collections::BTreeMap;

use serde_json::Value;

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
