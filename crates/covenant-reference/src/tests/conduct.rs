//! Commitments 2, 3, 5, 6.3 and 11: grants, capabilities, audit, sync, exit.

use serde_json::{Value, json};

use super::{Target, id, options, plan};
use covenant_model::wire::canonical::{canonical_json, sha256_hex};

/// Returns a sync batch of skills.
pub(super) fn batch(from: &str, to: &str, ids: &[u32]) -> Value {
    let records: Vec<Value> = ids
        .iter()
        .map(|number| json!({"id": id(*number), "updated_at": "2026-06-01T00:00:00Z", "payload": {"name": "é"}}))
        .collect();
    let digest = sha256_hex(canonical_json(&json!(records)));
    json!({"resource_kind": "skill", "cursor": {"from": from, "to": to}, "records": records, "sha256": digest})
}

#[tokio::test]
async fn a_grant_is_honoured_up_to_its_last_second_and_checked_in_order() {
    let target = Target::with_skills(options()).await;
    let guest = target.guest().await;
    let path = format!("resources/skill/{}", id(1));
    target.operate("resource.put", json!({"kind": "skill", "id": id(1), "record": {"name": "a"}})).await;
    let (_, token) = target.grant(&guest, &["read"]).await;
    let response = guest.get(&path, Some(&token)).await;
    assert_eq!((response.status, &response.body["data"]["record"]["name"]), (200, &json!("a")));
    assert_eq!(guest.get(&path, None).await.body["error"], "Bearer grant token required");
    assert_eq!(guest.get(&path, Some("fg-1")).await.body["error"], "Grant token does not resolve");
    let other = target.guest().await;
    let response = other.get(&path, Some(&token)).await;
    assert_eq!(response.body["error"], "Grant belongs to a different federation peer");
    assert_eq!(guest.get(&format!("resources/note/{}", id(1)), Some(&token)).await.status, 403);
    let (_, useless) = target.grant(&guest, &["migrate"]).await;
    assert_eq!(guest.get(&path, Some(&useless)).await.status, 403);

    target.clock.advance_seconds(30 * 24 * 3600 - 1);
    assert_eq!(guest.get(&path, Some(&token)).await.status, 200);
    target.clock.advance_seconds(1);
    assert_eq!(guest.get(&path, Some(&token)).await.body["error"], "Grant has expired");
}

#[tokio::test]
async fn a_record_outside_the_declared_filter_is_absent() {
    let target = Target::start(options()).await;
    target.declare(json!({"resource_kind": "skill", "filter": {"public": true}})).await;
    let guest = target.guest().await;
    let (_, token) = target.grant(&guest, &["read"]).await;
    for (number, public) in [(1, true), (2, false)] {
        let record = json!({"kind": "skill", "id": id(number), "record": {"public": public}});
        target.operate("resource.put", record).await;
        let response = guest.get(&format!("resources/skill/{}", id(number)), Some(&token)).await;
        assert_eq!(response.body["data"]["exists"], public);
    }
}

#[tokio::test]
async fn every_call_is_audited_once_and_an_excerpt_contains_only_the_callers_entries() {
    let target = Target::with_skills(options()).await;
    let (guest, other) = (target.guest().await, target.guest().await);
    let (_, token) = target.grant(&guest, &["read"]).await;
    guest.get(&format!("resources/skill/{}", id(1)), Some(&token)).await;
    guest.get("resources/skill/1", None).await;
    guest.get("nowhere", None).await;
    other.get("service_catalog", None).await;
    let response = guest.get("audit_excerpts", None).await;
    let actions = |name: &str| -> Vec<Value> {
        let events = response.body["data"]["events"].as_array().expect("a list").iter();
        events.map(|event| event["payload"][name].clone()).collect()
    };
    let expected = ["accept", "heartbeat", "resources", "resources", "unknown"]
        .map(|r| json!(format!("federation.{r}")));
    assert_eq!(actions("action"), expected);
    assert!(actions("federation_peer_id").iter().all(|peer| *peer == guest.peer_id.as_str()));
    assert_eq!(actions("remote_subject")[0], guest.peer_id.as_str());
    assert_eq!(actions("remote_subject")[1], format!("fed:{}", guest.peer_id));
    assert_eq!(actions("remote_subject")[2], "agent-7");
    assert_eq!(actions("status")[4], 404);
}

