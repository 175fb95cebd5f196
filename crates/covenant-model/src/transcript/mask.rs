//! Replacement of secrets at capture. `<bearer_token:1>` stands for the first bearer token of a scenario in
//! every place, so a reader sees which token was used.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entry::{Body, Exchange, Message, Operation, Outcome, What};
use crate::wire::header::{self, bearer_token};

/// JSON members whose text is always a secret.
const SECRET_MEMBERS: [&str; 8] = [
    "acceptance_token",
    "bearer_token",
    "access_token",
    "refresh_token",
    "password",
    "private_key_pem",
    "key_pem",
    "token",
];
/// Headers whose value is a secret.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// Length of the shortest text that is masked. Masking shorter texts everywhere would make the entries
/// unreadable.
const SECRET_LENGTH_MIN: usize = 8;

/// Secrets that one scenario has seen. The mask needs every entry, in order.
#[derive(Debug, Default)]
pub struct Mask {
    /// Secret → placeholder.
    seen: BTreeMap<String, String>,
    /// Class → number of secrets in it.
    counts: BTreeMap<&'static str, u32>,
}

impl Mask {
    /// Adds a secret before it crosses the wire.
    pub fn learn(&mut self, class: &'static str, secret: &str) {
        if secret.len() < SECRET_LENGTH_MIN || self.seen.contains_key(secret) || is_placeholder(secret) {
            return;
        }
        let count = self.counts.entry(class).or_default();
        *count += 1;
        self.seen.insert(secret.to_owned(), format!("<{class}:{count}>"));
    }

    /// Adds the secrets in an entry, and replaces every known secret in it.
    pub fn apply(&mut self, what: &mut What) {
        match what {
            What::Exchange(exchange) => self.exchange(exchange),
            What::Operation(operation) => self.operation(operation),
            What::Note(note) => {
                self.learn_from(&note.facts);
                note.message = self.text(&note.message);
                self.value(&mut note.facts);
            }
            What::End(Outcome::Aborted(fault)) => fault.reason = self.text(&fault.reason),
            What::Run(_) | What::Scenario(_) | What::End(_) => {}
        }
    }

    /// Returns the text with every known secret and every private key replaced.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut masked = text.to_owned();
        for (secret, placeholder) in &self.seen {
            if masked.contains(secret.as_str()) {
                masked = masked.replace(secret.as_str(), placeholder);
            }
        }
        without_private_keys(&masked)
    }

    fn exchange(&mut self, exchange: &mut Exchange) {
        let messages = std::iter::once(&mut exchange.request).chain(exchange.response.as_mut());
        for message in messages {
            self.message(message);
        }
        if let Some(failure) = &mut exchange.failure {
            failure.message = self.text(&failure.message);
        }
    }

    fn operation(&mut self, operation: &mut Operation) {
        self.learn_from(&operation.parameters);
        self.value(&mut operation.parameters);
        if let Some(result) = &mut operation.result {
            self.learn_from(result);
            self.value(result);
        }
    }

    fn message(&mut self, message: &mut Message) {
        for (name, value) in &message.headers {
            if SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
                let secret = bearer_token(value).unwrap_or(value).to_owned();
                self.learn(header_class(name), &secret);
            }
        }
        if let Body::Json(value) = &message.body {
            self.learn_from(value);
        }
        for (_, value) in &mut message.headers {
            *value = self.text(value);
        }
        if let Some(path) = &mut message.path {
            *path = self.text(path);
        }
        match &mut message.body {
            Body::Empty => {}
            Body::Json(value) => self.value(value),
            Body::Text(text) => *text = self.text(text),
            Body::Cut { beginning, .. } => *beginning = self.text(beginning),
        }
    }

    fn learn_from(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let class = SECRET_MEMBERS.iter().find(|secret| *secret == name);
                    match (class, member) {
                        (Some(class), Value::String(secret)) => self.learn(class, secret),
                        _ => self.learn_from(member),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.learn_from(item)),
            _ => {}
        }
    }

    fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => {
                // The name of a member can be a secret, too.
                if members.keys().any(|name| self.text(name) != *name) {
                    *members = std::mem::take(members)
                        .into_iter()
                        .map(|(name, member)| (self.text(&name), member))
                        .collect();
                }
                members.values_mut().for_each(|member| self.value(member));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

fn header_class(name: &str) -> &'static str {
    if name.eq_ignore_ascii_case(header::AUTHORIZATION) { "bearer_token" } else { "header_secret" }
}

fn is_placeholder(text: &str) -> bool {
    text.starts_with('<') && text.ends_with('>')
}

/// Removes the content of every PEM block that contains a private key.
fn without_private_keys(text: &str) -> String {
    const OPENS: &str = "PRIVATE KEY-----";
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(at) = rest.find(OPENS) {
        let inside = at + OPENS.len();
        kept.push_str(&rest[..inside]);
        kept.push_str("<private_key>");
        rest = &rest[inside..];
        let Some(end) = rest.find("-----END") else {
            return kept;
        };
        // Skip the words of the END line, so that they do not open a block again.
        let close = rest[end..].find("KEY-----").map_or(rest.len(), |k| end + k + "KEY-----".len());
        kept.push_str(&rest[end..close]);
        rest = &rest[close..];
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fault;
    use crate::transcript::Direction;
    use serde_json::json;

    fn exchange(headers: Vec<(String, String)>, body: Value, answer: Value) -> What {
        What::Exchange(Exchange {
            peer: "alice".into(),
            direction: Direction::ToTarget,
            request: Message { headers, body: Body::Json(body), ..Message::default() },
            response: Some(Message { body: Body::Json(answer), ..Message::default() }),
            failure: None,
            tls: None,
            protocol: None,
            source: None,
            injected: vec![],
        })
    }

    #[test]
    fn a_secret_is_replaced_wherever_it_appears_and_by_the_same_name() {
        let mut mask = Mask::default();
        let mut what = exchange(
            vec![("authorization".into(), "Bearer fgs.1.deadbeef".into())],
            json!({"acceptance_token": "A41EZU89q9Og9EM1WhI"}),
            json!({"error": "token A41EZU89q9Og9EM1WhI is unknown", "fgs.1.deadbeef": 1}),
        );
        mask.apply(&mut what);
        let text = serde_json::to_string(&what).expect("an entry is JSON");
        assert!(!text.contains("A41EZU") && !text.contains("deadbeef"), "{text}");
        assert!(text.contains("token <acceptance_token:1> is unknown"), "{text}");
        let mut end = What::End(Outcome::Aborted(Fault::target("no: A41EZU89q9Og9EM1WhI")));
        mask.apply(&mut end);
        assert_eq!(end, What::End(Outcome::Aborted(Fault::target("no: <acceptance_token:1>"))));
        assert!(text.contains("Bearer <bearer_token:1>"), "{text}");
    }

    #[test]
    fn secrets_are_reported_apart_by_number() {
        let mut mask = Mask::default();
        mask.learn("bearer_token", "first-secret");
        mask.learn("bearer_token", "second-secret");
        mask.learn("bearer_token", "first-secret");
        assert_eq!(mask.text("second-secret/first-secret"), "<bearer_token:2>/<bearer_token:1>");
    }

    #[test]
    fn the_inside_of_a_private_key_is_cut_out_of_any_text() {
        let pem = "x -----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n y \
                   -----BEGIN EC PRIVATE KEY-----\nAAA";
        let masked = Mask::default().text(pem);
        assert!(!masked.contains("MC4CAQ") && !masked.contains("AAA"), "{masked}");
        assert!(masked.contains(" y "), "{masked}");
    }
}
