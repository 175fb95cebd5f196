//! Warnings: what a run saw that no clause covers. A warning changes no verdict and no exit code.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use covenant_model::transcript::{Body, Direction, Entry, Exchange, PUT_OFF, Trace};
use covenant_model::wire::path::Route;

/// The number of wrong acceptance tokens after which a target that limits none of them gets a warning.
const GUESSES_MIN: usize = 50;
/// The maximum length of an answer that is quoted, in characters.
const QUOTE_MAX: usize = 160;
const UNAUTHORIZED: u16 = 401;
const TOO_MANY_REQUESTS: u16 = 429;

/// Something that a run saw and that no clause covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Warning {
    /// The kind of observation.
    pub kind: WarningKind,
    /// The observation, in a sentence without a full stop.
    pub text: String,
    /// The number of times.
    pub times: u64,
    /// The id of the scenario in which it was seen first.
    pub scenario: String,
    /// The numbers of the entries that show it there.
    pub evidence: Vec<u64>,
}

/// The kind of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// The target failed at a call: an answer 5xx, other than 502, 503 and 504.
    ServerError,
    /// The target limits no guesses of acceptance tokens.
    UnlimitedGuesses,
}

/// Warnings of the traces of a run. Equal failures are one warning.
#[derive(Debug, Default)]
pub struct Warnings {
    errors: BTreeMap<String, Warning>,
    guesses: Option<Warning>,
}

impl Warnings {
    /// Adds those of one trace.
    pub fn add(&mut self, trace: &Trace) {
        for (entry, exchange) in trace.exchanges().filter(|(_, exchange)| has_failed(exchange)) {
            let text = failed_call(exchange);
            let warning =
                self.errors.entry(text).or_insert_with_key(|text| server_error(trace, entry, exchange, text));
            warning.times += 1;
        }
        self.guesses = self.guesses.take().or_else(|| unlimited_guesses(trace));
    }

    /// Returns all of them, sorted by kind.
    #[must_use]
    pub fn all(self) -> Vec<Warning> {
        self.errors.into_values().chain(self.guesses).collect()
    }
}

/// Returns whether the target failed at a call. 503 asks the caller to come back, and 502 and 504 come from a gateway.
fn has_failed(exchange: &Exchange) -> bool {
    let is_error = |status: u16| (500..600).contains(&status) && !PUT_OFF.contains(&status);
    exchange.direction == Direction::ToTarget && exchange.status().is_some_and(is_error)
}

/// Returns the failure in a few words, the same for every id.
fn failed_call(exchange: &Exchange) -> String {
    let method = exchange.request.method.as_deref().unwrap_or_default();
    let path = || exchange.request.path.clone().unwrap_or_default();
    let route = exchange.route().map_or_else(path, |route| format!("/{}", route.name()));
    format!("{method} {route} answered {}", exchange.status().unwrap_or_default())
}

fn server_error(trace: &Trace, entry: &Entry, exchange: &Exchange, call: &str) -> Warning {
    let answer = exchange.response.as_ref().map(|response| body_text(&response.body)).unwrap_or_default();
    let quoted: String = answer.chars().take(QUOTE_MAX).collect();
    Warning {
        kind: WarningKind::ServerError,
        text: if quoted.is_empty() { call.to_owned() } else { format!("{call}: {quoted}") },
        times: 0,
        scenario: trace.scenario().to_owned(),
        evidence: vec![entry.n],
    }
}

fn body_text(body: &Body) -> String {
    match body {
        Body::Empty => String::new(),
        Body::Json(value) => value.to_string(),
        Body::Text(text) | Body::Cut { beginning: text, .. } => text.clone(),
    }
}