#[tokio::test]
async fn a_sync_batch_is_accepted_whole_in_order_and_once() {
    let target = Target::with_skills(options()).await;
    let guest = target.guest().await;
    let sync = |body: Value| guest.post("sync", body, None);
    assert_eq!(sync(batch("0", "2", &[1, 2])).await.status, 200);
    assert_eq!(sync(batch("0", "2", &[1, 2])).await.status, 409);
    assert_eq!(sync(batch("2", "4", &[3, 3])).await.status, 422);
    let mut flipped = batch("2", "3", &[3]);
    flipped["records"][0]["payload"]["name"] = json!("e");
    assert_eq!(sync(flipped).await.status, 422);
    assert_eq!(sync(batch("2", "3", &[3])).await.status, 200);
    let listed = target.operate("resource.list", json!({"kind": "skill"})).await;
    assert_eq!(listed["resources"].as_array().map(Vec::len), Some(3));
    let corrupt = target.findings(&guest).await.iter().filter(|kind| *kind == "peer_sync_corrupt").count();
    assert_eq!(corrupt, 3);
}

#[tokio::test]
async fn a_sync_of_a_migration_only_kind_is_rejected() {
    let target = Target::start(options()).await;
    target.declare(json!({"resource_kind": "skill", "direction": "migration_only"})).await;
    let guest = target.guest().await;
    assert_eq!(guest.post("sync", batch("0", "1", &[1]), None).await.status, 422);
    assert_eq!(target.findings(&guest).await, ["peer_sync_after_migration"]);
}

#[tokio::test]
async fn after_a_revocation_open_migrations_continue_for_five_minutes() {
    let target = Target::with_skills(options()).await;
    let guest = target.guest().await;
    let (_, token) = target.grant(&guest, &["migrate", "read"]).await;
    let open = |number: u32| {
        let mut plan = plan(&[json!({"id": id(number), "name": "x"})]);
        plan["commit"] = json!(false);
        plan
    };
    let mut opened = Vec::new();
    for number in [1, 2] {
        let response = guest.post("migrations", open(number), Some(&token)).await;
        assert_eq!(response.status, 202, "{response:?}");
        opened.push(response.body["data"]["migration_id"].as_str().expect("an id").to_owned());
    }
    target.operate("peer.revoke", json!({"peer_id": guest.peer_id})).await;
    assert_eq!(guest.heartbeat(json!({})).await.status, 401);
    assert_eq!(guest.post("migrations", open(3), Some(&token)).await.status, 401);
    target.clock.advance_seconds(299);
    let response = guest.post(&format!("migrations/{}/commit", opened[0]), json!({}), Some(&token)).await;
    assert_eq!(response.status, 201, "{response:?}");
    target.clock.advance_seconds(2);
    let response = guest.post(&format!("migrations/{}/commit", opened[1]), json!({}), Some(&token)).await;
    assert_eq!(response.status, 401);
    let got = target.operate("resource.get", json!({"kind": "skill", "id": id(1)})).await;
    assert_eq!(got["exists"], true);
    let addresses = target.operate("overlay.list", json!({"peer_id": guest.peer_id})).await;
    assert_eq!(addresses["addresses"], json!([]));
    let shown = target.operate("peer.show", json!({"peer_id": guest.peer_id})).await;
    assert_eq!(shown["peer"]["contract_version_agreed"], 1);
}

#[tokio::test]
async fn a_revoked_grant_is_rejected_and_a_subscription_can_be_ended() {
    let target = Target::with_skills(options()).await;
    let guest = target.guest().await;
    let (grant_id, token) = target.grant(&guest, &["read"]).await;
    target.operate("grant.revoke", json!({"grant_id": grant_id})).await;
    let response = guest.get(&format!("resources/skill/{}", id(1)), Some(&token)).await;
    assert_eq!(response.body["error"], "Grant has been revoked");
    let asked = json!({"slug": "status-page", "local_hostname": "status.local"});
    let response = guest.post("subscriptions", asked, None).await;
    assert_eq!(response.status, 201);
    let path = format!("subscriptions/{}", response.body["data"]["grant_id"].as_str().expect("an id"));
    assert_eq!(guest.call("DELETE", &path, None, None).await.body["data"]["revoked"], true);
    assert_eq!(guest.call("DELETE", "subscriptions/1", None, None).await.status, 404);
}
