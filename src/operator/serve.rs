//! The adapter side of the protocol: serves an operator client of this process over a pair of pipes.

use covenant_model::operator::{INTERNAL, INVALID_PARAMS, METHOD_NOT_FOUND, NO_REQUEST};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::{Method, OperatorClient, OperatorError, rpc};

/// The longest request that is read, in bytes.
const REQUEST_BYTES_MAX: usize = 4 << 20;

/// Answers requests, one per line, until `requests` ends.
pub async fn serve(
    operator: &dyn OperatorClient,
    requests: impl AsyncRead + Unpin,
    mut responses: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    let mut requests = BufReader::new(requests);
    loop {
        let mut line = Vec::new();
        let limit = REQUEST_BYTES_MAX as u64 + 1;
        let count = (&mut requests).take(limit).read_until(b'\n', &mut line).await?;
        if count == 0 {
            return Ok(());
        }
        if count > REQUEST_BYTES_MAX {
            return Err(std::io::Error::other("a request is longer than 4 MiB"));
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let response = answer(operator, &line).await + "\n";
        responses.write_all(response.as_bytes()).await?;
        responses.flush().await?;
    }
}

async fn answer(operator: &dyn OperatorClient, line: &[u8]) -> String {
    let request: Value = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => return rpc::failure(&Value::Null, NO_REQUEST, &error.to_string()),
    };
    let id = &request["id"];
    let Some(name) = request["method"].as_str() else {
        return rpc::failure(id, NO_REQUEST, "method: a text is needed");
    };
    let Some(method) = Method::parse(name) else {
        return rpc::failure(id, METHOD_NOT_FOUND, &format!("{name} is not supported"));
    };
    let parameters = match &request["params"] {
        Value::Null => json!({}),
        object @ Value::Object(_) => object.clone(),
        other => {
            return rpc::failure(id, INVALID_PARAMS, &format!("params: an object is needed, found {other}"));
        }
    };
    match operator.call(method, parameters).await {
        Ok(result) => rpc::success(id, &result),
        Err(OperatorError::Unsupported { method }) => {
            rpc::failure(id, METHOD_NOT_FOUND, &format!("{method} is not supported"))
        }
        Err(OperatorError::Refused { code, message, .. }) => rpc::failure(id, code, &message),
        Err(OperatorError::Fault(fault)) => rpc::failure(id, INTERNAL, &fault.reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::OperatorMethod;
    use crate::operator::peer::List;

    struct Echo;

    #[async_trait::async_trait]
    impl OperatorClient for Echo {
        async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
            if method == List::METHOD { Ok(parameters) } else { Err(OperatorError::unsupported(method)) }
        }
    }

    #[tokio::test]
    async fn each_line_gets_a_response_and_an_invalid_one_an_error() {
        let asked = concat!(
            r#"{"jsonrpc":"2.0","id":1,"method":"peer.list","params":{"a":1}}"#,
            "\n\n",
            r#"{"jsonrpc":"2.0","id":2,"method":"dance"}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":3,"method":"peer.list","params":[1]}"#,
            "\n",
            r#"{"jsonrpc":"2.0","id":4,"method":"peer.show"}"#,
            "\nrubbish\n"
        );
        let mut answers = Vec::new();
        serve(&Echo, asked.as_bytes(), &mut answers).await.expect("it is served");
        let text = String::from_utf8(answers).expect("text");
        let answers: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(answers[0]["result"], json!({"a": 1}));
        assert_eq!(answers[1]["error"]["code"], METHOD_NOT_FOUND);
        assert_eq!(answers[2]["error"]["code"], INVALID_PARAMS);
        assert_eq!(answers[3]["error"]["code"], METHOD_NOT_FOUND);
        assert_eq!(answers[4]["error"]["code"], NO_REQUEST);
        assert_eq!(answers.len(), 5);
    }
}
