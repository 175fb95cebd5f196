//! The outcome of a call: recorded as an exchange, and described for a person.

use serde_json::Value;

use super::Peer;
use super::call::{CallOutcome, StepContext};
use covenant_model::transcript::{Body, Exchange, Message, What};
use covenant_model::wire::envelope::Answer;
use covenant_net::net::{NetError, Request, Response};

impl Peer {
    /// Records a call, and returns its outcome.
    pub(super) fn record(
        &self,
        context: &StepContext,
        request: Request,
        outcome: Result<Response, NetError>,
        injected: Vec<String>,
    ) -> CallOutcome {
        let exchange = Exchange { injected, ..request.exchange(self.name(), outcome) };
        let mut result = CallOutcome::default();
        if let Some(response) = &exchange.response {
            result.encoding = encoding(&response.headers);
            result.in_words = in_words(response, result.encoding.as_deref());
            result.status = response.status;
            result.body = response.body.json().cloned().unwrap_or(Value::Null);
            result.data = Answer::read(&result.body).and_then(Answer::data);
        }
        if let Some(failure) = &exchange.failure {
            result.failure = Some(failure.kind);
            result.in_words.clone_from(&failure.message);
        }
        let recorder = &self.0.options.recorder;
        result.n = recorder.record(context.step, context.label.as_deref(), What::Exchange(exchange));
        result
    }
}

/// Returns the encoding of a body that the peer does not decode: it asks for none.
fn encoding(headers: &[(String, String)]) -> Option<String> {
    let named = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    named.map(|(_, value)| value.trim().to_owned()).filter(|value| !value.eq_ignore_ascii_case("identity"))
}

/// Describes a response for a person.
fn in_words(response: &Message, encoding: Option<&str>) -> String {
    let status = response.status.unwrap_or_default();
    if let Some(encoding) = encoding {
        return format!(
            "{status}, with a body in the encoding {encoding:?}, which was not asked for and is not read"
        );
    }
    match &response.body {
        Body::Empty => format!("{status}, with an empty body"),
        Body::Json(value) => format!("{status} {}", shortened(&value.to_string())),
        Body::Text(text) => format!("{status}, with a body that is no JSON: {:?}", shortened(text)),
        Body::Cut { length, beginning, .. } => {
            format!("{status}, with a body of {length} bytes that is not read: {:?}", shortened(beginning))
        }
    }
}

/// Returns the part of a body that an error quotes.
fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 300;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(status: u16, encoding: Option<&str>, body: &[u8]) -> String {
        let headers =
            encoding.map(|value| ("Content-Encoding".to_owned(), value.to_owned())).into_iter().collect();
        let body = Body::capture(body);
        let response = Message { status: Some(status), headers, body, ..Message::default() };
        in_words(&response, super::encoding(&response.headers).as_deref())
    }

    #[test]
    fn a_response_without_json_is_described() {
        assert_eq!(words(200, None, b""), "200, with an empty body");
        assert_eq!(words(404, None, b"{\"a\":1}"), "404 {\"a\":1}");
        assert_eq!(words(404, Some("identity"), b"{\"a\":1}"), "404 {\"a\":1}");
        assert_eq!(words(502, None, b"<html>"), "502, with a body that is no JSON: \"<html>\"");
        assert!(words(200, Some("gzip"), &[0x1f, 0x8b]).contains("encoding \"gzip\""));
        assert!(words(200, None, &[0x1f, 0x8b]).contains("2 bytes that is not read"));
        assert!(words(500, None, "x".repeat(5000).as_bytes()).len() < 400);
    }
}
