//! The verbs that call a peer.

use std::sync::Arc;

use serde_json::Value;

use super::OperatorError;
use crate::reference::platform::Platform;

/// Does a verb that calls a peer.
pub(super) async fn perform(
    platform: &Arc<Platform>,
    verb: &str,
    parameters: Value,
) -> Result<Value, OperatorError> {
    let _ = (platform, parameters);
    Err(OperatorError::unknown_verb(verb))
}
