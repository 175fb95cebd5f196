//! UUIDs as values. A platform may write one in upper case, in braces or as a URN; it is the same id.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use super::entry::{Body, Entry, Exchange, Message, Operation, What};
use super::trace::Trace;

/// The lengths of a UUID with hyphens: bare, in braces, as a URN. One without hyphens may be a digest.
const LENGTHS: [usize; 3] = [36, 38, 45];

/// What stands before the id of a peer in the name of a caller.
const PREFIXES: [&str; 3] = ["federation-peer-", "fed:", "CN="];

/// Returns the lower-case text of a UUID that is written in another form, alone or in the name of a caller; `None` if the
/// text is none, or is it already.
#[must_use]
pub fn usual_text(text: &str) -> Option<String> {
    let prefix = PREFIXES.iter().find(|prefix| text.starts_with(**prefix));
    if let Some(prefix) = prefix {
        return usual_text(&text[prefix.len()..]).map(|usual| format!("{prefix}{usual}"));
    }
    if !LENGTHS.contains(&text.len()) {
        return None;
    }
    let usual = Uuid::try_parse(text).ok()?.to_string();
    (usual != text).then_some(usual)
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
        let entries: Vec<Option<Entry>> = self.entries().iter().map(entry).collect();
        if entries.iter().all(Option::is_none) {
            return Cow::Borrowed(self);
        }
        let both = entries.into_iter().zip(self.entries());
        let entries = both.map(|(usual, written)| usual.unwrap_or_else(|| written.clone())).collect();
        Cow::Owned(Self::new(self.scenario().to_owned(), entries))
    }
}

fn entry(written: &Entry) -> Option<Entry> {
    let what = match &*written.what {
        What::Exchange(exchange) => What::Exchange(usual_exchange(exchange)?),
        What::Operation(operation) => What::Operation(usual_operation(operation)?),
        _ => return None,
    };
    Some(Entry { what: Arc::new(what), written: Some(written.what.clone()), ..written.clone() })
}

fn usual_exchange(written: &Exchange) -> Option<Exchange> {
    let mut usual = written.clone();
    let request = message(&mut usual.request);
    let response = usual.response.as_mut().is_some_and(message);
    (request || response).then_some(usual)
}

fn usual_operation(written: &Operation) -> Option<Operation> {
    let mut usual = written.clone();
    let parameters = value_in(&mut usual.parameters);
    let result = usual.result.as_mut().is_some_and(value_in);
    (parameters || result).then_some(usual)
}

/// Puts the ids of a message into their usual text. Returns true if one differs.
fn message(message: &mut Message) -> bool {
    let path = message.path.as_mut().is_some_and(path_in);
    let body = match &mut message.body {
        Body::Json(json) => value_in(json),
        _ => false,
    };
    path || body
}

fn path_in(path: &mut String) -> bool {
    let usual = usual_path(path);
    let differs = usual != *path;
    *path = usual;
    differs
}

fn value_in(value: &mut Value) -> bool {
    match value {
        Value::String(text) => match usual_text(text) {
            Some(usual) => {
                *text = usual;
                true
            }
            None => false,
        },
        Value::Array(items) => items.iter_mut().map(value_in).fold(false, |any, own| any | own),
        Value::Object(members) => members.values_mut().map(value_in).fold(false, |any, own| any | own),
        _ => false,
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
