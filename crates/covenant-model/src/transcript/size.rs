//! Sizes of what a transcript keeps. Of a longer part it keeps the beginning, the length and the digest. The longest
//! line follows from the longest parts, so what is written can always be read back.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::entry::{Body, Exchange, Message, Note, Operation, OperationFailure, Outcome, TlsFacts, What};
use crate::wire::canonical::sha256_hex;
use crate::wire::harmless::harmless_json;
use crate::wire::weight::weight;

/// Largest body that is kept whole, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 256 * 1024;
/// Largest memory that the values of a body take, in bytes.
pub(super) const BODY_WEIGHT_MAX: usize = 8 * 1024 * 1024;
/// Largest result, set of parameters or set of facts that is kept whole, in bytes as it is written. A list of all
/// peers or events is long on a platform in use.
const VALUE_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Largest memory that the values of one of these take, in bytes.
const VALUE_WEIGHT_MAX: usize = 16 * 1024 * 1024;
/// Largest size of all of these in a transcript that are larger than a body may be, in bytes.
const LARGE_VALUES_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Length of the beginning that is kept of a longer part, in bytes.
pub(super) const BYTES_KEPT: usize = 2 * 1024;
/// Longest text that is kept whole, such as a path, the value of a header or an error, in bytes.
const TEXT_BYTES_MAX: usize = 16 * 1024;
/// Largest size of all headers of a message, in bytes.
const HEADERS_BYTES_MAX: usize = 64 * 1024;

/// Largest size of an entry, in bytes, before its characters are escaped: an exchange, or the source of a scenario.
const ENTRY_BYTES_MAX: usize =
    2 * (BODY_BYTES_MAX + HEADERS_BYTES_MAX + 4 * TEXT_BYTES_MAX) + 16 * TEXT_BYTES_MAX;
/// Bytes that stand for one byte in a line, at most: `\u001b`.
const ESCAPED_MAX: usize = 6;
/// Longest line of a transcript, in bytes, with its end.
pub const LINE_BYTES_MAX: usize = ESCAPED_MAX * ENTRY_BYTES_MAX;
// An operation has parameters and a result, which are measured as they are written, and a few texts.
const _: () = assert!(2 * VALUE_BYTES_MAX + ESCAPED_MAX * 4 * TEXT_BYTES_MAX < LINE_BYTES_MAX);
const _: () = assert!(ESCAPED_MAX * BODY_BYTES_MAX <= VALUE_BYTES_MAX);
/// Largest number of lines of a transcript.
pub(super) const LINES_MAX: usize = 5_000_000;

/// Returns the beginning of a text that is too long to be kept, with its length and its digest. A shorter text is
/// returned as it is.
#[must_use]
pub fn shortened(text: &str) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    format!("{}… (cut: {} bytes, SHA-256 {})", beginning(text), text.len(), sha256_hex(text))
}

fn beginning(text: &str) -> &str {
    &text[..text.floor_char_boundary(BYTES_KEPT)]
}

fn cut_text(text: &mut String) {
    if text.len() > TEXT_BYTES_MAX {
        *text = shortened(text);
    }
}

/// Budget of a transcript for large values, in bytes that are left.
#[derive(Debug)]
pub(super) struct Budget(AtomicUsize);

impl Default for Budget {
    fn default() -> Self {
        Self(AtomicUsize::new(LARGE_VALUES_BYTES_MAX))
    }
}

impl Budget {
    /// Takes this many bytes for a value. Returns false if they are not left. A value that is no larger than a body takes
    /// none.
    fn takes(&self, bytes: usize) -> bool {
        let left = |left: usize| left.checked_sub(bytes);
        bytes <= BODY_BYTES_MAX || self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left).is_ok()
    }
}

/// Cuts a value that is too long. Returns whether it was: no verdict may rest on what is left.
fn cut_value(value: &mut Value, budget: &Budget) -> bool {
    let text = value.to_string();
    // A small value stays below the limit whatever is escaped in it.
    let written = if text.len() > BODY_BYTES_MAX { harmless_json(&text).len() } else { text.len() };
    let is_long = written > VALUE_BYTES_MAX || weight(text.as_bytes()) > VALUE_WEIGHT_MAX;
    let is_long = is_long || !budget.takes(written);
    if is_long {
        let (length, sha256) = (text.len(), sha256_hex(&text));
        *value = json!({"cut": {"length": length, "sha256": sha256, "beginning": beginning(&text)}});
    }
    is_long
}

