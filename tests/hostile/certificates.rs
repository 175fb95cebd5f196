//! Server certificates that a peer must not trust.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::server::{Behaviour, Layer};

const fn certificate(name: &'static str, make: fn(&Authority) -> Chain) -> Behaviour {
    Behaviour { name, is_invalid: true, layer: Layer::Certificate(make) }
}

pub(crate) const CERTIFICATES: &[Behaviour] = &[
    certificate("a self-signed certificate", |_| self_signed("hostile")),
    certificate("a certificate of another authority", |_| Authority::new().leaf(|_| {})),
    certificate("an expired certificate", |authority| {
        authority.leaf(|leaf| {
            leaf.not_before = rcgen::date_time_ymd(2001, 1, 1);
            leaf.not_after = rcgen::date_time_ymd(2002, 1, 1);
        })
    }),
    certificate("a certificate that is not yet valid", |authority| {
        authority.leaf(|leaf| {
            leaf.not_before = rcgen::date_time_ymd(2190, 1, 1);
            leaf.not_after = rcgen::date_time_ymd(2199, 1, 1);
        })
    }),
    certificate("a self-signed certificate with a name of sixty kilobytes", |_| {
        self_signed(&"x".repeat(60_000))
    }),
    certificate("a self-signed certificate with terminal escapes in its name", |_| {
        self_signed("\u{1b}[2J\u{7}\u{202e}]]><x/>")
    }),
    certificate("a CA certificate of another authority as the leaf", |_| {
        Authority::new().leaf(|leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))
    }),
    certificate("a certificate for another host", |authority| {
        authority.leaf(|leaf| leaf.subject_alt_names = vec![])
    }),
    certificate("a chain of one hundred self-signed certificates", |_| {
        let (leaf, key) = self_signed("hostile");
        (leaf.into_iter().cycle().take(100).collect(), key)
    }),
];

/// A chain in DER, leaf first, and the key of the leaf as PKCS #8.
pub(crate) type Chain = (Vec<Vec<u8>>, Vec<u8>);

/// A certificate authority.
pub(crate) struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
        let mut params = CertificateParams::new(vec![]).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "hostile authority");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    pub(crate) fn ca_bundle_pem(&self) -> String {
        self.pem.clone()
    }

    pub(crate) fn conforming(&self) -> Chain {
        self.leaf(|_| {})
    }

    fn leaf(&self, mutate: impl FnOnce(&mut CertificateParams)) -> Chain {
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
        let mut params =
            CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("parameters");
        mutate(&mut params);
        let leaf = params.signed_by(&key, &self.issuer).expect("a certificate");
        (vec![leaf.der().to_vec()], key.serialize_der())
    }

    pub(crate) fn config(chain: Chain, protocol: &[u8]) -> Arc<ServerConfig> {
        let (chain, key) = chain;
        let chain = chain.into_iter().map(CertificateDer::from).collect();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key));
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().expect("versions");
        // No check that the certificate is valid and fits the key: some behaviours need one that does not.
        let key = aws_lc_rs::sign::any_supported_type(&key).expect("a key");
        let resolver = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![protocol.to_vec()];
        Arc::new(config)
    }
}

fn self_signed(name: &str) -> Chain {
    let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    (vec![params.self_signed(&key).expect("a certificate").der().to_vec()], key.serialize_der())
}
