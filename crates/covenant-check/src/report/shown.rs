//! Entries of a trace as a person reads them: who called whom with what, and the answer.
//!
//! `covenant show`, the text of a breach and the HTML are made from the same [`ShownEntry`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::check::{Evaluation, Verdict};
use covenant_model::transcript::{
    Body, Direction, Entry, Exchange, Message, Operation, OperationFailure, Outcome, Trace, What,
};

/// The maximum number of lines of a message in a report, and of characters of a line.
const LINES_MAX: usize = 60;
const LINE_LENGTH_MAX: usize = 160;
/// The number of entries before and after an entry of the evidence that a report shows without their messages.
const AROUND: u64 = 2;
/// The maximum number of entries of one scenario in a report.
const ENTRIES_MAX: usize = 40;
/// The shortest value and the shortest name of a member that can be recognised in a sentence.
const VALUE_LENGTH_MIN: usize = 6;
const NAME_LENGTH_MIN: usize = 6;
/// Headers that say nothing about the contract.
const PLAIN_HEADERS: [&str; 10] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "transfer-encoding",
    "user-agent",
    "server",
];

/// Entries of one scenario that a report shows, because the evidence of a breach cites them or stands near.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownTrace {
    /// The id of the scenario.
    pub scenario: String,
    /// The number of entries in its trace.
    pub entries_in_all: u64,
    /// The entries, in order.
    pub entries: Vec<ShownEntry>,
}

/// The kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShownKind {
    /// A call on the wire.
    Exchange,
    /// A call of a method of the operator plane.
    Operation,
    /// A note of the suite.
    Note,
    /// The start of the scenario.
    Start,
    /// The end of the scenario.
    End,
}

/// One entry of a trace, for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownEntry {
    /// The number of the entry in its scenario.
    pub n: u64,
    /// The time, by the scenario's clock.
    pub at: String,
    /// The kind of the entry.
    pub kind: ShownKind,
    /// The label that the step gave to the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The caller: a peer, `target` or `suite`.
    pub from: String,
    /// The called: a peer, `target` or `operator`; empty if nothing was called.
    pub to: String,
    /// The call: `POST /path`, or a method of the operator plane, or the text of a note.
    pub call: String,
    /// The outcome in a word or two: a status, `result`, or the failure.
    pub outcome: String,
    /// The behaviours that changed this exchange. The suite injected them on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub injected: Vec<String>,
    /// The lines of the request: headers that matter, then the body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub request: Vec<String>,
    /// The lines of the response.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub response: Vec<String>,
    /// Facts about the connection, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
}

impl ShownEntry {
    /// Shows an entry with every line of its messages.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        let mut shown = Self {
            n: entry.n,
            at: entry.at.to_string(),
            kind: ShownKind::Note,
            label: entry.label.clone(),
            from: "suite".to_owned(),
            to: String::new(),
            call: String::new(),
            outcome: String::new(),
            injected: vec![],
            request: vec![],
            response: vec![],
            connection: None,
        };
        match &*entry.what {
            What::Exchange(exchange) => shown.exchange(exchange),
            What::Operation(operation) => shown.operation(operation),
            What::Note(note) => {
                shown.call.clone_from(&note.message);
                if !note.facts.is_null() {
                    shown.request = json(&note.facts);
                }
            }
            What::Scenario(start) => {
                shown.request = start.source.lines().map(ToOwned::to_owned).collect();
                shown.kind = ShownKind::Start;
                "the scenario begins".clone_into(&mut shown.call);
            }
            What::End(outcome) => {
                shown.kind = ShownKind::End;
                "the scenario ends".clone_into(&mut shown.call);
                shown.outcome = ended(outcome);
            }
            What::Run(_) | What::Seal(_) => "an entry of the run".clone_into(&mut shown.call),
        }
        if entry.cut {
            shown.response.push("(cut: the value was too long for a transcript)".to_owned());
        }
        shown
    }

    fn exchange(&mut self, exchange: &Exchange) {
        self.kind = ShownKind::Exchange;
        let (peer, target) = (exchange.peer.clone(), "target".to_owned());
        (self.from, self.to) = match exchange.direction {
            Direction::ToTarget => (peer, target),
            Direction::FromTarget => (target, peer),
        };
        let method = exchange.request.method.as_deref().unwrap_or("?");
        self.call = format!("{method} {}", exchange.request.path.as_deref().unwrap_or(""));
        self.outcome = match (&exchange.response, &exchange.failure) {
            (Some(response), _) => {
                response.status.map_or_else(|| "no status".to_owned(), |status| status.to_string())
            }
            (None, Some(failure)) => format!("no response: {}", failure.message),
            (None, None) => "no response".to_owned(),
        };
        self.injected.clone_from(&exchange.injected);
        self.request = message(&exchange.request);
        self.response = exchange.response.as_ref().map(message).unwrap_or_default();
        let tls = exchange.tls.as_ref().map(|tls| {
            let subject = tls.peer_subject.as_deref().unwrap_or("no certificate");
            let fingerprint = tls.peer_fingerprint.as_deref().map(|print| format!(", SHA-256 {print}"));
            format!("{}, {subject}{}", tls.version, fingerprint.unwrap_or_default())
        });
        let parts = exchange.protocol.clone().into_iter().chain(tls);
        self.connection = Some(parts.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty());
    }

    fn operation(&mut self, operation: &Operation) {
        self.kind = ShownKind::Operation;
        "operator".clone_into(&mut self.to);
        self.call.clone_from(&operation.method);
        self.request = json(&operation.parameters);
        match (&operation.result, &operation.failure) {
            (Some(result), _) => {
                "result".clone_into(&mut self.outcome);
                self.response = json(result);
            }
            (None, Some(failure)) => self.outcome = failed(failure),
            (None, None) => "no result".clone_into(&mut self.outcome),
        }
    }

    /// Returns the entry with its messages shortened for a report.
    fn shortened(mut self) -> Self {
        shorten(&mut self.request);
        shorten(&mut self.response);
        self.call = beginning(&self.call);
        self.outcome = beginning(&self.outcome);
        self
    }

    /// Returns the entry without its messages.
    fn in_one_line(self) -> Self {
        Self { request: vec![], response: vec![], connection: None, ..self }.shortened()
    }

    /// Returns the number of lines that name what the verdict names.
    fn named_lines(&self, evaluation: &Evaluation) -> usize {
        self.request.iter().chain(&self.response).filter(|line| is_named(line, evaluation)).count()
    }
}

