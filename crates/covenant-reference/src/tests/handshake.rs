//! Commitments 1, 10, 12 and A: the admission of peers, and the contract it is under.

use serde_json::{Value, json};

use super::{Target, options};

#[tokio::test]
async fn a_peer_that_discloses_all_is_enrolled_and_a_heartbeat_makes_it_active() {
    let target = Target::start(options()).await;
    let (peer_id, token) = target.propose().await;
    let mut guest = target.anonymous_client();
    let response = guest.accept(&token, json!({})).await;
    assert_eq!(response.status, 200);
    let data = &response.body["data"];
    assert_eq!(data["peer_id"], *peer_id);
    assert_eq!(data["status"], "enrolled");
    assert_eq!(data["contract_version_agreed"], 1);
    assert_eq!(data["metadata"]["operator_contact"], "operator@target.example");
    let response = guest.heartbeat(json!({})).await;
    assert_eq!(response.body["data"]["status"], "active");
    assert_eq!(response.body["data"]["schema_compatibility"]["status"], "compatible");
    assert_eq!(target.findings(&guest).await, Vec::<String>::new());
    let addresses = target.operate("overlay.list", json!({"peer_id": peer_id})).await;
    assert_eq!(addresses["addresses"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn every_gap_in_the_disclosure_is_refused_and_the_token_stays_usable() {
    let target = Target::start(options()).await;
    let (_, token) = target.propose().await;
    let mut guest = target.anonymous_client();
    for name in ["operator_contact", "jurisdiction", "platform_version", "last_known_good_release"] {
        let mut change = json!({"metadata": {name: null}});
        change["platform_version"] = Value::Null;
        let response = guest.accept(&token, change).await;
        assert_eq!(response.status, 422, "{name}");
    }
    assert_eq!(guest.accept(&token, json!({})).await.status, 200);
    assert_eq!(guest.accept(&token, json!({})).await.status, 401);
}

#[tokio::test]
async fn only_the_integer_one_acknowledges_the_contract() {
    let target = Target::start(options()).await;
    let (peer_id, token) = target.propose().await;
    let mut guest = target.anonymous_client();
    for other in [json!(0), json!(-1), json!("1"), json!(1.0), json!(2), json!(true), json!([1]), Value::Null]
    {
        let response = guest.accept(&token, json!({"contract_version": other})).await;
        assert_eq!(response.status, 422, "{response:?}");
    }
    let shown = target.operate("peer.show", json!({"peer_id": peer_id})).await;
    assert_eq!(shown["peer"]["status"], "proposed");
    assert_eq!(shown["peer"]["contract_version_agreed"], Value::Null);
    assert_eq!(guest.accept(&token, json!({})).await.status, 200);
}

#[tokio::test]
async fn another_text_under_the_right_number_is_refused_at_accept_and_reported_at_a_heartbeat() {
    let target = Target::start(options()).await;
    let (_, token) = target.propose().await;
    let mut guest = target.anonymous_client();
    let other = json!({"contract_digest": "00".repeat(32)});
    assert_eq!(guest.accept(&token, other.clone()).await.status, 422);
    assert_eq!(guest.accept(&token, json!({})).await.status, 200);
    assert_eq!(guest.heartbeat(other).await.status, 200);
    assert!(target.findings(&guest).await.contains(&"peer_contract_mismatch".to_owned()));
}

#[tokio::test]
async fn a_deprecated_contract_stays_in_force_for_its_peers_and_is_closed_to_new_ones() {
    let target = Target::start(options()).await;
    let guest = target.guest().await;
    target.operate("contract.release", json!({"version": 2, "text": "another"})).await;
    target.operate("contract.deprecate", json!({"version": 1})).await;
    let (_, token) = target.propose().await;
    let mut late = target.anonymous_client();
    let response = late.accept(&token, json!({})).await;
    assert_eq!(response.body["error"], "Unsupported contract_version 1; supported: [2]");
    assert_eq!(late.accept(&token, json!({"contract_version": 2})).await.status, 200);
    assert_eq!(guest.heartbeat(json!({})).await.status, 200);
}

#[tokio::test]
async fn a_peer_two_minors_away_may_call_but_its_sync_is_frozen() {
    let target = Target::with_skills(options()).await;
    let guest = target.guest().await;
    for version in ["1.2.9", "2.4.0", "nonsense"] {
        let response =
            guest.heartbeat(json!({"platform_version": version, "metadata": {"platform_version": version}}));
        let response = response.await;
        assert_eq!(response.body["data"]["schema_compatibility"]["status"], "incompatible");
        assert_eq!(guest.post("sync", super::conduct::batch("0", "1", &[]), None).await.status, 422);
    }
    assert!(target.findings(&guest).await.contains(&"peer_schema_version_drift".to_owned()));
    assert_eq!(guest.heartbeat(json!({})).await.body["data"]["schema_compatibility"]["status"], "compatible");
}

#[tokio::test]
async fn an_anonymous_client_receives_the_observed_texts() {
    let target = Target::start(options()).await;
    let mut anonymous_client = target.anonymous_client();
    assert_eq!(anonymous_client.heartbeat(json!({})).await.body["error"], "mTLS client certificate required");
    assert_eq!(anonymous_client.get("nowhere", None).await.status, 404);
    let response = anonymous_client.accept("", json!({})).await;
    assert_eq!((response.status, &response.body["error"]), (422, &json!("acceptance_token required")));
    let response = anonymous_client.accept("unknown", json!({})).await;
    assert_eq!(response.body["error"], "acceptance_token not recognized or expired");
}
