//! `compatible-peers-are-called`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::handshake::Handshake;
use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls};
use covenant_model::operator::{
    OperatorMethod, PEER_ANSWERED_WRONG, is_refusal_of_the_state, migration, resource,
};
use covenant_model::transcript::{Operation, OperationFailure, Trace};
use covenant_model::wire::path::Route;

/// The target makes the calls to a peer of a compatible version that it makes to a peer of its own: a migration, a
/// read. Only a refusal of the operator's order counts, and only if the same order arrived at the other peer and another
/// call of the target, such as a heartbeat, arrived at this one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct CompatiblePeersAreCalled {
    /// The peer.
    pub peer: PeerName,
    /// Its accept.
    pub accept: Label,
    /// The operator's orders that concern it.
    pub order: Labels,
    /// The peer of the target's own release.
    pub control_peer: PeerName,
    /// The same orders that concern that peer, before the others and after them. Each has to succeed.
    pub control: Labels,
}

impl Check for CompatiblePeersAreCalled {
    const ID: &'static str = "compatible-peers-are-called";
    const EXPECTED: &'static [&'static str] = &["a call to the peer for each order of the operator"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let handshake = Handshake::of_call(trace, &self.accept, None)?;
        if !handshake.is_compatible {
            return Err(handshake.unproven("are not compatible"));
        }
        if let Some(refusal) = &handshake.refusal {
            return Err(handshake.unproven(refusal));
        }
        let mut evidence = vec![handshake.n];
        // A peer that no call reaches shows nothing about its version.
        let reached = calls(trace).of(&self.peer).made_by_target().next();
        evidence.push(reached.or_unproven_at("no call of the target reached the peer", &evidence)?.n());
        let mut made = vec![];
        for label in self.control.iter() {
            let (n, order) = trace.operation(label).or_unproven("an order was not given")?;
            evidence.push(n);
            let route = route_of(trace, label).or_unproven("an order makes no call that is known")?;
            let arrived = arrived_at(trace, &self.control_peer, route, order);
            if order.failure.is_some() || arrived.is_none() {
                let actual = format!("{label:?} did not arrive at a peer of the target's release either");
                return Err(Stop::unproven(actual, evidence));
            }
            made.push(route);
        }
        let mut open = None;
        for label in self.order.iter() {
            let (n, order) = trace.operation(label).or_unproven("an order was not given")?;
            evidence.push(n);
            let route = route_of(trace, label).filter(|route| made.contains(route));
            let route = route.or_unproven("the order was not given about the other peer")?;
            match (arrived_at(trace, &self.peer, route, order), &order.failure) {
                (Some(call), _) => evidence.push(call),
                // A connection that failed may be reported as a peer that answered wrongly.
                (None, Some(OperationFailure::Refused { code, message }))
                    if is_refusal_of_the_state(*code) && *code != PEER_ANSWERED_WRONG =>
                {
                    let actual = format!(
                        "{}: {label:?} was refused ({code}: {message}), and no call was made",
                        handshake.versions
                    );
                    return Err(Stop::broken(actual, evidence));
                }
                // The target may not have the method, or may make the call later.
                (None, _) => {
                    open.get_or_insert_with(|| format!("no call was made for {label:?} yet"));
                }
            }
        }
        match open {
            Some(reason) => Err(Stop::unproven(format!("{}: {reason}", handshake.versions), evidence)),
            None => Ok(Pass::new(format!("{}: the peer was called", handshake.versions), evidence)),
        }
    }
}

/// The route of the call that an order makes.
#[derive(Clone, Copy, PartialEq)]
enum Made {
    Migration,
    Read,
}

fn route_of(trace: &Trace, label: &str) -> Option<Made> {
    let (_, order) = trace.operation(label)?;
    let known = [(migration::SendMigration::METHOD, Made::Migration), (resource::Fetch::METHOD, Made::Read)];
    known.into_iter().find(|(method, _)| order.is(*method)).map(|(_, made)| made)
}