/// Returns the entries of a trace that show its broken checks, with their neighbours; `None` if nothing is broken.
#[must_use]
pub fn shown_trace<'a>(
    trace: &Trace,
    evaluations: impl Iterator<Item = &'a Evaluation>,
) -> Option<ShownTrace> {
    let broken = evaluations.filter(|evaluation| evaluation.result.verdict == Verdict::Broken);
    let cited: Vec<u64> = broken.flat_map(|evaluation| evaluation.result.evidence.clone()).collect();
    let is_near = |n: u64| cited.iter().any(|cited| cited.abs_diff(n) <= AROUND);
    let shown = trace.entries().iter().filter(|entry| is_near(entry.n)).take(ENTRIES_MAX).map(|entry| {
        let shown = ShownEntry::of(entry);
        if cited.contains(&entry.n) { shown.shortened() } else { shown.in_one_line() }
    });
    let entries: Vec<ShownEntry> = shown.collect();
    let entries_in_all = trace.entries().len() as u64;
    let scenario = trace.scenario().to_owned();
    (!entries.is_empty()).then_some(ShownTrace { scenario, entries_in_all, entries })
}

/// Returns the entry of the evidence that says most: the one with the most lines that the verdict names, the last of
/// several.
#[must_use]
pub fn clearest_entry<'a>(traces: &'a [ShownTrace], evaluation: &Evaluation) -> Option<&'a ShownEntry> {
    let trace = traces.iter().find(|trace| trace.scenario == evaluation.trace())?;
    let cited = trace.entries.iter().filter(|entry| evaluation.result.evidence.contains(&entry.n));
    cited.max_by_key(|entry| (entry.named_lines(evaluation), entry.n))
}

/// Returns whether a line of a message holds a member that the verdict names, by its name or by its value.
#[must_use]
pub fn is_named(line: &str, evaluation: &Evaluation) -> bool {
    let result = &evaluation.result;
    let texts = || [&result.actual, &evaluation.check.requirement].into_iter().chain(&result.expected);
    let line = line.trim();
    let (name, value) = match line.strip_prefix('"').and_then(|rest| rest.split_once("\": ")) {
        Some((name, value)) => (name, value),
        None => ("", line),
    };
    let value = value.trim_matches(|c: char| "\",[]{}".contains(c));
    let by_name = name.len() >= NAME_LENGTH_MIN && texts().any(|text| has_word(text, name));
    by_name || value.len() >= VALUE_LENGTH_MIN && texts().any(|text| has_word(text, value))
}

/// Returns whether a text holds a word that no other letter, digit or `_` adjoins.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

fn message(message: &Message) -> Vec<String> {
    let is_plain = |name: &str| PLAIN_HEADERS.contains(&name.to_ascii_lowercase().as_str());
    let headers = message.headers.iter().filter(|(name, _)| !is_plain(name));
    headers.map(|(name, value)| format!("{name}: {value}")).chain(body(&message.body)).collect()
}

fn body(body: &Body) -> Vec<String> {
    match body {
        Body::Empty => vec![],
        Body::Json(value) => json(value),
        Body::Text(text) => text.lines().map(ToOwned::to_owned).collect(),
        Body::Cut { length, sha256, beginning } => {
            let cut = format!("(cut: {length} bytes, SHA-256 {sha256})");
            beginning.lines().map(ToOwned::to_owned).chain([cut]).collect()
        }
    }
}

