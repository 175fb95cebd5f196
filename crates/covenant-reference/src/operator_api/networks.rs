//! `network.probe`: the way from the platform's host to a peer.

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;

use super::{Answer, MethodError, parameters};
use crate::outbound;
use crate::platform::Platform;
use covenant_model::operator::network::{NetworkMethod, Probe};

/// Calls a method of the group.
pub(super) async fn call(platform: &Arc<Platform>, method: NetworkMethod, given: Value) -> Answer {
    match method {
        NetworkMethod::Probe => probe(platform, &parameters(given)?).await,
    }
}

/// `network.probe`
async fn probe(platform: &Arc<Platform>, given: &Probe) -> Answer {
    let url = Url::parse(&given.url).map_err(|error| MethodError::parameters(format!("url: {error}")))?;
    let (reached, detail) = match outbound::reach(platform, &url).await {
        Ok(status) => (true, format!("answered {status}")),
        Err(reason) => (false, reason),
    };
    Ok(json!({"reached": reached, "detail": detail}))
}
