//! Tests of the calls that a conforming peer refuses, and of those that it must not refuse.

use super::*;

const ID: &str = "01a2075f-ab38-734e-bd8b-a790d60fdad4";

/// Two conforming peers on one clock; Alice calls Bob.
struct Pair {
    alice: Peer,
    bob: Peer,
    token: String,
}

impl Pair {
    async fn federated() -> Self {
        let (alice, _) = peer("alice", IdentityWay::ExchangedTrust, vec![]);
        let (bob, _) = peer("bob", IdentityWay::ExchangedTrust, vec![]);
        assert!(federate(&alice, &bob).await.succeeded());
        let token = bob.issue_grant("skill", None, vec![Scope::Read, Scope::Migrate]).bearer_token;
        Self { alice, bob, token }
    }

    async fn migrate(&self, plan: Value) -> CallOutcome {
        self.alice.migrate(&StepContext::default(), plan, Some(&self.token)).await.expect("a call")
    }

    async fn call(&self, call: Call) -> CallOutcome {
        self.alice.call(&StepContext::default(), call).await.expect("a call")
    }

    fn pass(&self, seconds: i64) {
        self.bob.0.options.clock.advance_seconds(seconds);
    }
}

fn step(order: i64, id: &str) -> Value {
    json!({"step_order": order, "resource_kind": "skill", "resource_id": id, "action": "create",
           "payload": {"id": id}})
}

fn plan(steps: &[Value]) -> Value {
    json!({"operation": "migrate", "root_resource_kind": "skill", "root_resource_id": ID, "plan_summary": {},
           "steps": steps})
}

fn merged(mut value: Value, over: &Value) -> Value {
    conforming::merge(&mut value, over);
    value
}

#[tokio::test]
async fn a_malformed_plan_is_refused_and_leaves_nothing() {
    let pair = Pair::federated().await;
    let other_id = merged(step(1, ID), &json!({"payload": {"id": "another"}}));
    for steps in [vec![], vec![step(1, ID), step(1, "b")], vec![step(-1, ID)], vec![other_id]] {
        assert_eq!(pair.migrate(plan(&steps)).await.status, Some(422), "{steps:?}");
    }
    let second_fails = [step(1, ID), merged(step(2, "b"), &json!({"action": "link_local"}))];
    assert_eq!(pair.migrate(plan(&second_fails)).await.status, Some(422));
    assert_eq!(pair.bob.record_at("skill", ID), None);
    assert_eq!(pair.migrate(plan(&[step(1, ID)])).await.status, Some(201));
}

#[test]
fn the_names_of_two_revisions_are_known() {
    assert_eq!(serve::names_of("a"), ["fed:a".to_owned(), "federation-peer-a".to_owned()]);
}

#[tokio::test]
async fn a_subscription_is_served_and_ended() {
    let pair = Pair::federated().await;
    let catalog = pair.call(Call::route(&Route::ServiceCatalog)).await.data.expect("data");
    assert_eq!(catalog["offerings"][0]["slug"], OFFERING);
    let subscribe = |slug: &str, days: i64| {
        let body = json!({"slug": slug, "local_hostname": "alice.example", "ttl_days": days});
        pair.call(Call::route(&Route::Subscriptions).body(body))
    };
    assert_eq!(pair.call(Call::route(&Route::Subscriptions).body(json!({}))).await.status, Some(400));
    assert_eq!(subscribe("none", 30).await.status, Some(404));
    assert_eq!(
        (subscribe(OFFERING, 6).await.status, subscribe(OFFERING, 366).await.status),
        (Some(422), Some(422))
    );
    let subscribed = subscribe(OFFERING, 7).await;
    assert_eq!((subscribed.status, subscribe(OFFERING, 7).await.status), (Some(201), Some(409)));
    let data = subscribed.data.expect("data");
    assert_eq!(data["ttl_seconds"], 7 * 24 * 60 * 60);
    let id = data["grant_id"].as_str().expect("an id").to_owned();
    let end = |id: &str| pair.call(Call::route(&Route::Subscription { id: id.to_owned() }));
    assert_eq!(
        (end(&id).await.status, end(&id).await.status, end(ID).await.status),
        (Some(200), Some(200), Some(404))
    );
    assert!(subscribe(OFFERING, 7).await.succeeded(), "the hostname is free again");
}

