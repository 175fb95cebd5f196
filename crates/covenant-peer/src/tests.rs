//! Tests of two peers against each other: each plays the other's target.

use serde_json::{Value, json};

mod conformance;
mod deviations;

use super::*;
use covenant_model::transcript::{Direction, FailureKind, NoteKind, Recorder};
use covenant_model::wire::generation::CallerForm;
use covenant_model::wire::grant::Scope;
use covenant_model::wire::path::Route;

fn peer(name: &str, way: IdentityWay, behaviours: Vec<&'static Behaviour>) -> (Peer, Recorder) {
    peer_with(name, way, behaviours, Profile::default())
}

fn peer_with(
    name: &str,
    way: IdentityWay,
    behaviours: Vec<&'static Behaviour>,
    profile: Profile,
) -> (Peer, Recorder) {
    let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
    let recorder = Recorder::in_memory(name, clock.clone());
    let options = Options {
        name: name.to_owned(),
        seed: Seed(1).derive(name),
        clock,
        behaviours,
        recorder: recorder.clone(),
        listen: "127.0.0.1:0".parse().expect("an address"),
        advertise: None,
        profile,
        permitted_choices: PermittedChoices { identity: way, ..PermittedChoices::of(Seed(7).derive(name)) },
        snapshot: None,
        server_identity: None,
        pace: None,
        limits: Limits::default(),
    };
    (Peer::start(options).expect("a peer"), recorder)
}

fn set_target(caller: &Peer, called: &Peer) {
    let ca_bundle_pem = Some(called.ca_bundle_pem().to_owned());
    caller.set_target(TargetAddress {
        base_url: called.base_url(),
        ca_bundle_pem,
        host_names_checked: false,
        caller: CallerForm::Tls,
    });
}

async fn federate(caller: &Peer, called: &Peer) -> CallOutcome {
    set_target(caller, called);
    let token = called.propose();
    caller.accept(&StepContext::default(), &token, &Value::Null).await.expect("a call")
}

#[tokio::test]
async fn a_peer_answers_what_it_last_stated_of_itself() {
    let (alice, _) = peer("alice", IdentityWay::SignedRequest, vec![]);
    let (bob, _) = peer("bob", IdentityWay::SignedRequest, vec![]);
    let context = StepContext::default();
    assert!(federate(&bob, &alice).await.succeeded());
    let declared = async |stated: Value| {
        bob.heartbeat(&context, &stated).await.expect("a call");
        set_target(&alice, &bob);
        let answer = alice.heartbeat(&context, &Value::Null).await.expect("a call").data.expect("data");
        (answer["data_residency"].clone(), answer["metadata"]["jurisdiction"].clone())
    };
    let usual = declared(Value::Null).await;
    assert!(usual.0.is_string() && usual.1.is_string(), "{usual:?}");
    let blank = declared(json!({"data_residency": " ", "metadata": {"jurisdiction": ""}})).await;
    assert_eq!(blank, (json!(" "), json!("")));
    assert_eq!(declared(json!({"data_residency": null})).await, (Value::Null, usual.1.clone()));
    assert_eq!(declared(Value::Null).await, usual);
}

#[tokio::test]
async fn a_peer_of_the_default_release_takes_on_that_of_the_target_and_another_peer_keeps_its_own() {
    let of = |release: &str| Profile::of_release(&release.parse().expect("a version"));
    for (own, learned) in [("1.4.0", "2.0.3"), ("1.9.0", "1.9.0")] {
        let (target, _) = peer_with("target", IdentityWay::SignedRequest, vec![], of("2.0.3"));
        let (bob, recorder) = peer_with("bob", IdentityWay::SignedRequest, vec![], of(own));
        assert!(!bob.learn_release(), "no target was seen");
        assert!(federate(&bob, &target).await.succeeded());
        assert_eq!(bob.learn_release(), learned != own);
        bob.heartbeat(&StepContext::default(), &Value::Null).await.expect("a call");
        let trace = recorder.trace();
        let (_, heartbeat) = trace.exchanges().next_back().expect("a heartbeat");
        let sent = heartbeat.sent().expect("a body");
        assert_eq!(sent["platform_version"], learned);
        assert_eq!(sent["metadata"]["last_known_good_release"], format!("v{learned}"));
        assert!(!bob.learn_release(), "it is known already");
    }
}

