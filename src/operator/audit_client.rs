//! The operator client of an authenticated audit: it has only an acceptance token from the target's operator.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::peer::PeerMethod;
use super::platform::PlatformMethod;
use super::{Address, Lease, Method, OperatorClient, OperatorError, TargetRequest, Targets};

/// A platform that the suite audits as a peer, without an operator.
#[derive(Debug)]
pub struct AuditClient {
    address: Address,
    /// The acceptance token, valid for one handshake.
    token: Arc<Mutex<Option<Token>>>,
}

/// An acceptance token. Its `Debug` output hides it.
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl AuditClient {
    /// Builds the client of the platform at `address`, with the token that its operator issued.
    #[must_use]
    pub fn new(address: Address, token: String) -> Self {
        Self { address, token: Arc::new(Mutex::new(Some(Token(token)))) }
    }
}

#[async_trait]
impl Targets for AuditClient {
    async fn lease(&self, _: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let operator = Self { address: self.address.clone(), token: self.token.clone() };
        Ok(Lease::of_running(operator, self.address.caller, None))
    }
}

#[async_trait]
impl OperatorClient for AuditClient {
    async fn call(&self, method: Method, _: Value) -> Result<Value, OperatorError> {
        let unsupported = || OperatorError::unsupported(method);
        match method {
            Method::Platform(PlatformMethod::Start) => Ok(json!({
                "base_url": self.address.base_url.as_str(), "ca_bundle_pem": self.address.ca_bundle_pem,
            })),
            Method::Peer(PeerMethod::Propose) => {
                let token = self.token.lock().unwrap_or_else(PoisonError::into_inner).take();
                token.map(|token| json!({"acceptance_token": token.0})).ok_or_else(unsupported)
            }
            _ => Err(unsupported()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::OperatorMethod;
    use crate::operator::peer::{Propose, Revoke};
    use crate::operator::platform::Reset;
    use crate::wire::generation::CallerForm;

    #[tokio::test]
    async fn only_one_proposal_is_answered_with_the_token() {
        let base_url = "https://platform.example".parse().expect("a URL");
        let address = Address { base_url, ca_bundle_pem: None, caller: CallerForm::Tls };
        let client = AuditClient::new(address, "secret".to_owned());
        assert!(!format!("{client:?}").contains("secret"));
        let first = client.call(Propose::METHOD, json!({})).await;
        assert_eq!(first, Ok(json!({"acceptance_token": "secret"})));
        for method in [Propose::METHOD, Revoke::METHOD, Reset::METHOD] {
            assert!(client.call(method, json!({})).await.is_err(), "{method}");
        }
        assert!(client.call_nonexistent().await.is_err());
    }
}
