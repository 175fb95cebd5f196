//! The target's declaration of its capabilities.

use crate::check::query::{CallQuery, calls};
use covenant_model::transcript::{Exchange, Trace};
use covenant_model::wire::capability::CapabilityDocument;

/// Returns the capability document in the target's response to an accept or a heartbeat, or in one of its own. An empty value
/// is an empty document: what was declared before is withdrawn.
pub(super) fn declared_in(exchange: &Exchange) -> Option<CapabilityDocument> {
    let capabilities = exchange.capabilities_of_target()?;
    if capabilities.as_array().is_some_and(Vec::is_empty) {
        return Some(CapabilityDocument::default());
    }
    CapabilityDocument::read(&capabilities)
}

/// Returns the capability document that the target last declared to a peer, in an answer or in a call of its own.
pub(super) fn last_declared(trace: &Trace, peer: &str) -> Option<CapabilityDocument> {
    calls(trace).of(peer).rev().find_map(|call| declared_in(call.exchange))
}

/// Returns the entry and the capability document of the last of the target's own calls to a peer that holds one.
pub(super) fn last_of_own_accord(trace: &Trace, peer: &str) -> Option<(u64, CapabilityDocument)> {
    let own = calls(trace).of(peer).made_by_target();
    own.rev().find_map(|call| Some((call.n(), declared_in(call.exchange)?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::trace_builder::TraceBuilder;
    use serde_json::{Value, json};

    #[test]
    fn an_empty_value_withdraws_what_was_declared() {
        let rows = json!({"resource_kinds": [{"kind": "skill", "schema_version": 2}]});
        let kinds = |then: Value| {
            let mut builder = TraceBuilder::new();
            for capabilities in [rows.clone(), then] {
                let answer = json!({"data": {"capabilities": capabilities}});
                builder = builder
                    .call("", Exchange::to_target("alice").sending(json!({})).answered_with(200, answer));
            }
            last_declared(&builder.trace(), "alice").map(|document| document.resource_kinds.len())
        };
        for empty in [json!({}), json!([]), json!({"resource_kinds": []})] {
            assert_eq!(kinds(empty.clone()), Some(0), "{empty}");
        }
        for nothing in [json!(null), json!("none"), json!(7)] {
            assert_eq!(kinds(nothing.clone()), Some(1), "{nothing} is no document");
        }
    }
}
