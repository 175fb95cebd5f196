//! Tests that each behaviour deviates in its own place only, visibly and under its name.

use std::collections::BTreeSet;

use super::*;
use covenant_model::transcript::Trace;

const FIRST: &str = "01a2075f-ab38-734e-bd8b-a790d60fdad4";
const SECOND: &str = "01a2075f-ab38-734e-bd8b-a790d60fdad5";

/// Runs a peering in which each side makes every kind of call to the other: mallory joins bob, and bob joins
/// mallory.
async fn run_peering(behaviour: &'static Behaviour) -> Trace {
    let (mallory, trace) = peer("mallory", IdentityWay::ExchangedTrust, vec![behaviour]);
    let (bob, _) = peer("bob", IdentityWay::ExchangedTrust, vec![]);
    set_target(&mallory, &bob);
    federate(&bob, &mallory).await;
    let context = StepContext::default();
    let call =
        async |peer: &Peer, route: Route| peer.call(&context, Call::route(&route)).await.expect("a call");

    let grant = mallory.issue_grant("skill", None, vec![Scope::Read, Scope::Migrate]);
    let token = Some(grant.bearer_token.as_str());
    mallory.put_record("skill", SECOND, serde_json::Map::new());
    bob.migrate(&context, plan(), token).await.expect("a call");
    // A behaviour may honour a grant once and refuse it afterwards.
    for _ in 0..2 {
        bob.fetch(&context, "skill", SECOND, token).await.expect("a call");
    }
    let mut open = plan();
    open["commit"] = json!(false);
    let opened = bob.migrate(&context, open, token).await.expect("a call");
    let id = opened.data.and_then(|data| data["migration_id"].as_str().map(ToOwned::to_owned));
    if let Some(id) = id {
        bob.call(&context, Call::route(&Route::MigrationCommit { id }).body(json!({})).bearing(token))
            .await
            .expect("a call");
    }
    call(&bob, Route::Resource { kind: "phantom".into(), id: FIRST.into() }).await;
    call(&bob, Route::AuditExcerpts).await;
    bob.heartbeat(&context, &Value::Null).await.expect("a call");
    // A behaviour may refuse the second batch.
    for _ in 0..2 {
        bob.sync(&context, "skill", vec![], &Value::Null).await.expect("a call");
    }
    mallory.revoke_grant(&context, &grant.id, "done").await.expect("a call");
    bob.fetch(&context, "skill", SECOND, token).await.expect("a call");

    federate(&mallory, &bob).await;
    for _ in 0..7 {
        mallory.heartbeat(&context, &Value::Null).await.expect("a call");
    }
    // A behaviour may state what the peer withholds.
    let withheld = json!({"metadata": {"jurisdiction": null}});
    mallory.heartbeat(&context, &withheld).await.expect("a call");
    mallory.sync(&context, "skill", vec![], &Value::Null).await.expect("a call");
    mallory.revoke(&context, "done").await.expect("a call");
    call(&bob, Route::TrustBundle).await;
    trace.trace()
}

/// A plan that links existing records, and omits records that its source does not send, has no conflict.
#[tokio::test]
async fn only_a_conflict_that_occurred_can_be_hidden() {
    let behaviour = behaviours::behaviour("hidden-conflict").expect("a behaviour");
    let (mallory, trace) = peer("mallory", IdentityWay::ExchangedTrust, vec![behaviour]);
    let (bob, _) = peer("bob", IdentityWay::ExchangedTrust, vec![]);
    federate(&bob, &mallory).await;
    mallory.put_record("skill", SECOND, serde_json::Map::new());
    let token = mallory.issue_grant("skill", None, vec![Scope::Migrate]).bearer_token;
    let context = StepContext::default();
    for (second, skipped) in [("link_local", 1), ("skip", 1), ("create", 0)] {
        let mut plan = plan();
        plan["steps"][0]["action"] = json!("skip");
        plan["steps"][1]["action"] = json!(second);
        let view = bob.migrate(&context, plan, Some(&token)).await.expect("a call").data.expect("data");
        assert_eq!(view["skipped_count"], 1 + skipped, "{second}");
        assert_eq!(labels(&trace.trace()).is_empty(), second != "create", "{second}");
    }
}