#[tokio::test]
async fn a_peer_that_was_joined_is_federated_in_each_way_and_for_an_accept_without_identity_it_is_not() {
    for way in [IdentityWay::SignedRequest, IdentityWay::ExchangedTrust] {
        let (alice, _) = peer("alice", way, vec![]);
        let (bob, _) = peer("bob", IdentityWay::SignedRequest, vec![]);
        assert!(!bob.is_federated());
        assert!(federate(&alice, &bob).await.succeeded());
        assert!(alice.is_federated() && bob.is_federated(), "{way:?}");
        alice.revoke(&StepContext::default(), "the end").await.expect("a call");
        assert!(!bob.is_federated(), "{way:?}");
    }
    let (alice, _) = peer("alice", IdentityWay::SignedRequest, vec![]);
    let (bob, _) = peer("bob", IdentityWay::SignedRequest, vec![]);
    set_target(&alice, &bob);
    let without = json!({"csr_pem": null});
    let token = bob.propose();
    let _ = alice.accept(&StepContext::default(), &token, &without).await.expect("a call");
    assert!(!bob.is_federated());
}

#[tokio::test]
async fn a_peering_that_has_ended_does_not_introduce_the_sides_of_the_next_one() {
    for way in [IdentityWay::SignedRequest, IdentityWay::ExchangedTrust] {
        let (alice, _) = peer("alice", way, vec![]);
        let (bob, _) = peer("bob", IdentityWay::SignedRequest, vec![]);
        assert!(federate(&alice, &bob).await.succeeded());
        alice.revoke(&StepContext::default(), "the end").await.expect("a call");
        let without = json!({"csr_pem": null, "peer_ca_bundle_pem": null, "caller_inbound_subject": null});
        let token = bob.propose();
        let _ = alice.accept(&StepContext::default(), &token, &without).await.expect("a call");
        assert!(!bob.is_federated(), "{way:?}");
        assert!(federate(&alice, &bob).await.succeeded());
        assert!(bob.is_federated(), "{way:?}");
    }
}

#[tokio::test]
async fn two_peers_federate_in_both_ways_and_complete_a_peering() {
    for way in [IdentityWay::SignedRequest, IdentityWay::ExchangedTrust] {
        let (alice, trace) = peer("alice", way, vec![]);
        let (bob, _) = peer("bob", way, vec![]);
        let context = StepContext::default();
        assert!(federate(&alice, &bob).await.succeeded());
        assert!(alice.heartbeat(&context, &Value::Null).await.expect("a call").succeeded());

        let grant = bob.issue_grant("skill", None, vec![Scope::Read, Scope::Migrate]);
        let token = Some(grant.bearer_token.as_str());
        let id = "01a2075f-ab38-734e-bd8b-a790d60fdad4";
        let plan = json!({
            "operation": "migrate", "root_resource_kind": "skill", "root_resource_id": id, "plan_summary": {},
            "steps": [{"step_order": 1, "resource_kind": "skill", "resource_id": id, "action": "create",
                       "payload": {"id": id, "name": "a"}}],
        });
        let migrated = alice.migrate(&context, plan, token).await.expect("a call");
        assert_eq!(migrated.status, Some(201), "{}", migrated.body);
        let read = alice.fetch(&context, "skill", id, token).await.expect("a call");
        assert_eq!(read.data.expect("data")["record"]["name"], "a");
        assert!(!alice.fetch(&context, "skill", id, None).await.expect("a call").succeeded());

        let record = serde_json::from_value(json!({"id": "r1", "updated_at": "now", "payload": {"é": 1}}));
        let records = vec![record.expect("a record")];
        assert!(
            alice.sync(&context, "skill", records.clone(), &Value::Null).await.expect("a call").succeeded()
        );
        let broken = alice.sync(&context, "skill", records, &json!({"sha256": "00"})).await.expect("a call");
        assert_eq!(broken.status, Some(422));

        assert!(alice.revoke(&context, "done").await.expect("a call").expect("a notice").succeeded());
        let heard = bob.inbox().into_iter().rfind(|received| received.route == Some(Route::Heartbeat));
        assert_eq!(heard.expect("a heartbeat").body["events"][0]["kind"], "platform.peer.revoked");
        let text = serde_json::to_string(trace.trace().entries()).expect("JSON");
        assert!(!text.contains(&grant.bearer_token), "a secret was recorded");
        assert!(trace.trace().exchanges_of("alice", Direction::ToTarget).count() >= 8);
    }
}

#[tokio::test]
async fn a_wait_for_many_calls_ends_when_they_are_there_or_when_none_comes() {
    use std::time::Duration;
    let (alice, _) = peer("alice", IdentityWay::SignedRequest, vec![]);
    let (bob, _) = peer("bob", IdentityWay::SignedRequest, vec![]);
    assert!(federate(&alice, &bob).await.succeeded());
    let context = StepContext::default();
    let calls = async {
        for _ in 0..3 {
            alice.heartbeat(&context, &Value::Null).await.expect("a call");
        }
    };
    let (long, short) = (Duration::from_mins(1), Duration::from_millis(10));
    let (received, ()) = tokio::join!(bob.wait_while_called(3, long, long), calls);
    assert_eq!(received, 3);
    assert_eq!(bob.wait_while_called(3, short, long).await, 0);
    assert_eq!(bob.wait_while_called(3, long, Duration::ZERO).await, 0);
}

