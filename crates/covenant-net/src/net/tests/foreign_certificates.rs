//! Certificates as other platforms make them: self-signed for everything, without an end, with intermediates, with keys
//! of every type.

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose::ClientAuth, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ECDSA_P521_SHA512, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd,
};

use super::*;
use crate::pki::{Identity, Rejection};

fn params(name: &str, is_ca: bool) -> CertificateParams {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    // As `openssl` writes it: 99991231235959Z.
    params.not_after = date_time_ymd(9999, 12, 31) + Duration::from_secs(86_399);
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    }
    params
}

/// Returns a self-signed certificate and its key, as `openssl req -x509` makes them: an authority and a leaf in one.
fn self_signed(key: &KeyPair) -> (String, String) {
    let certificate = params("all in one", true).self_signed(key).expect("signed");
    (certificate.pem(), key.serialize_pem())
}

/// Calls a server that presents `chain`, as a client that trusts `anchors`.
async fn call(
    chain: &str,
    key: &str,
    anchors: &str,
    trust: impl Fn(&str) -> Trust,
) -> Result<Response, NetError> {
    let clock = Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
    let identity = Identity::from_pem(chain, key).expect("an identity");
    let tls = ServerTls::new(&identity, Trust::new(), &clock, TlsOptions::default()).expect("TLS");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let handler = Arc::new(EchoHandler::default());
    let server = Server::start(listener, Some(tls), handler, small()).expect("a server");
    let url = Url::parse(&format!("https://{}", server.address())).expect("a URL");
    let tls = ClientTls::new(None, trust(anchors), &clock, TlsOptions::default()).expect("TLS");
    Client::new(Some(tls), small(), ClientOptions::default()).send(&url, post("/")).await
}

fn anchored(anchors: &str) -> Trust {
    let trust = Trust::new();
    trust.add("target", anchors).expect("an anchor");
    trust
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_self_signed_certificate_for_everything_is_taken_with_a_key_of_any_type() {
    let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    let of = |algorithm| KeyPair::generate_for(algorithm).expect("a key");
    for key in [
        rsa,
        of(&PKCS_ECDSA_P256_SHA256),
        of(&PKCS_ECDSA_P384_SHA384),
        of(&PKCS_ECDSA_P521_SHA512),
        of(&PKCS_ED25519),
    ] {
        let (certificate, key) = self_signed(&key);
        for trust in [anchored as fn(&str) -> Trust, Trust::of_hosts, |_| Trust::on_first_use()] {
            let answered = call(&certificate, &key, &certificate, trust).await;
            assert_eq!(answered.map(|answer| answer.status), Ok(200));
        }
        let other = self_signed(&of(&PKCS_ED25519)).0;
        let refused = call(&certificate, &key, &other, anchored).await.expect_err("another authority");
        assert_eq!(refused.kind(), FailureKind::Untrusted);
        assert!(!refused.to_string().contains("BadEncoding"), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_with_intermediates_is_taken_and_a_broken_one_is_not() {
    let keys: Vec<KeyPair> = (0..3).map(|_| KeyPair::generate().expect("a key")).collect();
    let root = params("root", true).self_signed(&keys[0]).expect("signed");
    let root_issuer = Issuer::new(params("root", true), &keys[0]);
    let middle = params("middle", true).signed_by(&keys[1], &root_issuer).expect("signed");
    let middle_issuer = Issuer::new(params("middle", true), &keys[1]);
    let leaf = params("leaf", false).signed_by(&keys[2], &middle_issuer).expect("signed");
    let key = keys[2].serialize_pem();
    let chain = leaf.pem() + &middle.pem();
    assert!(call(&chain, &key, &root.pem(), anchored).await.is_ok());
    assert!(
        call(&leaf.pem(), &key, &middle.pem(), anchored).await.is_ok(),
        "the intermediate is trusted itself"
    );
    let refused = call(&leaf.pem(), &key, &root.pem(), anchored).await.expect_err("a link is missing");
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
}

type Change = Box<dyn Fn(&mut CertificateParams)>;

#[test]
fn a_certificate_that_is_refused_has_its_reason_in_words() {
    let keys: Vec<KeyPair> = (0..2).map(|_| KeyPair::generate().expect("a key")).collect();
    let trust = anchored(&params("root", true).self_signed(&keys[0]).expect("signed").pem());
    let issuer = Issuer::new(params("root", true), &keys[0]);
    let mut critical = CustomExtension::from_oid_content(&[2, 5, 29, 32], vec![0x30, 0]);
    critical.set_criticality(true);
    let cases: [(&str, Change); 6] = [
        ("its validity begins before 1970", Box::new(|odd| odd.not_before = date_time_ymd(1951, 1, 1))),
        ("it is that of an authority (CA:TRUE)", Box::new(|odd| *odd = params("an authority", true))),
        (
            "has a critical extension that is not read",
            Box::new(move |odd| odd.custom_extensions.push(critical.clone())),
        ),
        ("client authentication", Box::new(|odd| odd.extended_key_usages = vec![ClientAuth])),
        ("the certificate has expired", Box::new(|odd| odd.not_after = date_time_ymd(2026, 2, 1))),
        ("the certificate is not yet valid", Box::new(|odd| odd.not_before = date_time_ymd(2026, 7, 1))),
    ];
    for (part, change) in cases {
        let mut odd = params("odd", false);
        change(&mut odd);
        let odd = odd.signed_by(&keys[1], &issuer).expect("signed");
        let refused = trust.check_server(&[odd.der()], "2026-06-01T00:00:00Z".parse().expect("a moment"));
        let text = refused.expect_err(part).to_string();
        assert!(text.contains(part) && !text.contains("Error("), "{part}: {text}");
    }
}

#[test]
fn the_dates_of_a_certificate_that_is_trusted_itself_count() {
    let (certificate, _) = self_signed(&KeyPair::generate().expect("a key"));
    let trust = anchored(&certificate);
    let der = crate::pki::Certificate::from_pem(&certificate).expect("a certificate");
    let check = |moment: &str| trust.check_server(&[der.der()], moment.parse().expect("a moment"));
    assert!(check("2026-06-01T00:00:00Z").is_ok() && check("9999-12-30T00:00:00Z").is_ok());
    assert_eq!(check("2025-06-01T00:00:00Z"), Err(Rejection::NotYetValid));
}

#[test]
fn a_key_that_cannot_be_used_has_its_reason() {
    let (certificate, key) = self_signed(&KeyPair::generate().expect("a key"));
    let (_, other) = self_signed(&KeyPair::generate().expect("a key"));
    for (key, part) in [
        (other.as_str(), "for another key"),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "encrypted"),
        ("nothing", "no private key"),
        (certificate.as_str(), "no private key"),
    ] {
        let error = Identity::from_pem(&certificate, key).expect_err(part).to_string();
        assert!(error.contains(part), "{error}");
    }
    assert!(Identity::from_pem(&certificate, &key).is_ok());
}
