//! Replacement of secrets at capture. `<bearer_token:1>` stands for the first bearer token of a scenario in
//! every place, so a reader sees which token was used.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entry::{Body, Exchange, Message, Operation, OperationFailure, Outcome, What};
use crate::secret;
use crate::wire::generation::PLAIN_TOKEN;
use crate::wire::header::{self, bearer_token};
use crate::wire::path::Route;

/// JSON members whose text is always a secret, each with its class.
const SECRET_MEMBERS: [(&str, &str); 9] = [
    ("acceptance_token", "acceptance_token"),
    ("bearer_token", "bearer_token"),
    // The whole token, whatever its name says (`wire.md` §8).
    ("bearer_token_preview", "bearer_token"),
    ("access_token", "access_token"),
    ("refresh_token", "refresh_token"),
    ("password", "password"),
    ("private_key_pem", "private_key_pem"),
    ("key_pem", "key_pem"),
    ("token", "token"),
];
/// Class of the ids of grants, and the member that holds one.
const GRANT_ID: &str = "grant_id";
/// Headers whose value is a secret.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "set-cookie"];
/// Length of the shortest text that is masked. Masking shorter texts everywhere would make the entries
/// unreadable.
const SECRET_LENGTH_MIN: usize = 8;

/// Secrets that one scenario has seen. The mask needs every entry, in order.
#[derive(Debug, Default)]
pub struct Mask {
    /// Secrets with their placeholders, the longest first: a secret may be a part of another.
    seen: Vec<(String, String)>,
    /// True if the target issues plain tokens, which anyone can make up who knows the id of the grant.
    has_plain_tokens: bool,
    /// Class → number of secrets in it.
    counts: BTreeMap<&'static str, u32>,
}

impl Mask {
    /// Adds a secret before it crosses the wire.
    pub fn learn(&mut self, class: &'static str, secret: &str) {
        let is_known = self.seen.iter().any(|(known, _)| known == secret);
        if secret.len() < SECRET_LENGTH_MIN || is_known || is_placeholder(secret) {
            return;
        }
        secret::learn_seen(class, secret);
        let count = self.counts.entry(class).or_default();
        *count += 1;
        let place = self.seen.partition_point(|(known, _)| known.len() >= secret.len());
        self.seen.insert(place, (secret.to_owned(), format!("<{class}:{count}>")));
        if let Some(token) = (PLAIN_TOKEN.read)(secret) {
            self.has_plain_tokens = true;
            self.learn(GRANT_ID, &token.grant_id);
        }
    }

    /// Adds the secrets in the members of a value.
    pub fn learn_members(&mut self, value: &Value) {
        self.learn_from(value);
    }

