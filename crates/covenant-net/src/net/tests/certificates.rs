//! Tests of admission by certificate.

use super::*;
use crate::pki::TlsVersions;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn client_certificates_need_a_trusted_authority_and_anchors_change_while_the_server_runs() {
    let fixture = fixture().await;
    let peer = Authority::new("peer", &fixture.clock).expect("an authority");
    for versions in [TlsVersions::Only12, TlsVersions::Only13] {
        for tls in [HTTP1, HTTP2] {
            let tls = TlsOptions { versions, ..tls };
            let client = fixture.client(Some(&peer), tls, ClientOptions::default());
            let refused = fixture.call(&client, "/").await.expect_err("a foreign authority");
            assert!(refused.is_certificate_refused(), "{tls:?}: {refused}");
            fixture.trust.add("peer", peer.pem()).expect("an anchor");
            assert_eq!(body(&fixture.call(&client, "/").await.expect("an answer"))["subject"], "fed:1");
            fixture.trust.remove("peer");
            let refused = fixture.call(&client, "/").await.expect_err("no longer trusted");
            assert!(refused.is_certificate_refused(), "{tls:?}: {refused}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_certificate_is_refused_when_the_clock_has_moved() {
    let fixture = fixture().await;
    let peer = Authority::new("peer", &fixture.clock).expect("an authority");
    fixture.trust.add("peer", peer.pem()).expect("an anchor");
    let leaf = peer.leaf("fed:1", &[], 1).expect("a leaf");
    let trust = Trust::new();
    trust.add("server", fixture.authority.pem()).expect("an anchor");
    let tls = ClientTls::new(Some(&leaf), trust, &fixture.clock, TlsOptions::default()).expect("TLS");
    let client = Client::new(Some(tls), small(), ClientOptions::default());
    fixture.clock.advance_seconds(86_400);
    assert!(fixture.call(&client, "/").await.is_ok(), "its last second");
    fixture.clock.advance_seconds(1);
    let refused = fixture.call(&client, "/").await.expect_err("expired");
    assert!(refused.is_certificate_refused() && refused.to_string().contains("Expired"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_certificate_is_refused_on_new_connections_and_detected_on_open_ones() {
    let fixture = fixture().await;
    let peer = Authority::new("peer", &fixture.clock).expect("an authority");
    fixture.trust.add("peer", peer.pem()).expect("an anchor");
    for tls in [HTTP1, HTTP2] {
        let options = ClientOptions { reuse_connections: true, ..ClientOptions::default() };
        let client = fixture.client(Some(&peer), tls, options);
        let seen = body(&fixture.call(&client, "/").await.expect("an answer"));
        fixture.trust.revoke(seen["tls"]["peer_fingerprint"].as_str().expect("a fingerprint"));
        // TLS checks a certificate once. The handler rejects the calls of a client that is still connected.
        assert!(fixture.call(&client, "/").await.is_ok());
        client.forget_connections();
        let refused = fixture.call(&client, "/").await.expect_err("revoked");
        assert!(refused.is_certificate_refused() && refused.to_string().contains("Revoked"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_untrusted_server_is_refused_by_the_client() {
    let fixture = fixture().await;
    let anonymous_client = Authority::new("server", &fixture.clock).expect("an authority");
    let trust = Trust::new();
    trust.add("server", anonymous_client.pem()).expect("an anchor");
    let tls = ClientTls::new(None, trust, &fixture.clock, TlsOptions::default()).expect("TLS");
    let client = Client::new(Some(tls), small(), ClientOptions::default());
    let error = fixture.call(&client, "/").await.expect_err("not trusted");
    assert_eq!((error.kind(), error.is_certificate_refused()), (FailureKind::Untrusted, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_name_is_checked_only_if_requested() {
    let fixture = fixture().await;
    let mut elsewhere = fixture.url.clone();
    elsewhere.set_host(Some("localhost")).expect("a host");
    for host_names_checked in [false, true] {
        let tls = TlsOptions { host_names_checked, ..TlsOptions::default() };
        let client = fixture.client(None, tls, ClientOptions::default());
        assert!(fixture.call(&client, "/").await.is_ok(), "the name that it has");
        let answer = client.send(&elsewhere, post("/")).await;
        assert_eq!(answer.is_err_and(|error| error.kind() == FailureKind::Untrusted), host_names_checked);
    }
}