/// Returns the entry of the first call of this order that arrived at the peer. A target also reads what it migrated, and
/// probes: a read counts only if it names the ordered record.
fn arrived_at(trace: &Trace, peer: &str, made: Made, order: &Operation) -> Option<u64> {
    let is_made = |route: Option<Route>| match (made, route) {
        (Made::Migration, Some(Route::Migrations)) => true,
        (Made::Read, Some(Route::Resource { id, .. })) => order.parameters["id"] == id,
        _ => false,
    };
    calls(trace).of(peer).made_by_target().find(|call| is_made(call.route())).map(|call| call.n())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::c10::fixture::VersionSteps;
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    const SEND: &str = "migration.send";

    fn arrives(builder: TraceBuilder, peer: &str, path: &str) -> TraceBuilder {
        let call = Exchange::from_target(peer).on("POST", path).sending(json!({}));
        builder.call_from_target(call.answered_with(200, json!({"data": {}})))
    }

    fn refused() -> OperationFailure {
        OperationFailure::Refused { code: -32009, message: "another release".into() }
    }

    /// Returns the verdict on a peer of this version whose order fails like this, or whose call arrives.
    fn called(
        version: &str,
        failure: Option<OperationFailure>,
        reached: &[&str],
        control: Option<OperationFailure>,
    ) -> Verdict {
        let mut builder = TraceBuilder::new().accepts("alice", version).accepts("bob", "1.4.0");
        builder = arrives(builder, "bob", "migrations");
        for path in reached {
            builder = arrives(builder, "alice", path);
        }
        for (label, failure) in [("ordered", failure), ("controlled", control)] {
            builder = match failure {
                Some(failure) => builder.failed_operation(label, SEND, json!({}), failure),
                None => builder.operation(label, SEND, json!({"status": "completed"})),
            };
        }
        builder.verdict::<CompatiblePeersAreCalled>(json!({
            "peer": "alice", "accept": "accept-alice", "order": "ordered", "control_peer": "bob",
            "control": "controlled",
        }))
    }

    #[test]
    fn a_refused_order_is_broken_only_beside_one_that_arrives_at_the_control() {
        let heard = ["heartbeat"];
        assert_eq!(called("1.5.0", None, &["heartbeat", "migrations"], None), Kept);
        assert_eq!(called("1.5.0", Some(refused()), &heard, None), Broken);
        assert_eq!(
            called("1.5.0", Some(refused()), &["migrations"], None),
            Kept,
            "it was the peer that refused"
        );
        assert_eq!(called("1.5.0", Some(refused()), &heard, Some(refused())), Unproven);
        assert_eq!(called("1.5.0", Some(refused()), &[], None), Unproven, "nothing reached the peer");
        assert_eq!(called("1.6.0", Some(refused()), &heard, None), Unproven, "it is not compatible");
        assert_eq!(called("1.5.0", None, &heard, None), Unproven, "it may wait in a queue");
        assert_eq!(called("1.5.0", Some(OperationFailure::Unsupported), &heard, None), Unproven);
        for code in [-32603, -32602, PEER_ANSWERED_WRONG] {
            let failed = OperationFailure::Refused { code, message: "a failure".into() };
            assert_eq!(called("1.5.0", Some(failed), &heard, None), Unproven, "{code}: the order failed");
        }
    }

    #[test]
    fn a_read_of_another_record_is_not_the_ordered_one() {
        let read = |builder: TraceBuilder, peer: &str, id: &str| {
            let call = Exchange::from_target(peer).on("GET", &format!("resources/skill/{id}"));
            builder.call_from_target(call.answered_with(200, json!({"data": {}})))
        };
        let verdict = |id: &str| {
            let builder = TraceBuilder::new().accepts("alice", "1.5.0").accepts("bob", "1.4.0");
            let builder = read(read(builder, "bob", "7"), "alice", id);
            let of = || json!({"id": "7"});
            builder
                .operation_with("controlled", "resource.fetch", of(), json!({}))
                .failed_operation("ordered", "resource.fetch", of(), refused())
                .verdict::<CompatiblePeersAreCalled>(json!({
                    "peer": "alice", "accept": "accept-alice", "order": "ordered", "control_peer": "bob",
                    "control": "controlled",
                }))
        };
        assert_eq!([verdict("8"), verdict("7")], [Broken, Kept]);
    }
}
