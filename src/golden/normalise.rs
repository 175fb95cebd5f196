//! Replaces the values that differ from run to run by numbered placeholders.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::transcript::{Body, Exchange, Message};

/// Normalises an exchange. Equal values get the same placeholder throughout. Headers are left out, because a
/// platform may choose them freely.
#[must_use]
pub fn normalise(exchange: &Exchange) -> Value {
    normalised(exchange, class)
}

/// Normalises an exchange as [`normalise`] does. The class of each placeholder is the form of what it stands for: a reader of
/// the wire may depend on it.
#[must_use]
pub(crate) fn normalise_with_forms(exchange: &Exchange) -> Value {
    normalised(exchange, class_and_form)
}

fn normalised(exchange: &Exchange, class: fn(&str) -> Option<&'static str>) -> Value {
    let mut names = Names { class, given: BTreeMap::new() };
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
struct Names {
    class: fn(&str) -> Option<&'static str>,
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
        match (self.class)(text) {
            // A digest and an id are the same in either case.
            Some(class) if class.starts_with("hex") || class == "id" => {
                self.name(class, &text.to_ascii_lowercase())
            }
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
        format!("{before}{}{}", self.name("id", &id.to_ascii_lowercase()), self.sentence(after))
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

/// Returns the class of a text, with its form where the class has several: a moment that RFC 3339 does not know, a PEM block
/// that is no certificate, digits alone, a digest of some length.
fn class_and_form(text: &str) -> Option<&'static str> {
    Some(match class(text)? {
        "time" if !is_rfc_3339(text) => "time_other",
        "pem" if text.contains("-----BEGIN CERTIFICATE REQUEST-----") => "pem_request",
        "pem" if text.contains("-----BEGIN PUBLIC KEY-----") => "pem_public_key",
        "pem" if !text.contains("-----BEGIN CERTIFICATE-----") => "pem_other",
        "hex" if text.bytes().all(|byte| byte.is_ascii_digit()) => "digits",
        // No serial number is as long as these digests.
        "hex" => match text.len() {
            56 => "hex_56",
            64 => "hex_64",
            96 => "hex_96",
            128 => "hex_128",
            _ => "hex",
        },
        class => class,
    })
}

/// Returns whether a moment is written as RFC 3339 asks: `2026-06-01T00:00:00Z`, or with an offset.
fn is_rfc_3339(moment: &str) -> bool {
    let bytes = moment.as_bytes();
    let is_like = |place: usize, pattern: &[u8]| {
        bytes.get(place..place + pattern.len()).is_some_and(|found| {
            found.iter().zip(pattern).all(|(byte, expected)| match expected {
                b'0' => byte.is_ascii_digit(),
                other => byte.eq_ignore_ascii_case(other),
            })
        })
    };
    let zone = if is_like(bytes.len().saturating_sub(1), b"Z") { 1 } else { "+00:00".len() };
    let offset = bytes.len().saturating_sub(zone);
    let has_zone = zone == 1 || is_like(offset, b"+00:00") || is_like(offset, b"-00:00");
    let fraction = moment.get("2026-06-01T00:00:00".len()..offset);
    let has_fraction = fraction.is_some_and(|fraction| {
        fraction.is_empty()
            || (fraction.len() > 1
                && fraction.starts_with('.')
                && fraction[1..].bytes().all(|byte| byte.is_ascii_digit()))
    });
    is_like(0, b"0000-00-00T00:00:00") && has_zone && has_fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_the_same_placeholder() {
        let mut names = Names { class, given: BTreeMap::new() };
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
        let upper = id.to_ascii_uppercase();
        assert_eq!([names.text(&upper), names.text(&format!("of {upper}"))], ["<id:1>", "of <id:1>"]);
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

    #[test]
    fn a_placeholder_has_the_form_that_a_reader_depends_on() {
        for (text, form) in [
            ("01a2075f-ab38-734e-bd8b-a790d60fdad4", Some("id")),
            ("2026-06-01T00:00:00Z", Some("time")),
            ("2026-06-01T00:00:00.123456Z", Some("time")),
            ("2026-06-01t02:00:00+02:00", Some("time")),
            ("2026-06-01T00:00:00-00:00", Some("time")),
            ("2026-06-01 00:00:00Z", Some("time_other")),
            ("20260601T000000Z", Some("time_other")),
            ("2026-06-01T02:00:00+02:00[Europe/Berlin]", Some("time_other")),
            ("1780272000", None),
            ("-----BEGIN CERTIFICATE-----\nMII", Some("pem")),
            ("-----BEGIN CERTIFICATE REQUEST-----\nMII", Some("pem_request")),
            (&"7".repeat(39), Some("digits")),
            (&"7".repeat(30), None),
            (&"a7".repeat(16), Some("hex")),
            (&"a7".repeat(32), Some("hex_64")),
        ] {
            assert_eq!(class_and_form(text), form, "{text}");
        }
    }
}
