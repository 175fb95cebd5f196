//! Tests of admission by certificate.

use super::*;
use crate::pki::TlsVersions;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_certificate_is_taken_from_a_trusted_authority_only_and_anchors_change_while_it_runs() {
    let world = world().await;
    let peer = Authority::new("peer", &world.clock).expect("an authority");
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        for tls in [HTTP1, HTTP2] {
            let tls = TlsOptions { versions, ..tls };
            let client = world.client(Some(&peer), tls, ClientOptions::default());
            let refused = world.call(&client, "/").await.expect_err("a foreign authority");
            assert!(refused.is_certificate_refused(), "{tls:?}: {refused}");
            world.trust.add("peer", peer.pem()).expect("an anchor");
            assert_eq!(body(&world.call(&client, "/").await.expect("an answer"))["subject"], "fed:1");
            world.trust.remove("peer");
            let refused = world.call(&client, "/").await.expect_err("no longer trusted");
            assert!(refused.is_certificate_refused(), "{tls:?}: {refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_certificate_is_refused_when_the_clock_has_moved() {
    let world = world().await;
    let peer = Authority::new("peer", &world.clock).expect("an authority");
    world.trust.add("peer", peer.pem()).expect("an anchor");
    let leaf = peer.leaf("fed:1", &[], 1).expect("a leaf");
    let trust = Trust::new();
    trust.add("server", world.authority.pem()).expect("an anchor");
    let tls = ClientTls::new(Some(&leaf), trust, &world.clock, TlsOptions::default()).expect("TLS");
    let client = Client::new(Some(tls), small(), ClientOptions::default());
    world.clock.advance_seconds(86_400);
    assert!(world.call(&client, "/").await.is_ok(), "its last second");
    world.clock.advance_seconds(1);
    let refused = world.call(&client, "/").await.expect_err("expired");
    assert!(refused.is_certificate_refused() && refused.to_string().contains("Expired"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_certificate_is_refused_again_and_seen_as_revoked_on_a_connection_that_was_there() {
    let world = world().await;
    let peer = Authority::new("peer", &world.clock).expect("an authority");
    world.trust.add("peer", peer.pem()).expect("an anchor");
    for tls in [HTTP1, HTTP2] {
        let options = ClientOptions { reuse_connections: true, ..ClientOptions::default() };
        let client = world.client(Some(&peer), tls, options);
        let seen = body(&world.call(&client, "/").await.expect("an answer"));
        world.trust.revoke(seen["tls"]["peer_fingerprint"].as_str().expect("a fingerprint"));
        // TLS checks a certificate once. The handler rejects the calls of a client that is still connected.
        assert!(world.call(&client, "/").await.is_ok());
        client.forget_connections();
        let refused = world.call(&client, "/").await.expect_err("revoked");
        assert!(refused.is_certificate_refused() && refused.to_string().contains("Revoked"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_we_do_not_trust_is_our_refusal_and_not_theirs() {
    let world = world().await;
    let anonymous_client = Authority::new("server", &world.clock).expect("an authority");
    let trust = Trust::new();
    trust.add("server", anonymous_client.pem()).expect("an anchor");
    let tls = ClientTls::new(None, trust, &world.clock, TlsOptions::default()).expect("TLS");
    let client = Client::new(Some(tls), small(), ClientOptions::default());
    let error = world.call(&client, "/").await.expect_err("not trusted");
    assert_eq!((error.kind(), error.is_certificate_refused()), ("untrusted", false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_servers_name_counts_only_where_asked() {
    let world = world().await;
    let mut elsewhere = world.url.clone();
    elsewhere.set_host(Some("localhost")).expect("a host");
    for host_names_checked in [false, true] {
        let tls = TlsOptions { host_names_checked, ..TlsOptions::default() };
        let client = world.client(None, tls, ClientOptions::default());
        assert!(world.call(&client, "/").await.is_ok(), "the name that it has");
        let answer = client.send(&elsewhere, post("/")).await;
        assert_eq!(answer.is_err_and(|error| error.kind() == "untrusted"), host_names_checked);
    }
}
