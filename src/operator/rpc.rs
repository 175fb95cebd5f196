//! JSON-RPC 2.0 as the binding uses it: a request and its response, one JSON object each.

use covenant_model::operator::METHOD_NOT_FOUND;
use serde_json::{Value, json};

use super::OperatorError;
use crate::secret;
use crate::wire::weight;

/// The longest response that is read, in bytes.
pub(super) const RESPONSE_BYTES_MAX: usize = 4 << 20;
/// Formats a request as one line, without the line end.
#[must_use]
pub fn request(id: u64, method: &str, parameters: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": parameters}).to_string()
}

/// Formats a successful response as one line.
#[must_use]
pub fn success(id: &Value, result: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()
}

/// Formats an error response as one line.
#[must_use]
pub fn failure(id: &Value, code: i64, message: &str) -> String {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}).to_string()
}

/// A response to one request.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The id of the answered request, or `None` if the suite did not send it.
    pub id: Option<u64>,
    /// The result, or the error.
    pub outcome: Result<Value, RpcError>,
}

/// The error of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RpcError {
    /// The number of the error.
    pub code: i64,
    /// The text for a person.
    pub message: String,
}

impl Response {
    /// Parses a response. An error states what was found and what was expected.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let value: Value = weight::parse(text).map_err(|error| format!("{error}: {}", beginning(text)))?;
        let Some(members) = value.as_object() else {
            return Err(format!("a JSON object was expected: {}", beginning(text)));
        };
        let outcome = match (members.get("result"), members.get("error")) {
            (Some(result), None | Some(Value::Null)) => Ok(result.clone()),
            (None | Some(Value::Null), Some(error)) => {
                let Some(code) = error["code"].as_i64() else {
                    return Err(format!("error.code: an integer was expected: {}", beginning(text)));
                };
                let message = error["message"].as_str().unwrap_or_default().to_owned();
                Err(RpcError { code, message })
            }
            _ => return Err(format!("either result or error was expected: {}", beginning(text))),
        };
        Ok(Self { id: value["id"].as_u64(), outcome })
    }

    /// Returns the result of a method.
    pub(super) fn of(self, method: &str) -> Result<Value, OperatorError> {
        self.outcome.map_err(|RpcError { code, message }| match code {
            METHOD_NOT_FOUND => OperatorError::unsupported(method),
            code => OperatorError::refused(method, code, message),
        })
    }
}

/// Returns the part of a text that an error shows.
pub(super) fn beginning(text: &[u8]) -> String {
    const CHARACTERS_MAX: usize = 120;
    // A secret that is cut in two would not be found later.
    let text = secret::without_any(&String::from_utf8_lossy(text));
    let mut shown: String = text.chars().take(CHARACTERS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_a_result_or_an_error() {
        let kept = Response::read(br#"{"jsonrpc":"2.0","id":7,"result":{"a":1}}"#).expect("a response");
        assert_eq!(kept, Response { id: Some(7), outcome: Ok(json!({"a": 1})) });
        let text = failure(&json!(8), METHOD_NOT_FOUND, "no");
        let refused = Response::read(text.as_bytes()).expect("a response");
        assert_eq!(refused.id, Some(8));
        assert_eq!(refused.of("peer.show"), Err(OperatorError::unsupported("peer.show")));
    }

    #[test]
    fn an_invalid_response_is_an_error_that_quotes_it() {
        for (text, wanted) in [
            ("", "not JSON"),
            ("hello", "not JSON"),
            ("[]", "a JSON object was expected"),
            (r#"{"id":1}"#, "either result or error"),
            (r#"{"id":1,"result":1,"error":{"code":1}}"#, "either result or error"),
            (r#"{"id":1,"error":{"code":"x"}}"#, "error.code"),
        ] {
            let error = Response::read(text.as_bytes()).expect_err(text);
            assert!(error.contains(wanted), "{text}: {error}");
        }
        for (beyond, limit) in
            [("[".repeat(100_000), "nested more than 127 deep"), ("[{},".repeat(100_000), "64 MiB of memory")]
        {
            let error = Response::read(beyond.as_bytes()).expect_err(limit);
            assert!(error.contains(limit) && !error.contains("not JSON") && error.len() < 400, "{error}");
        }
    }
}
