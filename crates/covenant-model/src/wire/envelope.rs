//! The three envelopes of responses (`wire.md` §2), read leniently.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Extra;

/// Content of a response body, independent of its envelope.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Value of `data`; empty if the body has `success` only.
    Data(Value),
    /// Value of `error`, with the members that accompany it.
    Refusal(Refusal),
}

/// Error body: `{"success":false,"error":"…","code":"…","details":…}` or bare `{"error":"…"}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusal {
    /// Text of the error.
    pub error: String,
    /// Error code, such as `UNAUTHORIZED` or `VALIDATION_ERROR`; `None` if there is none.
    pub code: Option<String>,
    /// Value of `details`, as received.
    pub details: Option<Value>,
    /// Other members, such as `migration_id`, `status` and `conflict_log`.
    pub extra: Extra,
}

impl Answer {
    /// Reads a body. Returns `None` if the body is not an object with `data`, `error` or `success`. An
    /// `error` of null counts as absent.
    #[must_use]
    pub fn read(body: &Value) -> Option<Self> {
        let members = body.as_object()?;
        if members.get("error").is_some_and(|error| !error.is_null()) {
            return Some(Self::Refusal(Refusal::read(members)));
        }
        match (members.get("data"), members.get("success")) {
            (_, Some(Value::Bool(false))) => Some(Self::Refusal(Refusal::read(members))),
            (Some(data), _) => Some(Self::Data(data.clone())),
            (None, Some(Value::Bool(true))) => Some(Self::Data(json!({}))),
            _ => None,
        }
    }

    /// Returns the data; `None` if the body is a refusal.
    #[must_use]
    pub fn data(self) -> Option<Value> {
        match self {
            Self::Data(data) => Some(data),
            Self::Refusal(_) => None,
        }
    }
}

impl Refusal {
    /// Creates a refusal with a text only.
    #[must_use]
    pub fn text(error: impl Into<String>) -> Self {
        Self { error: error.into(), ..Self::default() }
    }

    fn read(members: &Map<String, Value>) -> Self {
        let mut extra: Extra = members.clone().into_iter().collect();
        extra.remove("success");
        Self {
            error: match extra.remove("error") {
                Some(Value::String(text)) => text,
                Some(other) => other.to_string(),
                None => String::new(),
            },
            code: extra
                .remove("code")
                .map(|code| code.as_str().map_or_else(|| code.to_string(), ToOwned::to_owned)),
            details: extra.remove("details"),
            extra,
        }
    }
}

/// Builds `{"success":true,"data":…}`. An empty `data` is left out.
#[must_use]
pub fn success(data: &impl Serialize) -> Value {
    match to_value(data) {
        Value::Object(members) if members.is_empty() => json!({"success": true}),
        Value::Null => json!({"success": true}),
        data => json!({"success": true, "data": data}),
    }
}

/// Builds `{"data":…}`, the form of migrations, catalogue and subscriptions.
#[must_use]
pub fn bare(data: &impl Serialize) -> Value {
    json!({ "data": to_value(data) })
}

/// Builds `{"success":false,"error":…,"code":…}`.
#[must_use]
pub fn failure(error: &str, code: Option<&str>) -> Value {
    match code {
        Some(code) => json!({"success": false, "error": error, "code": code}),
        None => json!({"success": false, "error": error}),
    }
}

/// Builds `{"error":…}`, the form of refusals of migrations and subscriptions and of every 403.
#[must_use]
pub fn bare_failure(error: &str) -> Value {
    json!({ "error": error })
}

fn to_value(data: &impl Serialize) -> Value {
    serde_json::to_value(data).expect("a wire message has text keys only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_read_with_and_without_success() {
        let data = json!({"peer_id": "1"});
        for body in [success(&data), bare(&data)] {
            assert_eq!(Answer::read(&body), Some(Answer::Data(data.clone())));
        }
        assert_eq!(Answer::read(&json!({"success": true})), Some(Answer::Data(json!({}))));
    }

    #[test]
    fn errors_are_read_with_and_without_code_and_keep_other_members() {
        let body = json!({"error": "no", "migration_id": "7"});
        let Some(Answer::Refusal(refusal)) = Answer::read(&body) else {
            panic!("an error is a refusal");
        };
        assert_eq!(refusal.error, "no");
        assert_eq!(refusal.extra["migration_id"], "7");
        assert!(matches!(
            Answer::read(&failure("no", Some("FORBIDDEN"))),
            Some(Answer::Refusal(Refusal { code: Some(code), .. })) if code == "FORBIDDEN"
        ));
    }

    #[test]
    fn anything_else_is_no_answer() {
        for body in [json!([]), json!("ok"), json!({"status": "ok"}), Value::Null] {
            assert_eq!(Answer::read(&body), None);
        }
    }
}
