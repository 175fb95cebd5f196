//! Compares an exchange with its golden, by structure.

use std::fmt;

use serde_json::Value;

/// One difference between an exchange and its golden.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// The path of the member: `response.body.data.status`.
    pub at: String,
    /// The value in the golden.
    pub golden: Value,
    /// The value found, or `None` if the member is missing.
    pub found: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            None => write!(f, "{}: {} is gone", self.at, self.golden),
            Some(found) => write!(f, "{}: {} became {found}", self.at, self.golden),
        }
    }
}

/// Returns every difference between `found` and `golden`. An added member is no difference.
#[must_use]
pub fn compare(golden: &Value, found: &Value) -> Vec<Difference> {
    let mut differences = Vec::new();
    compare_values("", golden, Some(found), &mut differences);
    differences
}

fn compare_values(at: &str, golden: &Value, found: Option<&Value>, differences: &mut Vec<Difference>) {
    match (golden, found) {
        (Value::Object(golden), Some(Value::Object(found))) => {
            for (name, member) in golden {
                let below = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
                compare_values(&below, member, found.get(name), differences);
            }
        }
        (Value::Array(golden), Some(Value::Array(found))) if golden.len() == found.len() => {
            for (place, (golden, found)) in golden.iter().zip(found).enumerate() {
                compare_values(&format!("{at}[{place}]"), golden, Some(found), differences);
            }
        }
        (golden, Some(found)) if golden == found => {}
        (golden, found) => {
            differences.push(Difference { at: at.to_owned(), golden: golden.clone(), found: found.cloned() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_missing_and_changed_members_are_differences() {
        let golden = json!({"a": 1, "b": {"c": "x"}, "d": [1, 2]});
        assert!(
            compare(&golden, &json!({"a": 1, "b": {"c": "x", "new": 0}, "d": [1, 2], "new": 0})).is_empty()
        );
        let places = |found: Value| -> Vec<String> {
            compare(&golden, &found).into_iter().map(|difference| difference.at).collect()
        };
        assert_eq!(places(json!({"b": {"c": "x"}, "d": [1, 2]})), ["a"]);
        assert_eq!(places(json!({"a": "1", "b": {"c": "y"}, "d": [1, 2]})), ["a", "b.c"]);
        assert_eq!(places(json!({"a": 1, "b": {"c": "x"}, "d": [1, 2, 3]})), ["d"]);
        assert_eq!(places(json!({"a": 1, "b": {"c": "x"}, "d": [2, 2]})), ["d[0]"]);
    }
}
