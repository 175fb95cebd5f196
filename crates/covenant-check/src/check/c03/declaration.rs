//! The target's declaration of its capabilities.

use covenant_model::transcript::Exchange;
use covenant_model::wire::capability::CapabilityDocument;

/// Returns the capability document in the target's response to an accept or a heartbeat.
pub(super) fn declared_in(exchange: &Exchange) -> Option<CapabilityDocument> {
    CapabilityDocument::read(exchange.data()?.get("capabilities")?)
}