fn json(value: &Value) -> Vec<String> {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.lines().map(ToOwned::to_owned).collect()
}

fn ended(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Completed => "completed".to_owned(),
        Outcome::Aborted(fault) => format!("aborted: {fault}"),
        Outcome::Unsupported { method } => format!("the method {method} is missing"),
        Outcome::Lacking { lacks } => format!("not played: {lacks}"),
        Outcome::Blocked { stage, reason } => format!("not played: the stage {stage} failed: {reason}"),
        Outcome::Interrupted => "interrupted".to_owned(),
        Outcome::EndedAtBreach { check } => format!("ended at the broken check {check}"),
        Outcome::EndedAtDeadline { deadline } => format!("ended at the deadline of {deadline}"),
    }
}

fn failed(failure: &OperationFailure) -> String {
    match failure {
        OperationFailure::Unsupported => "the method is missing".to_owned(),
        OperationFailure::Refused { code, message } => format!("refused ({code}): {message}"),
        OperationFailure::Adapter { message } => format!("the adapter failed: {message}"),
    }
}

fn shorten(lines: &mut Vec<String>) {
    if lines.len() > LINES_MAX {
        let more = lines.len() - LINES_MAX;
        lines.truncate(LINES_MAX);
        lines.push(format!("… {more} lines more"));
    }
    for line in lines {
        *line = beginning(line);
    }
}

fn beginning(text: &str) -> String {
    match text.char_indices().nth(LINE_LENGTH_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::report;
    use covenant_model::clock::Clock;
    use covenant_model::contract::Basis::Observed;
    use covenant_model::transcript::Recorder;
    use serde_json::json;

    fn evaluation(actual: &str, evidence: &[u64]) -> Evaluation {
        let mut evaluation = report(&[("7.3", Observed, Verdict::Broken)]).checks.remove(0).evaluation;
        evaluation.result.actual = actual.to_owned();
        evaluation.result.evidence = evidence.to_vec();
        evaluation
    }

    /// Returns a trace with a start, six exchanges, of which the third says more, and an end.
    fn trace() -> Trace {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("scenario", clock);
        for n in 2..8 {
            let body = if n == 4 { json!({"conflict_log": [], "n": n}) } else { json!({ "n": n }) };
            let exchange = Exchange::to_target("alice")
                .on("POST", "heartbeat")
                .answered_with(200, body)
                .heading(&[("Date", "x"), ("X-Peer", "y")]);
            recorder.record(None, None, What::Exchange(exchange));
        }
        recorder.end(Outcome::Completed)
    }

    #[test]
    fn a_report_shows_the_evidence_whole_and_its_neighbours_in_one_line() {
        let broken = evaluation("conflict_log does not report it", &[4, 5]);
        let shown = shown_trace(&trace(), [&broken].into_iter()).expect("a breach");
        let numbers: Vec<u64> = shown.entries.iter().map(|entry| entry.n).collect();
        assert_eq!((numbers, shown.entries_in_all), (vec![2, 3, 4, 5, 6, 7], 8));
        let whole = |entry: &&ShownEntry| !entry.response.is_empty();
        assert_eq!(shown.entries.iter().filter(whole).map(|entry| entry.n).collect::<Vec<_>>(), [4, 5]);
        let clearest = clearest_entry(&[shown], &broken).cloned().expect("an entry");
        assert_eq!((clearest.n, clearest.from.as_str(), clearest.to.as_str()), (4, "alice", "target"));
        assert!(clearest.call.ends_with("/heartbeat") && clearest.outcome == "200", "{clearest:?}");
        assert!(clearest.response.iter().all(|line| !line.starts_with("Date")), "{clearest:?}");
        assert!(clearest.response.iter().any(|line| line == "X-Peer: y"), "{clearest:?}");
    }

    #[test]
    fn what_is_kept_is_not_shown() {
        let mut kept = evaluation("", &[4]);
        kept.result.verdict = Verdict::Kept;
        assert_eq!(shown_trace(&trace(), [&kept].into_iter()), None);
    }

    #[test]
    fn a_member_is_named_by_its_name_or_its_value_and_never_by_a_part() {
        let broken = evaluation("conflict_log lacks 019e807a-ec00", &[]);
        assert!(is_named("  \"conflict_log\": [", &broken));
        assert!(is_named("  \"id\": \"019e807a-ec00\",", &broken));
        assert!(!is_named("  \"conflict_logs\": [", &broken));
        assert!(!is_named("  \"id\": \"19e807a\",", &broken));
        assert!(!is_named("  \"a\": 1,", &broken));
    }

    #[test]
    fn a_long_message_is_cut_in_lines_and_columns() {
        let mut lines = vec!["ä".repeat(500); 70];
        shorten(&mut lines);
        assert_eq!((lines.len(), lines[0].chars().count()), (LINES_MAX + 1, LINE_LENGTH_MAX + 1));
        assert_eq!(lines[LINES_MAX], "… 10 lines more");
    }
}
