//! Adapters that play more than one scenario: between two, `platform.reset` makes the platform fresh.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::peer::List;
use super::platform::{Kill, Reset, Start, Stop};
use super::stdio::Adapter;
use super::{Kinds, Method, OperatorClient, OperatorError, OperatorMethod};

/// The adapters that wait for their next scenario.
#[derive(Clone, Default)]
pub(super) struct Idle(Arc<Mutex<Vec<Adapter>>>);

impl Idle {
    /// Returns an adapter whose platform is fresh again; `None` if none waits. An adapter whose reset fails is
    /// stopped.
    pub(super) async fn take(&self) -> Option<Adapter> {
        loop {
            let adapter = self.lock().pop()?;
            if is_fresh_again(&adapter).await {
                return Some(adapter);
            }
        }
    }

    /// Stops every adapter that waits.
    pub(super) fn clear(&self) {
        let waiting = std::mem::take(&mut *self.lock());
        drop(waiting);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Adapter>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Resets the platform, and looks whether a peer of the last scenario is still there.
async fn is_fresh_again(adapter: &Adapter) -> bool {
    if adapter.call(Reset::METHOD, json!({})).await.is_err() {
        return false;
    }
    match adapter.call(List::METHOD, json!({})).await {
        Ok(peers) => peers.get("peers").unwrap_or(&peers).as_array().is_some_and(Vec::is_empty),
        Err(error) => matches!(error, OperatorError::Unsupported { .. }),
    }
}

/// An adapter that one scenario holds. Afterwards it waits for the next, if its platform can be reset and the
/// scenario left it in the state of a plain start.
pub(super) struct Leased {
    adapter: Option<Adapter>,
    idle: Idle,
    /// `true` if the scenario stopped or killed the platform, or started it with settings of its own.
    is_changed: Mutex<bool>,
}

impl Leased {
    pub(super) fn new(adapter: Adapter, idle: Idle) -> Self {
        Self { adapter: Some(adapter), idle, is_changed: Mutex::new(false) }
    }

    fn adapter(&self) -> Result<&Adapter, OperatorError> {
        self.adapter.as_ref().ok_or_else(|| OperatorError::adapter("describe", "the lease has ended"))
    }
}

#[async_trait]
impl OperatorClient for Leased {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        if changes_platform(method, &parameters) {
            *self.is_changed.lock().unwrap_or_else(PoisonError::into_inner) = true;
        }
        self.adapter()?.call(method, parameters).await
    }

    async fn call_nonexistent(&self) -> Result<Value, OperatorError> {
        self.adapter()?.call_nonexistent().await
    }

    fn settles_at_once(&self) -> bool {
        self.adapter.as_ref().is_some_and(OperatorClient::settles_at_once)
    }

    fn kinds(&self) -> Option<&Kinds> {
        self.adapter.as_ref()?.kinds()
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        let Some(mut adapter) = self.adapter.take() else { return };
        let is_changed = *self.is_changed.get_mut().unwrap_or_else(PoisonError::into_inner);
        if !is_changed && adapter.description().resets_completely && adapter.is_idle() {
            self.idle.lock().push(adapter);
        }
    }
}

/// Returns whether a call leaves more behind than a reset is sure to undo.
fn changes_platform(method: Method, parameters: &Value) -> bool {
    let has_settings =
        || parameters["settings"].as_object().is_some_and(|settings: &Map<_, _>| !settings.is_empty());
    match method {
        method if method == Start::METHOD => has_settings() || !parameters["release"].is_null(),
        method => [Stop::METHOD, Kill::METHOD].contains(&method),
    }
}
