//! A target whose callers identify themselves in a way that the user names.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Lease, OperatorError, TargetRequest, Targets};
use crate::wire::generation::CallerForm;

/// The targets of an operator client, with another form of a caller's identity than the one it describes.
#[derive(Debug)]
pub struct Identified {
    caller: CallerForm,
    operator: Arc<dyn Targets>,
}

impl Identified {
    /// Builds the targets of `operator`, to which callers identify themselves by `caller`.
    #[must_use]
    pub fn new(caller: CallerForm, operator: Arc<dyn Targets>) -> Self {
        Self { caller, operator }
    }
}

#[async_trait]
impl Targets for Identified {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        Ok(Lease { caller: self.caller, ..self.operator.lease(request).await? })
    }

    async fn close(&self) {
        self.operator.close().await;
    }
}