/// Returns a plan with two records: one is new, one conflicts with an existing record.
fn plan() -> Value {
    let step = |order: u64, id: &str| {
        json!({"step_order": order, "resource_kind": "skill", "resource_id": id, "action": "create",
               "conflict_policy": "skip_if_exists", "payload": {"id": id, "parent_id": FIRST}})
    };
    json!({"operation": "migrate", "root_resource_kind": "skill", "root_resource_id": FIRST, "plan_summary": {},
           "steps": [step(1, FIRST), step(2, SECOND)]})
}

fn labels(trace: &Trace) -> BTreeSet<String> {
    trace.exchanges().flat_map(|(_, exchange)| exchange.injected.clone()).collect()
}

#[tokio::test]
async fn each_deviation_is_seen_under_its_name() {
    for behaviour in behaviours::BEHAVIOURS {
        let trace = run_peering(behaviour).await;
        let expected: Vec<&str> = if behaviour.name == "conforming" { vec![] } else { vec![behaviour.name] };
        assert_eq!(labels(&trace).iter().collect::<Vec<_>>(), expected, "{}", behaviour.name);
    }
}

/// Returns everything that mallory sends, in requests and in responses.
fn sent_text(trace: &Trace) -> String {
    let bodies = trace.exchanges().filter_map(|(_, exchange)| match exchange.direction {
        Direction::ToTarget => exchange.sent().cloned(),
        Direction::FromTarget => exchange.response.as_ref()?.body.json().cloned(),
    });
    bodies.map(|body| body.to_string()).collect()
}

#[tokio::test]
async fn a_withheld_member_is_sent_nowhere() {
    let conforming = sent_text(&run_peering(&Behaviour::CONFORMING).await);
    for (name, member) in [
        ("withholds-contact", "operator_contact"),
        ("withholds-jurisdiction", "jurisdiction"),
        ("withholds-version", "platform_version"),
        ("withholds-last-good-release", "last_known_good_release"),
        ("withholds-residency", "data_residency"),
    ] {
        let quiet = run_peering(behaviours::behaviour(name).expect("a behaviour")).await;
        assert!(!sent_text(&quiet).contains(&format!("{member:?}:")), "{name}");
        assert!(conforming.contains(&format!("{member:?}:")), "{member}");
    }
}

#[tokio::test]
async fn a_grant_ends_with_or_without_a_notice() {
    for (name, reported) in [("conforming", true), ("silent-grant-revocation", false)] {
        let behaviour = behaviours::behaviour(name).expect("a behaviour");
        let (alice, _) = peer("alice", IdentityWay::SignedRequest, vec![behaviour]);
        let (bob, _) = peer("bob", IdentityWay::SignedRequest, vec![]);
        federate(&alice, &bob).await;
        federate(&bob, &alice).await;
        let context = StepContext::default();
        let grant = alice.issue_grant("skill", None, vec![Scope::Read]);
        let token = Some(grant.bearer_token.as_str());
        assert!(bob.fetch(&context, "skill", FIRST, token).await.expect("a call").succeeded());
        let notice = alice.revoke_grant(&context, &grant.id, "done").await.expect("a call");
        assert_eq!(notice.is_some(), reported);
        let received = bob.inbox().into_iter().any(|call| {
            let event = &call.body["events"][0];
            event["kind"] == "platform.grant.revoked" && event["payload"]["grant_id"] == grant.id.as_str()
        });
        assert_eq!(received, reported);
        assert_eq!(bob.fetch(&context, "skill", FIRST, token).await.expect("a call").status, Some(401));
    }
}
