//! What differs from run to run, replaced by numbered placeholders.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::transcript::{Body, Exchange, Message};

/// An exchange without what differs from run to run: the same thing under the same placeholder
/// throughout. Headers are left out: what they may be is a matter of taste.
#[must_use]
pub fn normalise(exchange: &Exchange) -> Value {
    let mut names = Names::default();
    let request = message(&exchange.request, &mut names);
    let response = exchange.response.as_ref().map(|response| message(response, &mut names));
    json!({"request": request, "response": response})
}

fn message(message: &Message, names: &mut Names) -> Value {
    let mut told = Map::new();
    if let Some(method) = &message.method {
        told.insert("method".to_owned(), json!(method));
    }
    if let Some(path) = &message.path {
        let parts: Vec<String> = path.split('/').map(|part| names.text(part)).collect();
        told.insert("path".to_owned(), json!(parts.join("/")));
    }
    if let Some(status) = message.status {
        told.insert("status".to_owned(), json!(status));
    }
    match &message.body {
        Body::Empty => {}
        Body::Json(value) => {
            told.insert("body".to_owned(), names.value(value));
        }
        Body::Text(text) => {
            told.insert("body".to_owned(), json!(names.text(text)));
        }
        Body::Cut { length, .. } => {
            told.insert("body".to_owned(), json!(format!("<{length} bytes>")));
        }
    }
    Value::Object(told)
}

/// Placeholders by class and by what they stand for.
#[derive(Default)]
struct Names {
    given: BTreeMap<&'static str, Vec<String>>,
}

impl Names {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(members) => {
                members.iter().map(|(name, member)| (self.text(name), self.value(member))).collect()
            }
            other => other.clone(),
        }
    }

    fn text(&mut self, text: &str) -> String {
        let Some(class) = class(text) else {
            return text.to_owned();
        };
        // Times move on by themselves: which is which says nothing.
        if class == "time" {
            return "<time>".to_owned();
        }
        let known = self.given.entry(class).or_default();
        let place = known.iter().position(|other| other == text).unwrap_or_else(|| {
            known.push(text.to_owned());
            known.len() - 1
        });
        format!("<{class}:{}>", place + 1)
    }
}

/// What kind of thing a text is that differs from run to run.
fn class(text: &str) -> Option<&'static str> {
    if uuid::Uuid::try_parse(text).is_ok() && text.len() == 36 {
        return Some("id");
    }
    if text.strip_prefix("fed:").is_some_and(|id| uuid::Uuid::try_parse(id).is_ok()) {
        return Some("subject");
    }
    if text.contains("-----BEGIN ") {
        return Some("pem");
    }
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Some("time");
    }
    if text.starts_with("https://") || text.starts_with("http://") {
        return Some("url");
    }
    let is_hex = text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then_some("hex")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_has_the_same_placeholder() {
        let mut names = Names::default();
        let id = "01a2075f-ab38-734e-bd8b-a790d60fdad4";
        let other = "01a2075f-ab38-734e-bd8b-a790d60fdad5";
        let told = names.value(&json!({"a": id, "b": [other, id], "at": "2026-06-01T00:00:00Z", "n": 1}));
        assert_eq!(told, json!({"a": "<id:1>", "b": ["<id:2>", "<id:1>"], "at": "<time>", "n": 1}));
    }

    #[test]
    fn an_ordinary_text_stays() {
        for text in ["active", "1.4.0", "skill", "operator@peer.example", "2026"] {
            assert_eq!(class(text), None, "{text}");
        }
    }
}
