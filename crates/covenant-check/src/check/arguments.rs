//! A check's arguments: what the scenario's `[[check]]` gave in `with`.

use std::collections::BTreeMap;

use serde_json::Value;

/// The arguments of one check. A check's parameters were checked when the scenario was loaded, so
/// a missing argument is an optional one.
#[derive(Clone, Copy, Debug)]
pub struct Arguments<'a>(&'a BTreeMap<String, Value>);

impl<'a> Arguments<'a> {
    /// The arguments in `with`.
    #[must_use]
    pub fn new(with: &'a BTreeMap<String, Value>) -> Self {
        Self(with)
    }

    /// A text, or the empty text.
    #[must_use]
    pub fn text(&self, name: &str) -> &'a str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A text, where it was given.
    #[must_use]
    pub fn text_if_given(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Texts: one, or a list of them.
    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<&'a str> {
        match self.0.get(name) {
            Some(Value::String(text)) => vec![text],
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
            _ => vec![],
        }
    }

    /// A number, where it was given.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// Any value, where it was given.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }
}