/// Returns a warning if many different tokens were tried, none was limited, and a good one was accepted: so it was
/// the tokens that were refused.
fn unlimited_guesses(trace: &Trace) -> Option<Warning> {
    let accepts = trace.exchanges().filter(|(_, exchange)| {
        exchange.direction == Direction::ToTarget && exchange.route() == Some(Route::Accept)
    });
    let accepts: Vec<(&Entry, &Exchange)> = accepts.collect();
    let is_limited = |(_, accept): &(&Entry, &Exchange)| accept.status() == Some(TOO_MANY_REQUESTS);
    let control = accepts.iter().find(|(_, accept)| accept.succeeded())?.0;
    if accepts.iter().any(is_limited) {
        return None;
    }
    let refused = accepts.iter().filter(|(_, accept)| accept.status() == Some(UNAUTHORIZED));
    let guesses: Vec<(&Entry, &str)> = refused
        .filter_map(|(entry, accept)| Some((*entry, accept.sent()?["acceptance_token"].as_str()?)))
        .collect();
    let tokens: BTreeSet<&str> = guesses.iter().map(|(_, token)| *token).collect();
    let (first, last) = (guesses.first()?.0, guesses.last()?.0);
    (tokens.len() >= GUESSES_MIN).then(|| Warning {
        kind: WarningKind::UnlimitedGuesses,
        text: format!(
            "{} wrong acceptance tokens within {} s, and none was refused by a limit",
            tokens.len(),
            last.at.duration_since(first.at).as_secs()
        ),
        times: 1,
        scenario: trace.scenario().to_owned(),
        evidence: vec![control.n, first.n, last.n],
    })
}

/// Returns a warning of an answer 500.
#[cfg(test)]
pub(crate) fn sample() -> Warning {
    Warning {
        kind: WarningKind::ServerError,
        text: "POST /accept answered 500".to_owned(),
        times: 2,
        scenario: "scenario".to_owned(),
        evidence: vec![23],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_model::clock::Clock;
    use covenant_model::transcript::{Recorder, What};
    use serde_json::json;

    fn warnings(trace: &Trace) -> Vec<Warning> {
        let mut warnings = Warnings::default();
        warnings.add(trace);
        warnings.all()
    }

    fn trace(exchanges: impl IntoIterator<Item = Exchange>) -> Trace {
        let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let recorder = Recorder::in_memory("x", clock);
        for exchange in exchanges {
            recorder.record(None, None, What::Exchange(exchange));
        }
        recorder.trace()
    }

    #[test]
    fn failures_of_the_target_are_reported_once_each() {
        let call = |status: u16| {
            Exchange::to_target("alice").on("POST", "heartbeat").answered_with(status, json!({"error": "no"}))
        };
        let seen =
            warnings(&trace([call(500), call(500), call(503), call(422), call(501), call(502), call(504)]));
        let texts: Vec<(&str, u64)> = seen.iter().map(|seen| (seen.text.as_str(), seen.times)).collect();
        assert_eq!(
            texts,
            [
                ("POST /heartbeat answered 500: {\"error\":\"no\"}", 2),
                ("POST /heartbeat answered 501: {\"error\":\"no\"}", 1)
            ]
        );
        assert_eq!(seen[0].evidence, [2]);
        let own = Exchange::from_target("alice").on("POST", "heartbeat").answered(500);
        assert_eq!(warnings(&trace([own])), [], "a peer failed");
    }

    #[test]
    fn guesses_are_reported_if_none_was_limited_and_a_good_token_was_accepted() {
        let accept = |token: &str, status: u16| {
            let call = Exchange::to_target("alice").on("POST", "accept");
            call.sending(json!({ "acceptance_token": token })).answered(status)
        };
        let guessed = |last: u16, good: u16| {
            let guesses = (0..GUESSES_MIN).map(|n| accept(&format!("guess {n}"), 401));
            let all = [accept("good", good)].into_iter().chain(guesses).chain([accept("another", last)]);
            warnings(&trace(all)).len()
        };
        assert_eq!([guessed(401, 200), guessed(429, 200), guessed(401, 401)], [1, 0, 0]);
        let repeated = std::iter::repeat_with(|| accept("used", 401)).take(2 * GUESSES_MIN);
        assert_eq!(warnings(&trace([accept("used", 200)].into_iter().chain(repeated))), []);
    }
}
