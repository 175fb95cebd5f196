//! The client of the REST surface against the shapes of the three generations.

use covenant::operator::powernode::Powernode;
use covenant::operator::{
    NamedRecord, OperatorClient, OperatorError, OperatorMethod, governance, grant, network, peer, resource,
};
use serde_json::{Value, json};

use super::stand_in::{Shape, StandIn, served};
use super::{PASSWORD, rest};

const ID: &str = "01a2075f-bf10-732f-90d5-000000000000";

fn asked() -> Value {
    json!({"peer_id": "p", "remote_subject": "s", "resource_kind": "skill", "permission_scopes": ["read"]})
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_a_grant_is_read_in_the_form_of_each_generation_and_revoked_with_its_peer() {
    for (shape, token) in [
        (Shape::G1 { previews: true }, format!("fg-{ID}")),
        (Shape::G1 { previews: false }, format!("fg-{ID}")),
        (Shape::G2, format!("fgs.{ID}.5f2c")),
        (Shape::G3, format!("fgs.{ID}.5f2c")),
    ] {
        let (stand_in, _server, url) = served(StandIn::new(shape)).await;
        let operator = Powernode::new(rest(url, PASSWORD), vec![]);
        let issued = operator.call(grant::Issue::METHOD, asked()).await.expect("a grant");
        assert_eq!((issued["grant_id"].as_str(), issued["bearer_token"].as_str()), (Some(ID), Some(&*token)));
        // A scenario may leave out the peer, which the route needs.
        let revoked = operator.call(grant::Revoke::METHOD, json!({"grant_id": ID})).await;
        assert_eq!(revoked, Ok(json!({})), "{shape:?}");
        assert!(stand_in.called(&format!("/system/platform/peers/p/grants/{ID}/revoke")));
        assert!(operator.call(grant::Issue::METHOD, asked()).await.is_ok(), "{shape:?}: a second one");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_token_is_renewed_by_a_log_in_until_five_were_made() {
    let (stand_in, _server, url) = served(StandIn::new(Shape::G3).with_tokens_for(2, false)).await;
    let operator = Powernode::new(rest(url, PASSWORD), vec![]);
    let show = || operator.call(governance::ListEvents::METHOD, json!({}));
    for _ in 0..10 {
        assert!(show().await.is_ok());
    }
    assert_eq!(stand_in.log_ins(), 5);
    let Err(OperatorError::Fault(fault)) = show().await else { panic!("a sixth log-in") };
    assert!(fault.reason.contains("limit of 5 an hour") && fault.reason.contains("min"), "{fault}");
    assert_eq!(stand_in.log_ins(), 5, "the sixth is not tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_token_saves_log_ins() {
    let (stand_in, _server, url) = served(StandIn::new(Shape::G3).with_tokens_for(1, true)).await;
    let operator = Powernode::new(rest(url, PASSWORD), vec![]);
    for _ in 0..12 {
        assert!(operator.call(governance::ListEvents::METHOD, json!({})).await.is_ok());
    }
    assert_eq!((stand_in.log_ins(), stand_in.refreshes()), (1, 11));
}

#[tokio::test(flavor = "multi_thread")]
async fn log_in_that_the_platform_refuses_by_its_limit_says_when_to_try_again() {
    let (_, _server, url) = served(StandIn::new(Shape::G1 { previews: true })).await;
    for _ in 0..5 {
        assert!(rest(url.clone(), PASSWORD).log_in().await.is_ok());
    }
    let error = rest(url, PASSWORD).log_in().await.expect_err("the limit").to_string();
    assert!(error.contains("five an hour") && error.contains("in 1800 s"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn approval_is_given_and_waited_for_where_the_account_may() {
    let suspend = json!({"peer_id": "p"});
    for shape in [Shape::G1 { previews: true }, Shape::G3] {
        let (stand_in, _server, url) = served(StandIn::new(shape)).await;
        let operator = Powernode::new(rest(url, PASSWORD), vec![]);
        assert_eq!(operator.call(peer::Suspend::METHOD, suspend.clone()).await, Ok(json!({})));
        assert!(stand_in.is_suspended(), "{shape:?}");
    }
    let (stand_in, _server, url) = served(StandIn::new(Shape::G3).without_approvals()).await;
    let operator = Powernode::new(rest(url, PASSWORD), vec![]);
    let error = operator.call(peer::Suspend::METHOD, suspend).await.expect_err("pending").to_string();
    assert!(error.contains("pending approval (202)") && error.contains("a-1"), "{error}");
    assert!(!stand_in.is_suspended());
}

#[tokio::test(flavor = "multi_thread")]
async fn route_that_a_generation_lacks_is_a_missing_method() {
    for (shape, is_there) in [(Shape::G1 { previews: true }, false), (Shape::G3, true)] {
        let (_, _server, url) = served(StandIn::new(shape)).await;
        let operator = Powernode::new(rest(url, PASSWORD), vec![]);
        let listed = operator.call(governance::ListEvents::METHOD, json!({})).await;
        let unsupported = Err(OperatorError::unsupported(governance::ListEvents::METHOD));
        assert_eq!(listed.is_ok(), is_there, "{listed:?}");
        assert!(is_there || listed == unsupported, "{listed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn residency_of_a_peer_is_read_where_the_platform_shows_it() {
    let (_, _server, url) = served(StandIn::new(Shape::G3)).await;
    let operator = Powernode::new(rest(url, PASSWORD), vec![]);
    let shown = operator.call(peer::Show::METHOD, json!({"peer_id": "p"})).await.expect("a peer");
    assert_eq!(shown["peer"], json!({"id": "p", "peer_id": "p", "status": "active", "data_residency": "eu"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn probe_distinguishes_a_peer_that_answered_and_one_that_was_not_reached() {
    let (_, _server, url) = served(StandIn::new(Shape::G3)).await;
    let operator = Powernode::new(rest(url, PASSWORD), vec![]);
    for (peer_id, reached) in [("answers", true), ("refuses", true), ("silent", false)] {
        let parameters = json!({"url": "https://a.example", "peer_id": peer_id});
        let probed = operator.call(network::Probe::METHOD, parameters).await.expect("a result");
        assert_eq!(probed["reached"], reached, "{peer_id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_record_that_the_user_names_counts_as_stored() {
    let (_, _server, url) = served(StandIn::new(Shape::G1 { previews: true })).await;
    let named: NamedRecord =
        serde_json::from_value(json!({"kind": "skill", "id": "a", "record": {"name": "Weaving"}}))
            .expect("a record");
    let put = |record: Value| json!({"kind": "skill", "id": record["id"], "record": record});
    let unsupported = Err(OperatorError::unsupported(resource::Put::METHOD));
    let operator = Powernode::new(rest(url.clone(), PASSWORD), vec![named]);
    let lists = |operator: &Powernode| operator.describe()["verbs"].to_string().contains("resource.put");
    assert!(lists(&operator));
    let call = |record: Value| operator.call(resource::Put::METHOD, put(record));
    assert_eq!(call(json!({"id": "a", "name": "Weaving"})).await, Ok(json!({})));
    assert_eq!(call(json!({"id": "a", "name": "other"})).await, unsupported);
    assert_eq!(call(json!({"id": "b", "name": "Weaving"})).await, unsupported);
    assert!(!lists(&Powernode::new(rest(url, PASSWORD), vec![])));
}
