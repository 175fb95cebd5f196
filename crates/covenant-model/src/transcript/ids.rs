//! UUIDs as values. A platform may write one in upper case, in braces or as a URN; it is the same id.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::entry::{Body, Entry, Exchange, Message, Operation, What};
use super::trace::Trace;

/// The lengths of a UUID with hyphens: bare, in braces, as a URN. One without hyphens may be a digest.
const LENGTHS: [usize; 3] = [36, 38, 45];

/// Prefix of the id of a peer in the name of a caller.
const PREFIXES: [&str; 3] = ["federation-peer-", "fed:", "CN="];

/// Returns the lower-case text of a UUID that is written in another form, alone or in the name of a caller; `None` if the
/// text is none, or is it already.
#[must_use]
pub fn usual_text(text: &str) -> Option<String> {
    let prefix = PREFIXES.iter().find(|prefix| text.starts_with(**prefix));
    if let Some(prefix) = prefix {
        return usual_text(&text[prefix.len()..]).map(|usual| format!("{prefix}{usual}"));
    }
    if !LENGTHS.contains(&text.len()) || is_bare_and_lower(text) {
        return None;
    }
    let usual = Uuid::try_parse(text).ok()?.to_string();
    (usual != text).then_some(usual)
}

/// Returns whether a text has as many characters as a bare UUID and no upper-case letter: it is a UUID in its usual text, or
/// none. Almost every id of a transcript is such a text, and each of its texts is read for each check.
fn is_bare_and_lower(text: &str) -> bool {
    text.len() == LENGTHS[0] && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// Returns whether two texts are the same id: the same UUID in any form, or the same text.
#[must_use]
pub fn is_same_id(one: &str, other: &str) -> bool {
    let usual = |text: &str| usual_text(text).unwrap_or_else(|| text.to_owned());
    one == other || usual(one) == usual(other)
}

/// The signs that end a part of a path or of its query.
const ENDS: [char; 4] = ['/', '?', '&', '='];

/// Returns a path, with its query, in which each UUID has its lower-case text.
#[must_use]
pub fn usual_path(path: &str) -> String {
    path.split_inclusive(ENDS).map(usual_part).collect()
}

/// Returns a part of a path, which may end with a sign, with its id in its lower-case text.
fn usual_part(part: &str) -> String {
    let id = part.trim_end_matches(ENDS);
    usual_text(id).map_or_else(|| part.to_owned(), |usual| format!("{usual}{}", &part[id.len()..]))
}

impl Trace {
    /// Returns the trace with each UUID in its usual text, so that equal ids are equal texts. An entry that differs keeps
    /// what crossed the wire (see [`Trace::exchange_as_written`]).
    #[must_use]
    pub fn with_usual_ids(&self) -> Cow<'_, Self> {
        // Few platforms write another form, so that few traces are copied.
        if !self.entries().iter().any(differs) {
            return Cow::Borrowed(self);
        }
        Cow::Owned(Self::new(self.scenario().to_owned(), self.entries().iter().map(usual).collect()))
    }
}

/// Returns whether an entry holds an id in another form.
fn differs(entry: &Entry) -> bool {
    match &*entry.what {
        What::Exchange(Exchange { request, response, .. }) => {
            message_differs(request) || response.as_ref().is_some_and(message_differs)
        }
        What::Operation(Operation { parameters, result, .. }) => {
            value_differs(parameters) || result.as_ref().is_some_and(value_differs)
        }
        _ => false,
    }
}

fn message_differs(message: &Message) -> bool {
    let path = message.path.as_ref();
    path.is_some_and(|path| usual_path(path) != *path)
        || matches!(&message.body, Body::Json(json) if value_differs(json))
}

fn value_differs(value: &Value) -> bool {
    match value {
        Value::String(text) => usual_text(text).is_some(),
        Value::Array(items) => items.iter().any(value_differs),
        Value::Object(members) => members.values().any(value_differs),
        _ => false,
    }
}

/// Returns an entry with its ids in their usual text.
fn usual(written: &Entry) -> Entry {
    let mut what = (*written.what).clone();
    match &mut what {
        _ if !differs(written) => return written.clone(),
        What::Exchange(Exchange { request, response, .. }) => {
            [Some(request), response.as_mut()].into_iter().flatten().for_each(message);
        }
        What::Operation(Operation { parameters, result, .. }) => {
            [Some(parameters), result.as_mut()].into_iter().flatten().for_each(value_in);
        }
        _ => {}
    }
    Entry { what: Arc::new(what), written: Some(written.what.clone()), ..written.clone() }
}

fn message(message: &mut Message) {
    if let Some(path) = &mut message.path {
        *path = usual_path(path);
    }
    if let Body::Json(json) = &mut message.body {
        value_in(json);
    }
}

fn value_in(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(usual) = usual_text(text) {
                *text = usual;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(value_in),
        Value::Object(members) => members.values_mut().for_each(value_in),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::transcript::Recorder;
    use serde_json::json;

    const USUAL: &str = "0190b2f0-0000-7000-8000-00000000c0de";

    #[test]
    fn a_uuid_is_the_same_in_any_form_and_no_other_text_is() {
        let upper = USUAL.to_uppercase();
        let named = |prefix: &str| (format!("{prefix}{upper}"), format!("{prefix}{USUAL}"));
        for (text, usual) in [named("fed:"), named("federation-peer-"), named("CN=fed:")] {
            assert_eq!(usual_text(&text), Some(usual), "{text}");
        }
        let path = usual_path(&format!("/resources/skill/{upper}?request_id={upper}&fields=a"));
        assert_eq!(path, format!("/resources/skill/{USUAL}?request_id={USUAL}&fields=a"));
        for text in [upper.clone(), format!("{{{USUAL}}}"), format!("urn:uuid:{upper}")] {
            assert_eq!(usual_text(&text).as_deref(), Some(USUAL), "{text}");
            assert!(is_same_id(&text, USUAL) && is_same_id(USUAL, &text));
        }
        for text in [USUAL, "p-1", "P-1", &USUAL.replace('-', ""), &"A".repeat(36)] {
            assert_eq!(usual_text(text), None, "{text}");
        }
        assert!(!is_same_id("P-1", "p-1"));
    }

    #[test]
    fn a_trace_has_equal_texts_for_equal_ids_and_keeps_what_was_written() {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        let upper = USUAL.to_uppercase();
        let call = Exchange::to_target("a").on("GET", &format!("grants/{upper}"));
        let call = call.answered_with(200, json!({"data": {"ids": [upper, "Other"], "count": 1}}));
        let n = recorder.record(None, None, What::Exchange(call.clone()));
        let trace = recorder.trace();
        let usual = trace.with_usual_ids();
        let (_, seen) = usual.exchanges().next().expect("an exchange");
        assert!(seen.request.path.as_deref().is_some_and(|path| path.ends_with(USUAL)));
        assert_eq!(seen.data(), Some(json!({"ids": [USUAL, "Other"], "count": 1})));
        assert_eq!(usual.exchange_as_written(n), Some(&call));
        let again = usual.into_owned();
        assert!(matches!(again.with_usual_ids(), Cow::Borrowed(_)), "nothing differs any more");
    }
}