    /// Adds the secrets in an entry, and replaces every known secret in it.
    pub fn apply(&mut self, what: &mut What) {
        match what {
            What::Exchange(exchange) => self.exchange(exchange),
            What::Operation(operation) => self.operation(operation),
            What::Note(note) => {
                self.learn_from(&note.facts);
                note.message = self.masked(&note.message);
                self.value(&mut note.facts);
            }
            What::End(Outcome::Aborted(fault)) => fault.reason = self.masked(&fault.reason),
            What::Run(_) | What::Scenario(_) | What::End(_) | What::Seal(_) => {}
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

    /// Returns a text that someone wrote for a person, such as an error. It may quote a secret that no member held.
    fn masked(&self, text: &str) -> String {
        secret::without_named(&self.text(text))
    }

    fn exchange(&mut self, exchange: &mut Exchange) {
        self.learn_subscription(exchange);
        let messages = std::iter::once(&mut exchange.request).chain(exchange.response.as_mut());
        for message in messages {
            self.message(message);
        }
        if let Some(failure) = &mut exchange.failure {
            failure.message = self.masked(&failure.message);
        }
    }

    /// Adds the id of the grant that a subscription issues. Where tokens are plain, it is the token, and no other
    /// member holds that.
    fn learn_subscription(&mut self, exchange: &Exchange) {
        if exchange.route() == Some(Route::Subscriptions)
            && let Some(id) = exchange.data().as_ref().and_then(|data| data[GRANT_ID].as_str())
        {
            self.learn(GRANT_ID, id);
        }
    }

    fn operation(&mut self, operation: &mut Operation) {
        self.learn_from(&operation.parameters);
        self.value(&mut operation.parameters);
        if let Some(result) = &mut operation.result {
            self.learn_from(result);
            self.value(result);
        }
        if let Some(OperationFailure::Refused { message, .. } | OperationFailure::Adapter { message }) =
            &mut operation.failure
        {
            *message = self.masked(message);
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
            Body::Text(text) => *text = self.masked(text),
            Body::Cut { beginning, .. } => *beginning = self.masked(beginning),
        }
    }

    fn learn_from(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let class = SECRET_MEMBERS.iter().find(|(secret, _)| secret == name);
                    match (class, member) {
                        (Some((_, class)), Value::String(secret)) => self.learn(class, secret),
                        (None, Value::String(id)) if name == GRANT_ID && self.has_plain_tokens => {
                            self.learn(GRANT_ID, id);
                        }
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
            Value::String(text) => *text = secret::without_userinfo(&self.text(text)).into_owned(),
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
    fn id_of_a_grant_is_a_secret_where_it_is_the_token() {
        const ID: &str = "01a2075f-bf10-732f-90d5-6f713823df2c";
        let operation =
            |method: &str, parameters: Value, result: Value, failure: Option<OperationFailure>| {
                What::Operation(Operation {
                    method: method.to_owned(),
                    parameters,
                    result: Some(result),
                    failure,
                })
            };
        let mut mask = Mask::default();
        let listed = json!({"grants": [{"id": ID, "bearer_token_preview": format!("fg-{ID}")}]});
        let mut issued = operation("grant.list", json!({}), listed, None);
        mask.apply(&mut issued);
        let text = serde_json::to_string(&issued).expect("an entry is JSON");
        assert!(
            text.contains("<bearer_token:1>") && text.contains("<grant_id:1>") && !text.contains(ID),
            "{text}"
        );

        let message = format!("POST https://a.example/grants/{ID}/revoke: timeout");
        let failure = Some(OperationFailure::Adapter { message });
        let mut revoked =
            operation("grant.revoke", json!({"grant_id": ID}), json!({"grant_id": "another-id"}), failure);
        mask.apply(&mut revoked);
        let text = serde_json::to_string(&revoked).expect("an entry is JSON");
        assert!(!text.contains(ID) && !text.contains("another-id"), "{text}");
        assert_eq!(mask.text(&format!("Bearer fg-{ID}")), "Bearer <bearer_token:1>");
    }

    #[test]
    fn id_of_a_signed_grant_is_none() {
        let mut mask = Mask::default();
        mask.learn("bearer_token", "fgs.01a2075f-bf10-732f.deadbeef");
        assert_eq!(mask.text("01a2075f-bf10-732f"), "01a2075f-bf10-732f");
    }

    #[test]
    fn grant_of_a_subscription_is_masked_and_its_route_is_still_known() {
        const ID: &str = "01a2075f-bf10-732f-90d5-6f713823df2c";
        let mut mask = Mask::default();
        let call = |method: &str, route: &Route, answer: Value| {
            let What::Exchange(mut exchange) = exchange(vec![], json!({}), answer) else { unreachable!() };
            exchange.request.method = Some(method.to_owned());
            exchange.request.path = Some(route.path());
            What::Exchange(exchange)
        };
        let mut subscribed = call("POST", &Route::Subscriptions, json!({"data": {"grant_id": ID}}));
        mask.apply(&mut subscribed);
        let mut ended = call("DELETE", &Route::Subscription { id: ID.to_owned() }, json!({}));
        mask.apply(&mut ended);
        let What::Exchange(ended) = ended else { unreachable!() };
        assert_eq!(ended.route(), Some(Route::Subscription { id: "<grant_id:1>".to_owned() }));
        assert!(!serde_json::to_string(&subscribed).expect("an entry is JSON").contains(ID));
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