impl What {
    /// Cuts everything that is too long. Returns whether a part was cut that does not say so by itself.
    pub(super) fn cut(&mut self, budget: &Budget) -> bool {
        match self {
            // The suite bounds its own settings and its scenarios when it reads them.
            Self::Run(_) | Self::Scenario(_) | Self::Seal(_) => false,
            Self::Exchange(exchange) => {
                exchange.cut();
                false
            }
            Self::Operation(operation) => operation.cut(budget),
            Self::Note(Note { message, facts, .. }) => {
                cut_text(message);
                cut_value(facts, budget)
            }
            Self::End(outcome) => {
                outcome.cut();
                false
            }
        }
    }
}

impl Exchange {
    fn cut(&mut self) {
        cut_text(&mut self.peer);
        std::iter::once(&mut self.request).chain(self.response.as_mut()).for_each(Message::cut);
        let failure = self.failure.as_mut().map(|failure| &mut failure.message);
        let texts = failure.into_iter().chain(self.protocol.as_mut());
        let facts = self.tls.iter_mut().flat_map(TlsFacts::texts);
        texts.chain(facts).for_each(cut_text);
    }
}

impl TlsFacts {
    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let Self { version, alpn, peer_subject, peer_fingerprint, peer_not_after: _ } = self;
        [Some(version), alpn.as_mut(), peer_subject.as_mut(), peer_fingerprint.as_mut()].into_iter().flatten()
    }
}

impl Message {
    fn cut(&mut self) {
        self.method.iter_mut().chain(self.path.as_mut()).for_each(cut_text);
        let mut size = 0;
        let mut whole = 0;
        for (name, value) in &mut self.headers {
            cut_text(name);
            cut_text(value);
            // The signs around them count too.
            size += name.len() + value.len() + 8;
            whole += usize::from(size <= HEADERS_BYTES_MAX);
        }
        if whole < self.headers.len() {
            let more = format!("{} headers more", self.headers.len() - whole);
            self.headers.truncate(whole);
            self.headers.push(("cut".to_owned(), more));
        }
        self.body.cut();
    }
}

impl Body {
    /// Cuts a body that has become too long by its masks.
    fn cut(&mut self) {
        let text = match self {
            Self::Empty => return,
            Self::Cut { beginning, .. } => return cut_text(beginning),
            Self::Text(text) => std::mem::take(text),
            Self::Json(value) => value.to_string(),
        };
        if text.len() > BODY_BYTES_MAX {
            *self = Self::cut_of(text.as_bytes());
        } else if let Self::Text(kept) = self {
            *kept = text;
        }
    }

    /// Returns what is kept of a body that is too long.
    pub(super) fn cut_of(bytes: &[u8]) -> Self {
        Self::Cut {
            length: bytes.len() as u64,
            sha256: sha256_hex(bytes),
            beginning: String::from_utf8_lossy(&bytes[..bytes.len().min(BYTES_KEPT)]).into_owned(),
        }
    }
}

impl Operation {
    fn cut(&mut self, budget: &Budget) -> bool {
        let failure = self.failure.as_mut();
        if let Some(OperationFailure::Refused { message, .. } | OperationFailure::Adapter { message }) =
            failure
        {
            cut_text(message);
        }
        cut_text(&mut self.method);
        let parameters = cut_value(&mut self.parameters, budget);
        self.result.as_mut().is_some_and(|result| cut_value(result, budget)) || parameters
    }
}

