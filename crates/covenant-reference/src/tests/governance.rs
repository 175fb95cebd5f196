//! Commitments 6 and 9, E.1 and E.2: the findings, and their consequences.

use serde_json::{Value, json};

use super::conduct::batch;
use super::{Target, id, options};

#[tokio::test]
async fn a_flood_is_limited_and_reported_and_other_peers_are_served() {
    let target = Target::start(options()).await;
    let (guest, other) = (target.guest().await, target.guest().await);
    let mut refused = 0;
    for _ in 0..62 {
        refused += i32::from(guest.heartbeat(json!({})).await.status == 429);
    }
    assert!(refused > 0);
    assert_eq!(other.heartbeat(json!({})).await.status, 200);
    assert_eq!(target.findings(&guest).await, ["peer_handshake_flood"]);
    assert_eq!(target.findings(&other).await, Vec::<String>::new());
    target.clock.advance_seconds(60);
    assert_eq!(guest.heartbeat(json!({})).await.status, 200);
}

#[tokio::test]
async fn enumeration_is_reported() {
    let target = Target::with_skills(options()).await;
    let guest = target.guest().await;
    let (_, token) = target.grant(&guest, &["read"]).await;
    for path in ["resources/secret/1", "resources/user/1", "internal/config"] {
        let response = guest.get(path, Some(&token)).await;
        assert!(response.status == 403 || response.status == 404, "{response:?}");
    }
    assert_eq!(target.findings(&guest).await, ["peer_probing"]);
}

#[tokio::test]
async fn one_breach_never_suspends_and_the_fifth_of_one_norm_does() {
    let target = Target::with_skills(options()).await;
    let guest = target.guest().await;
    assert_eq!(guest.post("sync", batch("0", "1", &[1]), None).await.status, 200);
    for _ in 0..4 {
        assert_eq!(guest.post("sync", batch("0", "1", &[1]), None).await.status, 409);
    }
    assert_eq!(target.status(&guest).await, "active");
    assert_eq!(guest.post("sync", batch("0", "1", &[1]), None).await.status, 409);
    assert_eq!(target.status(&guest).await, "suspended");
    assert_eq!(guest.heartbeat(json!({})).await.status, 401);
    target.operate("peer.resume", json!({"peer_id": guest.peer_id})).await;
    assert_eq!(guest.heartbeat(json!({})).await.status, 200);
}

#[tokio::test]
async fn a_disclosed_compromise_suspends_at_once_and_a_late_one_is_reported() {
    let target = Target::start(options()).await;
    for (detected_at, late) in [("2026-05-31T00:00:00Z", false), ("2026-05-30T23:59:59Z", true)] {
        let guest = target.guest().await;
        let payload = json!({"detected_at": detected_at, "kind": "intrusion", "summary": "x"});
        let event = json!({"id": "1", "kind": "platform.peer.compromised", "payload": payload});
        assert_eq!(guest.heartbeat(json!({"events": [event]})).await.status, 200);
        assert_eq!(target.status(&guest).await, "suspended");
        assert_eq!(guest.heartbeat(json!({})).await.status, 401);
        assert_eq!(target.findings(&guest).await.contains(&"peer_disclosure_late".to_owned()), late);
    }
}

#[tokio::test]
async fn a_revocation_by_an_active_or_suspended_peer_is_honoured() {
    let target = Target::start(options()).await;
    for suspended in [false, true] {
        let guest = target.guest().await;
        if suspended {
            target.operate("peer.suspend", json!({"peer_id": guest.peer_id})).await;
        }
        let payload = json!({"reason": "enough", "effective_at": "2026-06-01T00:00:00Z"});
        let event = json!({"id": "1", "kind": "platform.peer.revoked", "payload": payload});
        let response = guest.heartbeat(json!({"status": "revoked", "events": [event]})).await;
        assert_eq!((response.status, &response.body["data"]["status"]), (200, &json!("revoked")));
        assert_eq!(guest.heartbeat(json!({})).await.status, 401);
    }
}

#[tokio::test]
async fn mass_grants_gaps_and_bogus_claims_are_reported() {
    let target = Target::start(options()).await;
    let guest = target.guest().await;
    let grant = |number: u32| {
        let payload =
            json!({"grant_id": id(number), "resource_kind": "skill", "permission_scopes": ["admin"]});
        json!({"id": id(number), "kind": "platform.grant.issued", "payload": payload})
    };
    let events: Vec<Value> = (0..20).map(grant).collect();
    guest.heartbeat(json!({"events": events})).await;
    guest.heartbeat(json!({"metadata": {"operator_contact": "nobody"}})).await;
    guest.heartbeat(json!({"extension_slugs": ["crm"], "capabilities": {"resource_kinds": []}})).await;
    guest.heartbeat(json!({"data_residency": " ", "capabilities": {}, "extension_slugs": []})).await;
    let expected =
        ["peer_mass_grants", "peer_identity_undisclosed", "peer_capability_drift", "peer_residency_missing"];
    assert_eq!(target.findings(&guest).await, expected);
}
