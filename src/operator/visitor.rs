//! The hands of a visitor: none on the target but an acceptance token that its operator gave away.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Address, Hands, HandsError, Lease, Targets, Tie, Verb, Wish};
use crate::clock::Clock;

/// A platform that the suite visits as a peer, and has no other hands on.
#[derive(Debug)]
pub struct Visitor {
    address: Address,
    /// Good for one handshake.
    token: Arc<Mutex<Option<Token>>>,
}

/// An acceptance token; it is not shown.
struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

impl Visitor {
    /// A visitor of the platform at `address`, with the token that its operator gave away.
    #[must_use]
    pub fn new(address: Address, token: String) -> Self {
        Self { address, token: Arc::new(Mutex::new(Some(Token(token)))) }
    }
}

#[async_trait]
impl Targets for Visitor {
    async fn lease(&self, _: Wish<'_>) -> Result<Lease, HandsError> {
        let hands = Self { address: self.address.clone(), token: self.token.clone() };
        Ok(Lease {
            hands: Arc::new(hands),
            clock: Clock::system(),
            tie: Tie::Apart,
            caller: self.address.caller,
            is_fresh: false,
            guard: None,
        })
    }
}

#[async_trait]
impl Hands for Visitor {
    async fn perform(&self, verb: &str, _: Value) -> Result<Value, HandsError> {
        let unsupported = || HandsError::Unsupported { verb: verb.to_owned() };
        match Verb::parse(verb) {
            Some(Verb::PlatformStart) => Ok(json!({
                "base_url": self.address.base_url.as_str(), "ca_bundle_pem": self.address.ca_bundle_pem,
            })),
            Some(Verb::PeerPropose) => {
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
    use crate::wire::header::CallerForm;

    #[tokio::test]
    async fn a_token_is_given_once_and_nothing_else_is_done() {
        let base_url = "https://platform.example".parse().expect("a URL");
        let address = Address { base_url, ca_bundle_pem: None, caller: CallerForm::Tls };
        let visitor = Visitor::new(address, "secret".to_owned());
        assert!(!format!("{visitor:?}").contains("secret"));
        let first = visitor.perform("peer.propose", json!({})).await;
        assert_eq!(first, Ok(json!({"acceptance_token": "secret"})));
        for verb in ["peer.propose", "peer.revoke", "platform.reset", "covenant.square_the_circle"] {
            assert!(visitor.perform(verb, json!({})).await.is_err(), "{verb}");
        }
    }
}
