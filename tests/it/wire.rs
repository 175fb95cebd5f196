//! Every message of the wire survives encoding and decoding unchanged.

use covenant::wire::accept::{AcceptRequest, AcceptResponse};
use covenant::wire::audit::{AuditExcerpt, AuditPromise};
use covenant::wire::capability::CapabilityDocument;
use covenant::wire::catalog::{ServiceCatalog, SubscriptionRequest};
use covenant::wire::heartbeat::{HeartbeatRequest, HeartbeatResponse, TrustBundle};
use covenant::wire::migration::{MigrationRequest, MigrationView};
use covenant::wire::notice::{Event, Finding};
use covenant::wire::resource::ResourceView;
use covenant::wire::sync::{SyncAnswer, SyncBatch};
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// An arbitrary JSON value of a member.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~é\u{1b}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,6}", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Members that no message type declares.
fn unknown() -> impl Strategy<Value = Map<String, Value>> {
    proptest::collection::btree_map("x_[a-z]{1,6}", value(), 0..4)
        .prop_map(|members| members.into_iter().collect())
}

fn with(mut known: Value, unknown: &Map<String, Value>) -> Value {
    known.as_object_mut().expect("an object").extend(unknown.clone());
    known
}

fn check_round_trip<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(message: &Value) {
    let decoded: T = serde_json::from_value(message.clone()).expect("it decodes");
    let encoded = serde_json::to_value(&decoded).expect("it encodes");
    let again: T = serde_json::from_value(encoded.clone()).expect("it decodes a second time");
    assert_eq!(decoded, again);
    for (name, member) in message.as_object().expect("an object") {
        assert_eq!(encoded.get(name), Some(member), "{name}");
    }
}

proptest! {
    #[test]
    fn every_message_survives_a_round_trip(
        extra in unknown(), any in value(), text in "[a-z0-9-]{1,12}", number in 0_i64..1000,
    ) {
        let event = with(json!({"id": text, "kind": text, "payload": any}), &extra);
        let step = json!({"step_order": number, "resource_kind": "skill", "resource_id": text, "action": "create",
            "payload": {"id": text, "x": any}});
        check_round_trip::<AcceptRequest>(&with(json!({"acceptance_token": any, "contract_version": any, "capabilities": any,
            "metadata": {"operator_contact": any}}), &extra));
        check_round_trip::<AcceptResponse>(&with(json!({"peer_id": text, "status": text, "contract_version_agreed": any}), &extra));
        check_round_trip::<HeartbeatRequest>(&with(json!({"platform_version": any, "status": text, "events": [event]}), &extra));
        check_round_trip::<HeartbeatResponse>(&with(json!({"status": text, "our_endpoints": any}), &extra));
        check_round_trip::<TrustBundle>(&with(json!({"ca_bundle_pem": text}), &extra));
        check_round_trip::<ResourceView>(&with(json!({"kind": text, "id": text, "exists": true, "record": {"a": any}}), &extra));
        check_round_trip::<MigrationRequest>(&with(json!({"operation": text, "root_resource_kind": text,
            "root_resource_id": text, "plan_summary": {"a": any}, "steps": [step]}), &extra));
        check_round_trip::<MigrationView>(&with(json!({"migration_id": text, "status": text, "applied_count": number,
            "conflict_log": [{"step_order": number, "resource_kind": text, "resource_id": text}]}), &extra));
        check_round_trip::<AuditExcerpt>(&with(json!({"peer_id": text, "events": [event], "shipments": [any], "count": number}), &extra));
        check_round_trip::<AuditPromise>(&with(json!({"request_id": text, "due_at": text}), &extra));
        check_round_trip::<ServiceCatalog>(&with(json!({"offerings": [{"slug": text}]}), &extra));
        check_round_trip::<SubscriptionRequest>(&with(json!({"slug": text, "ttl_days": number}), &extra));
        check_round_trip::<SyncBatch>(&with(json!({"resource_kind": text, "cursor": {"from": any, "to": any}, "sha256": text,
            "records": [{"id": text, "updated_at": text, "payload": {"a": any}}]}), &extra));
        check_round_trip::<SyncAnswer>(&with(json!({"accepted": any, "cursor": any}), &extra));
        check_round_trip::<CapabilityDocument>(&with(json!({"resource_kinds": [{"kind": text, "direction": text, "policy": text,
            "filter": {"a": any}}]}), &extra));
        check_round_trip::<Event>(&event);
        check_round_trip::<Finding>(&with(json!({"kind": text, "severity": text, "message": text, "payload": any}), &extra));
    }
}