#[tokio::test]
async fn only_what_was_migrated_is_deleted() {
    let pair = Pair::federated().await;
    let delete = |id: &str| merged(plan(&[step(1, id)]), &json!({"operation": "delete"}));
    pair.bob.put_record("skill", "own", serde_json::Map::new());
    assert_eq!(pair.migrate(delete("own")).await.status, Some(422));
    assert!(pair.bob.record_at("skill", "own").is_some());
    assert!(pair.migrate(plan(&[step(1, ID)])).await.succeeded());
    assert!(pair.migrate(delete(ID)).await.succeeded());
    assert_eq!(pair.bob.record_at("skill", ID), None);
}

#[tokio::test]
async fn an_open_migration_has_its_grace_to_the_second() {
    for (seconds, status) in [(299, 201), (300, 401)] {
        let pair = Pair::federated().await;
        let opened = pair.migrate(merged(plan(&[step(1, ID)]), &json!({"commit": false}))).await;
        assert_eq!(opened.status, Some(202));
        let id = opened.data.expect("data")["migration_id"].as_str().expect("an id").to_owned();
        set_target(&pair.bob, &pair.alice);
        pair.bob.revoke(&StepContext::default(), "done").await.expect("a call");
        pair.pass(seconds);
        assert_eq!(pair.migrate(plan(&[step(1, "b")])).await.status, Some(401), "not open yet");
        let commit = pair.call(Call::route(&Route::MigrationCommit { id }).body(json!({}))).await;
        assert_eq!(commit.status, Some(status), "after {seconds} s");
    }
}

#[tokio::test]
async fn a_revoking_target_may_complete_its_notice_and_is_not_served() {
    let pair = Pair::federated().await;
    let context = StepContext::default();
    let by_event = json!({"events": [{"kind": "platform.peer.revoked"}]});
    for notice in [&by_event, &json!({"status": "revoked"})] {
        let reported = pair.alice.heartbeat(&context, notice).await.expect("a call");
        assert_eq!(reported.data.expect("data")["status"], "revoked");
    }
    assert_eq!(pair.alice.heartbeat(&context, &Value::Null).await.expect("a call").status, Some(401));
    let again = federate(&pair.alice, &pair.bob).await;
    assert!(
        again.succeeded() && pair.alice.heartbeat(&context, &Value::Null).await.expect("a call").succeeded()
    );
}

#[tokio::test]
async fn an_invitation_lasts_seven_days_and_needs_the_same_contract() {
    let context = StepContext::default();
    for (seconds, with, status) in [
        (604_799, json!({}), 200),
        (604_800, json!({}), 401),
        (0, json!({"contract_version": 2}), 422),
        (0, json!({"contract_digest": "ee".repeat(32)}), 422),
        (0, json!({"contract_digest": null}), 200),
        (0, json!({"acceptance_token": null}), 422),
    ] {
        let (alice, _) = peer("alice", IdentityWay::SignedRequest, vec![]);
        let (bob, _) = peer("bob", IdentityWay::SignedRequest, vec![]);
        set_target(&alice, &bob);
        let token = bob.propose();
        bob.0.options.clock.advance_seconds(seconds);
        let outcome = alice.accept(&context, &token, &with).await.expect("a call");
        assert_eq!(outcome.status, Some(status), "after {seconds} s, with {with}");
    }
}

#[tokio::test]
async fn a_grant_is_for_its_kind_and_resource() {
    let pair = Pair::federated().await;
    let one = pair.bob.issue_grant("skill", Some(ID), vec![Scope::Read, Scope::Migrate]).bearer_token;
    let context = StepContext::default();
    for (kind, id, status) in [("skill", ID, 200), ("skill", "b", 403), ("agent", ID, 403)] {
        assert_eq!(
            pair.alice.fetch(&context, kind, id, Some(&one)).await.expect("a call").status,
            Some(status)
        );
    }
    let agents = merged(plan(&[step(1, ID)]), &json!({"root_resource_kind": "agent"}));
    assert_eq!(pair.migrate(agents).await.status, Some(403));
}

#[tokio::test]
async fn an_excerpt_has_the_actions_in_its_window() {
    let pair = Pair::federated().await;
    pair.alice.heartbeat(&StepContext::default(), &Value::Null).await.expect("a call");
    pair.pass(60);
    let excerpt = |query: &str| Call { query: Some(query.to_owned()), ..Call::route(&Route::AuditExcerpts) };
    let first = pair.call(excerpt("until=2026-06-01T00:00:01Z")).await.data.expect("data");
    assert_eq!(first["count"], 1);
    assert_eq!(first["events"][0]["payload"]["action"], "heartbeat");
    let all = pair.call(excerpt("")).await.data.expect("data");
    assert_eq!(all["count"], 3);
    assert_eq!(pair.call(excerpt("until=2020-01-01T00:00:00Z")).await.status, Some(422));
}
