//! The error of an operator method. What the platform calls for its operator fails with it too.

use super::store::StoreError;
use covenant_model::operator::{
    INTERNAL, INVALID_PARAMS, METHOD_NOT_FOUND, Method, NOT_FOUND, NOT_RUNNING, WRONG_STATE,
};

/// The error of a method, in JSON-RPC form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code})")]
pub struct MethodError {
    /// A code of [`covenant_model::operator::ERROR_CODES`].
    pub code: i64,
    /// Description for a person.
    pub message: String,
}

impl MethodError {
    /// Creates an error with a code and a text.
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// Creates the error for a method that the platform does not have.
    pub(crate) fn unsupported(method: Method) -> Self {
        Self::new(METHOD_NOT_FOUND, format!("no method {method}"))
    }

    /// Creates the error for invalid parameters.
    pub(crate) fn parameters(message: impl Into<String>) -> Self {
        Self::new(INVALID_PARAMS, message)
    }

    /// Creates the error for an unknown peer, grant or record.
    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new(NOT_FOUND, format!("no {what} {id}"))
    }

    /// Creates the error for a call in the wrong state.
    pub(crate) fn state(message: impl Into<String>) -> Self {
        Self::new(WRONG_STATE, message)
    }
}

impl From<StoreError> for MethodError {
    fn from(error: StoreError) -> Self {
        let code = if matches!(error, StoreError::Closed) { NOT_RUNNING } else { INTERNAL };
        Self::new(code, covenant_model::with_causes(&error))
    }
}
