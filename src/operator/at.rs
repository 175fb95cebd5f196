//! A running platform, at an address that the user names.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::{Host, Url};

use super::platform::{Reset, Start};
use super::{Kinds, Lease, Method, OperatorClient, OperatorError, OperatorMethod, TargetRequest, Targets};
use crate::wire::generation::CallerForm;

/// The address of a platform, and the way in which a caller identifies itself there.
#[derive(Clone, Debug)]
pub struct Address {
    /// The URL without the federation prefix. A path before the prefix is kept.
    pub base_url: Url,
    /// The authorities to trust there; without them, the first certificate seen is pinned.
    pub ca_bundle_pem: Option<String>,
    /// The way in which a caller identifies itself.
    pub caller: CallerForm,
}

/// Returns true if a URL names this machine.
#[must_use]
pub fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Returns true if a call of the URL would go to another machine in plain HTTP, where anyone between can read the
/// tokens in it.
#[must_use]
pub fn is_plain_elsewhere(url: &Url) -> bool {
    url.scheme() == "http" && !is_here(url)
}

/// A platform at an address. The scenarios use this one platform in turn, and it is reset between them if its
/// operator client can. Only its operator client can start, stop or kill it.
#[derive(Debug)]
pub struct At {
    address: Address,
    operator: Arc<dyn Targets>,
    turn: Arc<Mutex<()>>,
}

impl At {
    /// Builds the target at `address`, with the operator client from `operator`.
    #[must_use]
    pub fn new(address: Address, operator: Arc<dyn Targets>) -> Self {
        Self { address, operator, turn: Arc::default() }
    }
}

#[async_trait]
impl Targets for At {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let turn = self.turn.clone().lock_owned().await;
        let Lease { operator, clock, clock_sync, guard, .. } = self.operator.lease(request).await?;
        let is_fresh = match operator.call(Reset::METHOD, json!({})).await {
            Ok(_) => true,
            Err(OperatorError::Unsupported { .. }) => false,
            Err(other) => return Err(other),
        };
        Ok(Lease {
            operator: Arc::new(OperatorAt { address: self.address.clone(), operator }),
            clock,
            clock_sync,
            caller: self.address.caller,
            is_fresh,
            guard: Some(Box::new((turn, guard))),
        })
    }

    async fn close(&self) {
        self.operator.close().await;
    }
}

struct OperatorAt {
    address: Address,
    operator: Arc<dyn OperatorClient>,
}

#[async_trait]
impl OperatorClient for OperatorAt {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        let at_address = json!({
            "base_url": self.address.base_url.as_str(), "ca_bundle_pem": self.address.ca_bundle_pem,
        });
        if method != Start::METHOD {
            return self.operator.call(method, parameters).await;
        }
        match self.operator.call(method, parameters.clone()).await {
            Ok(_) => Ok(at_address),
            // The platform runs already. Without settings, a missing `platform.start` is no error.
            Err(OperatorError::Unsupported { .. }) if asks_for_nothing(&parameters) => Ok(at_address),
            Err(other) => Err(other),
        }
    }

    async fn call_nonexistent(&self) -> Result<Value, OperatorError> {
        self.operator.call_nonexistent().await
    }

    fn settles_at_once(&self) -> bool {
        self.operator.settles_at_once()
    }

    fn kinds(&self) -> Option<&Kinds> {
        self.operator.kinds()
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
    fn plain_http_stays_on_this_machine() {
        for (url, elsewhere) in [
            ("http://127.0.0.1:3000", false),
            ("http://[::1]/base", false),
            ("http://localhost", false),
            ("https://platform.example", false),
            ("http://platform.example", true),
            ("http://10.0.0.1", true),
        ] {
            assert_eq!(is_plain_elsewhere(&url.parse().expect("a URL")), elsewhere, "{url}");
        }
    }

    #[test]
    fn only_a_start_without_settings_needs_no_operator() {
        assert!(asks_for_nothing(&json!({})));
        assert!(asks_for_nothing(&json!({"settings": {}})));
        assert!(!asks_for_nothing(&json!({"settings": {"residency": "EU"}})));
        assert!(!asks_for_nothing(&json!({"release": "2.0.0"})));
    }
}
