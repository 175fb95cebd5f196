//! A platform that runs already, at an address that the user names.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::{Hands, HandsError, Lease, Targets, Verb, Wish};
use crate::wire::header::CallerForm;

/// Where a platform is, and how a caller makes itself known there.
#[derive(Clone, Debug)]
pub struct Address {
    /// Without the federation prefix; a path before that stays.
    pub base_url: Url,
    /// Whom to trust there; without it, the first certificate seen is pinned.
    pub ca_bundle_pem: Option<String>,
    /// How a caller makes itself known.
    pub caller: CallerForm,
}

/// A platform at an address. There is one, which the scenarios have one after another, made anew between
/// them where its hands can do that; nothing starts, stops or kills it, unless they can.
#[derive(Debug)]
pub struct At {
    address: Address,
    hands: Arc<dyn Targets>,
    turn: Arc<Mutex<()>>,
}

impl At {
    /// The platform at `address`, with hands from `hands`.
    #[must_use]
    pub fn new(address: Address, hands: Arc<dyn Targets>) -> Self {
        Self { address, hands, turn: Arc::default() }
    }
}

#[async_trait]
impl Targets for At {
    async fn lease(&self, wish: Wish<'_>) -> Result<Lease, HandsError> {
        let turn = self.turn.clone().lock_owned().await;
        let Lease { hands, clock, tie, guard, .. } = self.hands.lease(wish).await?;
        let is_fresh = match hands.perform(Verb::PlatformReset.as_str(), json!({})).await {
            Ok(_) => true,
            Err(HandsError::Unsupported { .. }) => false,
            Err(other) => return Err(other),
        };
        Ok(Lease {
            hands: Arc::new(HandsAt { address: self.address.clone(), hands }),
            clock,
            tie,
            caller: self.address.caller,
            is_fresh,
            guard: Some(Box::new((turn, guard))),
        })
    }

    async fn close(&self) {
        self.hands.close().await;
    }
}

struct HandsAt {
    address: Address,
    hands: Arc<dyn Hands>,
}

#[async_trait]
impl Hands for HandsAt {
    async fn perform(&self, verb: &str, parameters: Value) -> Result<Value, HandsError> {
        let at_address = json!({
            "base_url": self.address.base_url.as_str(), "ca_bundle_pem": self.address.ca_bundle_pem,
        });
        if Verb::parse(verb) != Some(Verb::PlatformStart) {
            return self.hands.perform(verb, parameters).await;
        }
        match self.hands.perform(verb, parameters.clone()).await {
            Ok(_) => Ok(at_address),
            // It runs already. What it is to be started with is another matter.
            Err(HandsError::Unsupported { .. }) if asks_for_nothing(&parameters) => Ok(at_address),
            Err(other) => Err(other),
        }
    }

    fn settles_at_once(&self) -> bool {
        self.hands.settles_at_once()
    }
}

fn asks_for_nothing(parameters: &Value) -> bool {
    let is_empty =
        |value: &Value| value.is_null() || value.as_object().is_some_and(serde_json::Map::is_empty);
    is_empty(&parameters["settings"]) && parameters["release"].is_null()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_start_needs_no_hands() {
        assert!(asks_for_nothing(&json!({})));
        assert!(asks_for_nothing(&json!({"settings": {}})));
        assert!(!asks_for_nothing(&json!({"settings": {"residency": "EU"}})));
        assert!(!asks_for_nothing(&json!({"release": "2.0.0"})));
    }
}