impl Outcome {
    fn cut(&mut self) {
        match self {
            Self::Completed | Self::Interrupted => {}
            Self::Aborted(fault) => {
                cut_text(&mut fault.reason);
                fault.method.iter_mut().for_each(cut_text);
            }
            Self::Unsupported { method: text }
            | Self::Lacking { lacks: text }
            | Self::EndedAtBreach { check: text }
            | Self::EndedAtDeadline { deadline: text }
            | Self::Blocked { reason: text, .. } => cut_text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fault;
    use crate::clock::{Clock, Seed};
    use crate::transcript::sample::run_start;
    use crate::transcript::{Direction, Failure, FailureKind, NoteKind, ScenarioStart, Transcript, read};
    use proptest::prelude::*;
    use proptest::test_runner::RngSeed;

    /// Texts that grow most when they are written: by escapes, and by nothing.
    const UNITS: [&str; 6] = ["\u{1b}", "a", "\"", "\u{ad}", "\u{e0041}", "<password>"];

    /// Returns entries of each kind in which every text of a target is this one.
    fn entries(text: &str, times: usize) -> Vec<What> {
        let text = || text.to_owned();
        let value = || json!({ text(): vec![text(); times] });
        let message = |body: Body| Message {
            method: Some(text()),
            path: Some(text()),
            status: Some(200),
            headers: vec![(text(), text()); times],
            body,
        };
        let exchange = |body: Body| {
            What::Exchange(Exchange {
                request: message(Body::capture(text().as_bytes())),
                response: Some(message(body)),
                failure: Some(Failure { kind: FailureKind::Closed, message: text() }),
                tls: Some(TlsFacts {
                    version: text(),
                    alpn: Some(text()),
                    peer_subject: Some(text()),
                    peer_fingerprint: Some(text()),
                    peer_not_after: None,
                }),
                protocol: Some(text()),
                ..Exchange::made("alice", Direction::ToTarget)
            })
        };
        let operation = |result: Option<Value>, failure: Option<OperationFailure>| {
            What::Operation(Operation { method: text(), parameters: value(), result, failure })
        };
        vec![
            exchange(Body::capture(value().to_string().as_bytes())),
            exchange(Body::Json(value())),
            operation(Some(value()), None),
            operation(None, Some(OperationFailure::Refused { code: 1, message: text() })),
            operation(None, Some(OperationFailure::Adapter { message: text() })),
            What::Note(Note { kind: NoteKind::Kinds, message: text(), facts: value() }),
            What::End(Outcome::Aborted(Fault::target(text()))),
        ]
    }

    /// Writes entries with texts of this unit, and reads them back.
    fn is_read_back(unit: &str, length: usize, times: usize) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("transcript.jsonl");
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let transcript = Transcript::create(&path, run_start("test"), &clock).expect("a new file");
        let begin = ScenarioStart { source: "x".into(), seed: Seed(2) };
        let recorder = transcript.begin("a", begin, clock.clone());
        let text = unit.repeat(length / unit.len());
        for what in entries(&text, times) {
            recorder.record(Some(1), Some("label"), what);
        }
        transcript.end(Outcome::Completed, &clock);
        assert_eq!(transcript.fault(), None);
        let reading = read(&path).expect("it reads");
        let is_same = reading.traces().collect::<Vec<_>>() == vec![recorder.trace()];
        assert!(is_same, "{length} bytes of {unit:?}, {times} times");
        let text = std::fs::read(&path).expect("it reads");
        let longest = text.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
        assert!(longest < Some(LINE_BYTES_MAX), "{longest:?}");
    }

    #[test]
    fn values_whose_signs_are_escaped_are_read_back() {
        for unit in UNITS {
            is_read_back(unit, 524_288, 2);
        }
        // The lengths at which what is cut begins and ends to fit.
        for unit in ["\u{1b}", "<password>"] {
            is_read_back(unit, 349_166, 2);
            is_read_back(unit, 700_000, 2);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 24, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
        })]

        #[test]
        fn whatever_is_written_is_read_back(
            unit in 0..UNITS.len(), length in prop_oneof![0..64_usize, 0..70_000_usize, 260_000..700_000_usize],
            times in 0..9_usize,
        ) {
            is_read_back(UNITS[unit], length, times);
        }
    }

    #[test]
    fn large_values_are_kept_until_their_budget_is_spent() {
        let budget = Budget::default();
        let large = json!("a".repeat(VALUE_BYTES_MAX / 2));
        let kept = LARGE_VALUES_BYTES_MAX / large.to_string().len();
        for n in 0..=kept {
            assert_eq!(cut_value(&mut large.clone(), &budget), n == kept, "value {n}");
        }
        assert!(!cut_value(&mut json!("a".repeat(1024)), &budget), "a small value takes none of it");
        assert!(
            cut_value(&mut json!("a".repeat(VALUE_BYTES_MAX)), &Budget::default()),
            "it is too large alone"
        );
    }

    #[test]
    fn a_text_that_is_cut_says_how_long_it_was() {
        let long = "é".repeat(TEXT_BYTES_MAX);
        let short = shortened(&long);
        assert!(short.starts_with("éé") && short.len() < BYTES_KEPT + 200);
        let digest = sha256_hex(&long);
        assert!(short.ends_with(&format!("… (cut: {} bytes, SHA-256 {digest})", long.len())), "{short}");
        assert_eq!(shortened("x"), "x");
    }

    #[test]
    fn headers_are_kept_up_to_their_limit() {
        let mut message =
            Message { headers: vec![("a".to_owned(), "b".repeat(TEXT_BYTES_MAX)); 10], ..Message::default() };
        message.cut();
        assert_eq!(message.headers.len(), 4);
        assert_eq!(message.headers[3], ("cut".to_owned(), "7 headers more".to_owned()));
    }
}
