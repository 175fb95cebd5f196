//! The three envelopes that answers come in (`powernode.md` §2), read leniently.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Extra;

/// What an answer's body says, whichever envelope it came in.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The `data` member; empty where `success` stood alone.
    Data(Value),
    /// The `error` member and its company.
    Refusal(Refusal),
}

/// An error body: `{"success":false,"error":"…","code":"…","details":…}` or bare `{"error":"…"}`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusal {
    /// The text.
    pub error: String,
    /// `UNAUTHORIZED`, `VALIDATION_ERROR`, …, where one was given.
    pub code: Option<String>,
    /// Whatever stood in `details`.
    pub details: Option<Value>,
    /// Members beside these (`migration_id`, `status`, `conflict_log`, …).
    pub extra: Extra,
}

impl Answer {
    /// Reads a body. `None` when it is not an object with `data`, `error` or `success`. An `error`
    /// of null is none.
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

    /// The data, where it is one.
    #[must_use]
    pub fn data(self) -> Option<Value> {
        match self {
            Self::Data(data) => Some(data),
            Self::Refusal(_) => None,
        }
    }
}

impl Refusal {
    /// A refusal with a text and nothing else.
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

/// `{"success":true,"data":…}`; `data` is left out when it is empty.
#[must_use]
pub fn success(data: &impl Serialize) -> Value {
    match to_value(data) {
        Value::Object(members) if members.is_empty() => json!({"success": true}),
        Value::Null => json!({"success": true}),
        data => json!({"success": true, "data": data}),
    }
}

/// `{"data":…}`, as migrations, catalogue and subscriptions answer.
#[must_use]
pub fn bare(data: &impl Serialize) -> Value {
    json!({ "data": to_value(data) })
}

/// `{"success":false,"error":…,"code":…}`.
#[must_use]
pub fn failure(error: &str, code: Option<&str>) -> Value {
    match code {
        Some(code) => json!({"success": false, "error": error, "code": code}),
        None => json!({"success": false, "error": error}),
    }
}

/// `{"error":…}`, as migrations, subscriptions and every 403 refuse.
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
    fn errors_are_read_with_and_without_code_and_keep_their_company() {
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
