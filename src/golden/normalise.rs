//! Replaces the values that differ from run to run by numbered placeholders.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::transcript::{Body, Exchange, Message};

/// Normalises an exchange. Equal values get the same placeholder throughout. Headers are left out, because a
/// platform may choose them freely.
#[must_use]
pub fn normalise(exchange: &Exchange) -> Value {
    let mut names = Names::default();
    let request = message(&exchange.request, &mut names);
    let response = exchange.response.as_ref().map(|response| message(response, &mut names));
    json!({"request": request, "response": response})
}

fn message(message: &Message, names: &mut Names) -> Value {
    let mut reported = Map::new();
    if let Some(method) = &message.method {
        reported.insert("method".to_owned(), json!(method));
    }
    if let Some(path) = &message.path {
        reported.insert("path".to_owned(), json!(names.path(path)));
    }
    if let Some(status) = message.status {
        reported.insert("status".to_owned(), json!(status));
    }
    match &message.body {
        Body::Empty => {}
        Body::Json(value) => {
            reported.insert("body".to_owned(), names.value(value));
        }
        Body::Text(text) => {
            reported.insert("body".to_owned(), json!(names.text(text)));
        }
        Body::Cut { length, .. } => {
            reported.insert("body".to_owned(), json!(format!("<{length} bytes>")));
        }
    }
    Value::Object(reported)
}

/// The placeholders by class and by the value that they replace.
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

    fn path(&mut self, path: &str) -> String {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let parts: Vec<String> = path.split('/').map(|part| self.text(part)).collect();
        let pairs = query.map(|query| {
            let pairs = url::form_urlencoded::parse(query.as_bytes());
            let pairs: Vec<String> =
                pairs.map(|(name, value)| format!("{name}={}", self.text(&value))).collect();
            format!("?{}", pairs.join("&"))
        });
        parts.join("/") + &pairs.unwrap_or_default()
    }

    fn text(&mut self, text: &str) -> String {
        match class(text) {
            // A digest is the same in either case.
            Some("hex") => self.name("hex", &text.to_ascii_lowercase()),
            Some(class) => self.name(class, text),
            None => self.sentence(text),
        }
    }

    /// Replaces the ids inside a longer text.
    fn sentence(&mut self, text: &str) -> String {
        let is_id_at = |at: &usize| text.get(*at..at + ID_LENGTH).is_some_and(is_id);
        let Some(at) = text.char_indices().map(|(at, _)| at).find(is_id_at) else {
            return text.to_owned();
        };
        let (before, rest) = text.split_at(at);
        let (id, after) = rest.split_at(ID_LENGTH);
        format!("{before}{}{}", self.name("id", id), self.sentence(after))
    }

    fn name(&mut self, class: &'static str, text: &str) -> String {
        let known = self.given.entry(class).or_default();
        let place = known.iter().position(|other| other == text).unwrap_or_else(|| {
            known.push(text.to_owned());
            known.len() - 1
        });
        format!("<{class}:{}>", place + 1)
    }
}

const ID_LENGTH: usize = 36;

fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && uuid::Uuid::try_parse(text).is_ok()
}

/// Returns the class of a text that differs from run to run, or `None` if the text is stable.
fn class(text: &str) -> Option<&'static str> {
    if is_id(text) {
        return Some("id");
    }
    if text.strip_prefix("fed:").is_some_and(is_id) {
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
    fn equal_values_have_the_same_placeholder() {
        let mut names = Names::default();
        let id = "01a2075f-ab38-734e-bd8b-a790d60fdad4";
        let other = "01a2075f-ab38-734e-bd8b-a790d60fdad5";
        let reported = names.value(&json!({
            "a": id, "b": [other, id], "c": "2026-06-01T00:00:00Z", "d": "2026-06-01T00:00:01Z",
            "e": "2026-06-01T00:00:00Z", "n": 1,
        }));
        assert_eq!(
            reported,
            json!({
                "a": "<id:1>", "b": ["<id:2>", "<id:1>"], "c": "<time:1>", "d": "<time:2>", "e": "<time:1>", "n": 1,
            })
        );
        assert_eq!(names.text(&format!("{other}: not {id}, über {id}")), "<id:2>: not <id:1>, über <id:1>");
        assert_eq!(
            names.path(&format!("/audit/{id}?since=2026-06-01T00%3A00%3A01Z&limit=5")),
            "/audit/<id:1>?since=<time:2>&limit=5"
        );
    }

    #[test]
    fn an_ordinary_text_stays() {
        for text in ["active", "1.4.0", "skill", "operator@peer.example", "2026"] {
            assert_eq!(class(text), None, "{text}");
        }
    }
}
