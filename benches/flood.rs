//! `covenant flood` beside a bare loop of rustls and hyper: handshakes in a second, at one server, in one run. Prints
//! the ratio and asserts nothing.
//!
//! `cargo bench --bench flood`

#![expect(clippy::print_stdout, reason = "a benchmark prints")]
#![expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, ServerConfig, SignatureScheme};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The word that makes this program the bare loop.
const BARE: &str = "bare";
/// The number of handshakes at the same time, here and there.
const AT_ONCE: u64 = 32;
/// The duration of each measurement, and the number of measurements of each side, in turn.
const LASTS: Duration = Duration::from_secs(2);
const ROUNDS: usize = 11;
/// More than any machine does, so that the rate limits nothing.
const RATE: &str = "1000000";
const PATH: &str = "/api/v1/system/federation_api/accept";
const BODY: &str = r#"{"acceptance_token":"0000000000000000000000000000000000000000000000000000000000000000","contract_version":1,"contract_digest":"0000000000000000000000000000000000000000000000000000000000000000","platform_version":"1.4.0"}"#;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Some(place) = arguments.iter().position(|argument| argument == BARE) {
        let address = arguments[place + 1].parse().expect("an address");
        return println!("{}", runtime.block_on(bare(address)));
    }
    let address = runtime.block_on(serve());
    println!("handshakes a second, and processor time of the client for one; both sides in turn");
    let (mut rates, mut costs) = (Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        let (bare, flood) = (of_bare(address), of_flood(address));
        let (rate, cost) = (flood.rate / bare.rate, flood.milliseconds / bare.milliseconds);
        println!(
            "round {round:2}: bare rustls + hyper {:5.0}, {:.3} ms; covenant flood {:5.0}, {:.3} ms; ratios {rate:.2}, {cost:.2}",
            bare.rate, bare.milliseconds, flood.rate, flood.milliseconds
        );
        rates.push(rate);
        costs.push(cost);
    }
    println!("median ratio of the rates {:.2}, of the processor times {:.2}", median(rates), median(costs));
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

/// Results of one side.
struct Reached {
    rate: f64,
    /// Processor time of the client for one handshake.
    milliseconds: f64,
}

/// Runs a client, whose output holds the number of handshakes in a second.
fn measure(command: &mut Command, read: impl Fn(&str) -> Option<f64>) -> Reached {
    let before = children_seconds();
    let began = Instant::now();
    let output = command.output().expect("it runs");
    let took = began.elapsed().as_secs_f64();
    let text = String::from_utf8_lossy(&output.stdout);
    let rate = read(&text).unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    Reached { rate, milliseconds: (children_seconds() - before) * 1000.0 / (rate * took) }
}

fn children_seconds() -> f64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("the usage");
    let seconds = |time: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(time.num_microseconds()).expect("a time")).as_secs_f64()
    };
    seconds(usage.user_time()) + seconds(usage.system_time())
}

fn of_bare(address: SocketAddr) -> Reached {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new(program);
    measure(command.args([BARE, &address.to_string()]), |text| text.trim().parse().ok())
}

fn of_flood(address: SocketAddr) -> Reached {
    let url = format!("https://{address}");
    let lasts = format!("{}s", LASTS.as_secs());
    let at_once = AT_ONCE.to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_covenant"));
    command.args(["flood", &url, "--rate", RATE, "--for", &lasts, "--at-once", &at_once]);
    measure(&mut command, |text| text.split("; ").nth(1)?.split_whitespace().next()?.parse().ok())
}

/// Starts a server that answers every request with 401.
async fn serve() -> SocketAddr {
    let key = KeyPair::generate_for(&PKCS_ED25519).expect("a key");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let certificate =
        CertificateParams::new(names).expect("parameters").self_signed(&key).expect("a certificate");
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a certificate");
    config.send_tls13_tickets = 0;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let answer = service_fn(|request: hyper::Request<Incoming>| async {
                    let _ = request.into_body().collect().await;
                    let body = Full::new(Bytes::from_static(b"{\"success\":false}"));
                    let mut response = hyper::Response::new(body);
                    *response.status_mut() = hyper::StatusCode::UNAUTHORIZED;
                    Ok::<_, Infallible>(response)
                });
                let server = hyper::server::conn::http1::Builder::new();
                let _ = server.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    address
}

/// Makes handshakes in a bare loop, and returns their number in a second.
async fn bare(address: SocketAddr) -> f64 {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyServer(provider)))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    let connector = TlsConnector::from(Arc::new(config));
    let answered = Arc::new(AtomicU64::new(0));
    let began = Instant::now();
    let lanes: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (connector, answered) = (connector.clone(), answered.clone());
            tokio::spawn(async move {
                while began.elapsed() < LASTS {
                    handshake(&connector, address).await;
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for lane in lanes {
        lane.await.expect("a lane");
    }
    let answered = u32::try_from(answered.load(Ordering::Relaxed)).expect("a number");
    f64::from(answered) / began.elapsed().as_secs_f64()
}

async fn handshake(connector: &TlsConnector, address: SocketAddr) {
    let socket = TcpStream::connect(address).await.expect("a connection");
    socket.set_nodelay(true).expect("set");
    let name = ServerName::from(address.ip());
    let stream = connector.connect(name, socket).await.expect("a handshake");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.expect("a connection");
    let driver = tokio::spawn(connection);
    let request = hyper::Request::post(PATH)
        .header("host", address.to_string())
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from_static(BODY.as_bytes())))
        .expect("a request");
    let response = sender.send_request(request).await.expect("a response");
    assert_eq!(response.status(), 401);
    let _ = response.into_body().collect().await.expect("a body");
    drop(sender);
    let _ = driver.await;
}

/// Takes any certificate whose signatures are right, as a loop without a policy does.
#[derive(Debug)]
struct AnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
