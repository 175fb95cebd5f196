//! Memory that a JSON text takes when it is parsed. A short text can take a hundred times its size.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use thiserror::Error;

/// Depth to which the values of a message may be nested: the limit of the parser.
const DEPTH_MAX: usize = 127;
/// Beginning of the parser's error for a text that is nested more deeply.
const TOO_DEEP: &str = "recursion limit exceeded";

/// Reason for which a message was not parsed. A limit says nothing of the message: it may be valid JSON.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Unparsed {
    /// The text is no JSON.
    #[error("not JSON ({0})")]
    NotJson(String),
    /// The values take too much memory.
    #[error("JSON beyond a limit of covenant: its values take more than {} MiB of memory", .0 >> 20)]
    TooHeavy(usize),
    /// The values are nested too deeply.
    #[error("JSON beyond a limit of covenant: its values are nested more than {DEPTH_MAX} deep")]
    TooDeep,
}

/// Largest weight of a message that is parsed, in bytes.
const WEIGHT_MAX: usize = 64 * 1024 * 1024;
/// Largest weight of the message of an anonymous client; any other one above it waits for its turn. In bytes.
const HEAVY: usize = 4 * 1024 * 1024;
/// Turn to answer a message that takes much memory. The process answers one at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Bytes that each character outside of texts stands for: a map takes room for eleven members at once, and a list for
/// four values; a list that grows doubles.
const WEIGHTS: [(u8, usize); 4] = [(b'{', 640), (b'[', 128), (b':', 112), (b',', 64)];

/// Returns the bytes that the value of a JSON text takes at most.
#[must_use]
pub fn weight(json: &[u8]) -> usize {
    let (mut weight, mut in_text, mut is_escaped) = (json.len(), false, false);
    for byte in json {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            _ => weight += WEIGHTS.iter().find(|(sign, _)| sign == byte).map_or(0, |(_, bytes)| *bytes),
        }
    }
    weight
}

/// Waits for the turn to answer a message of this weight. A light one needs none.
#[must_use]
pub fn turn(weight: usize) -> Option<MutexGuard<'static, ()>> {
    (weight > HEAVY).then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Parses the JSON of a message. Returns an error if the text is no JSON, or is beyond a limit.
pub fn parse(json: &[u8]) -> Result<Value, Unparsed> {
    parse_within(json, WEIGHT_MAX)
}

/// Parses the JSON of a message as [`parse`] does. An anonymous client's message may take less memory.
pub fn parse_from(is_anonymous: bool, json: &[u8]) -> Result<Value, Unparsed> {
    parse_within(json, if is_anonymous { HEAVY } else { WEIGHT_MAX })
}

fn parse_within(json: &[u8], weight_max: usize) -> Result<Value, Unparsed> {
    if weight(json) > weight_max {
        return Err(Unparsed::TooHeavy(weight_max));
    }
    serde_json::from_slice(json).map_err(|error| match error.to_string() {
        text if text.starts_with(TOO_DEEP) => Unparsed::TooDeep,
        text => Unparsed::NotJson(text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_weigh_their_length_and_values_their_memory() {
        assert_eq!(weight(br#""{[,:\"{[,:""#), 12);
        assert_eq!(weight(br#"{"a":1}"#), 7 + 640 + 112);
        let many = |unit: &str| format!("[{unit}0]", unit = unit.repeat(100_000));
        for unit in ["0,", "{\"\":0},", "[],", "{},"] {
            let text = many(unit);
            let items = text.len() / unit.len();
            assert!(weight(text.as_bytes()) >= items * size_of::<Value>(), "{unit}");
        }
    }

    #[test]
    fn a_message_that_takes_too_much_memory_is_not_parsed() {
        assert_eq!(parse(b"{\"a\":1}"), Ok(serde_json::json!({"a": 1})));
        assert!(parse(b"{").is_err());
        let heavy = format!("[{}0]", "{\"\":0},".repeat(100_000));
        assert!(parse(heavy.as_bytes()).expect_err("too heavy").to_string().contains("64 MiB"));
        let heavy = &heavy.as_bytes()[heavy.len() - 100_000..];
        assert!(parse_from(true, heavy).expect_err("too heavy").to_string().contains("4 MiB"));
        assert!(matches!(parse_from(false, heavy), Err(Unparsed::NotJson(_))));
    }

    #[test]
    fn a_message_that_is_nested_too_deeply_differs_from_one_that_is_no_json() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        assert_eq!(parse(nested(DEPTH_MAX + 1).as_bytes()), Err(Unparsed::TooDeep));
        assert!(Unparsed::TooDeep.to_string().contains("127 deep"));
    }
}