#[tokio::test]
async fn a_token_works_once_and_an_anonymous_client_is_refused() {
    let (alice, _) = peer("alice", IdentityWay::ExchangedTrust, vec![]);
    let (bob, _) = peer("bob", IdentityWay::ExchangedTrust, vec![]);
    set_target(&alice, &bob);
    let context = StepContext::default();
    let anonymous_client = alice.heartbeat(&context, &Value::Null).await.expect("a call");
    assert_eq!(anonymous_client.status, Some(401));
    let token = bob.propose();
    assert!(alice.accept(&context, &token, &Value::Null).await.expect("a call").succeeded());
    assert_eq!(alice.accept(&context, &token, &Value::Null).await.expect("a call").status, Some(401));
}

#[tokio::test]
async fn a_behaviour_deviates_and_is_labelled() {
    let bogus = behaviours::behaviour("bogus-kind").expect("a behaviour");
    let (alice, trace) = peer("alice", IdentityWay::SignedRequest, vec![bogus]);
    let (bob, _) = peer("bob", IdentityWay::SignedRequest, vec![]);
    federate(&alice, &bob).await;
    let trace = trace.trace();
    let (_, accept) = trace.exchanges().next().expect("an exchange");
    assert_eq!(accept.injected, ["bogus-kind"]);
    let kinds = accept.sent().expect("a body")["capabilities"]["resource_kinds"].clone();
    assert!(kinds.as_array().expect("kinds").iter().any(|row| row["kind"] == "phantom"));
}

#[tokio::test]
async fn a_stopped_peer_is_unreachable_and_restarts_with_its_port_and_certificate() {
    let (alice, trace) = peer("alice", IdentityWay::SignedRequest, vec![]);
    let (bob, _) = peer("bob", IdentityWay::SignedRequest, vec![]);
    federate(&alice, &bob).await;
    bob.stop().await;
    let context = StepContext::default();
    let call = alice.heartbeat(&context, &Value::Null).await.expect("a call");
    assert_eq!(call.failure, Some(FailureKind::Refused));
    bob.listen().expect("the port is free");
    assert!(alice.heartbeat(&context, &Value::Null).await.expect("a call").succeeded());
    let trace = trace.trace();
    let shown = trace.exchanges().filter_map(|(_, exchange)| exchange.tls.as_ref()?.peer_fingerprint.clone());
    let shown: Vec<String> = shown.collect();
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert_eq!(shown[0], shown[1]);
}

#[tokio::test]
async fn a_peer_that_cannot_listen_says_so_with_its_address() {
    let (alice, _) = peer("alice", IdentityWay::SignedRequest, vec![]);
    alice.stop().await;
    let other = tokio::net::TcpSocket::new_v4().expect("a socket");
    other.set_reuseaddr(true).expect("an option");
    other.bind(alice.address()).expect("the port is bound and nobody listens on it");
    let _listener = other.listen(1).expect("it listens");
    let error = alice.listen().expect_err("another socket listens there");
    assert!(error.to_string().contains(&alice.address().to_string()), "{error}");
}

#[tokio::test]
async fn a_call_that_a_limit_rejected_by_limit_is_recorded() {
    let (alice, _) = peer("alice", IdentityWay::SignedRequest, vec![]);
    let (bob, recorder) = peer("bob", IdentityWay::SignedRequest, vec![]);
    assert!(federate(&alice, &bob).await.succeeded());
    let long = json!({"metadata": {"contact": "x".repeat(Limits::default().body_bytes_max)}});
    let beat = alice.heartbeat(&StepContext::default(), &long).await.expect("a call");
    assert_eq!(beat.status, Some(413), "{}", beat.in_words);
    let trace = recorder.trace();
    let notes: Vec<_> = trace.notes().filter(|(_, note)| note.kind == NoteKind::RejectedByLimit).collect();
    let [(_, note)] = notes.as_slice() else { panic!("{notes:?}") };
    assert_eq!((&note.facts["peer"], &note.facts["status"]), (&json!("bob"), &json!(413)));
    assert!(note.facts["path"].as_str().is_some_and(|path| path.ends_with("/heartbeat")), "{}", note.facts);
    assert!(note.message.contains("its body is longer than 8388608 bytes"), "{}", note.message);
}
