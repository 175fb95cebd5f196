//! Certificates that are not to be trusted, or are no certificates.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ED25519};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::server::{Behaviour, How};

const fn certificate(name: &'static str, make: fn(&Keys) -> Chain) -> Behaviour {
    Behaviour { name, spoils: true, how: How::Certificate(make) }
}

pub(crate) const CERTIFICATES: &[Behaviour] = &[
    certificate("a self-signed certificate", |_| alone("hostile")),
    certificate("a certificate of another authority", |_| Keys::new().leaf(|_| {})),
    certificate("an expired certificate", |keys| {
        keys.leaf(|leaf| {
            leaf.not_before = rcgen::date_time_ymd(2001, 1, 1);
            leaf.not_after = rcgen::date_time_ymd(2002, 1, 1);
        })
    }),
    certificate("a certificate of the future", |keys| {
        keys.leaf(|leaf| {
            leaf.not_before = rcgen::date_time_ymd(2190, 1, 1);
            leaf.not_after = rcgen::date_time_ymd(2199, 1, 1);
        })
    }),
    certificate("a self-signed certificate with a name of sixty kilobytes", |_| alone(&"x".repeat(60_000))),
    certificate("a self-signed certificate whose name is terminal escapes", |_| {
        alone("\u{1b}[2J\u{7}\u{202e}]]><x/>")
    }),
    certificate("an authority's certificate with a name that is no name", |_| {
        Keys::new().leaf(|leaf| leaf.is_ca = IsCa::Ca(BasicConstraints::Unconstrained))
    }),
    certificate("a hundred certificates that lead nowhere", |_| {
        let (leaf, key) = alone("hostile");
        (leaf.into_iter().cycle().take(100).collect(), key)
    }),
];

/// DER, leaf first, and the key as PKCS #8.
pub(crate) type Chain = (Vec<Vec<u8>>, Vec<u8>);

/// An authority, and what it signs.
pub(crate) struct Keys {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Keys {
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
        // Whether the certificate fits the key, or is one, is not asked.
        let key = aws_lc_rs::sign::any_supported_type(&key).expect("a key");
        let resolver = SingleCertAndKey::from(CertifiedKey::new(chain, key));
        let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(resolver));
        config.alpn_protocols = vec![protocol.to_vec()];
        Arc::new(config)
    }
}

fn alone(name: &str) -> Chain {
    let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    (vec![params.self_signed(&key).expect("a certificate").der().to_vec()], key.serialize_der())
}
