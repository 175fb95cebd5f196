//! `covenant doctor`: shows before a run what works and how to fix what does not.

use std::net::{IpAddr, SocketAddr};

use clap::Args;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use url::{Host, Url};

use super::config::Config;
use super::identity::IdentityForm;
use super::probe::{AnonymousClient, generations};
use super::target_choice::TargetArguments;
use super::{Exit, Failure, block_on, print};
use crate::clock::{Clock, Seed};
use crate::net::{NetError, Response};
use crate::operator::platform::{Advance, Describe, Start};
use crate::operator::{
    Address, Description, Lease, Method, OperatorClient, OperatorError, OperatorMethod, TargetRequest,
    Targets,
};
use crate::report::terminal;
use crate::suite::Target;
use crate::wire::envelope::Answer;
use crate::wire::generation::{CallerForm, Generation, names_of};
use crate::wire::path::Route;
use crate::with_causes;

/// The remaining days of a certificate below which `doctor` prints a note.
const SHORT_LIFE_DAYS: i64 = 14;

/// Arguments of `covenant doctor`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let config = Config::find(arguments.target.config.as_deref())?;
    let asked = arguments.target.clone().or(&config);
    let mut diagnostics = Diagnostics::default();
    let target = match asked.target(None) {
        Ok(target) => target,
        Err(failure) => {
            let hint = "see `covenant doctor --help`, or edit covenant.toml";
            diagnostics.bad("operator", &with_causes(failure.error.as_ref()), hint, failure.exit)?;
            Target::default()
        }
    };
    let named = asked.address().ok().flatten();
    block_on(examine(&mut diagnostics, &asked, &target, named))??;
    Ok(diagnostics.worst.unwrap_or(Exit::Kept))
}

async fn examine(
    diagnostics: &mut Diagnostics,
    asked: &TargetArguments,
    target: &Target,
    named: Option<Address>,
) -> Result<(), Failure> {
    let listen = asked.listen.unwrap_or(IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
    port(diagnostics, listen).await?;
    let Target::ExternalTarget(external) = target else {
        if diagnostics.worst.is_none() {
            diagnostics.fine("operator", "none is named: a run checks the embedded reference platform")?;
        }
        return match &asked.target {
            Some(url) => {
                plane(diagnostics, asked, url, named.and_then(|at| at.ca_bundle_pem).as_deref()).await
            }
            None => Ok(()),
        };
    };
    // The lease is held until the end, because the platform of an adapter ends with it.
    let lease = lease(diagnostics, external.targets.as_ref()).await?;
    let started = match &lease {
        Some(lease) => look(diagnostics, lease).await?,
        None => Value::Null,
    };
    let reported = started["base_url"].as_str().and_then(|text| text.parse().ok());
    if let Some(url) = asked.target.clone().or(reported) {
        let reported = started["ca_bundle_pem"].as_str().map(ToOwned::to_owned);
        let ca_bundle_pem = named.and_then(|at| at.ca_bundle_pem).or(reported);
        plane(diagnostics, asked, &url, ca_bundle_pem.as_deref()).await?;
        way_back(diagnostics, asked, listen, &url)?;
    }
    drop(lease);
    external.targets.close().await;
    Ok(())
}

/// The points of `covenant doctor`, printed as they are found.
#[derive(Default)]
pub(super) struct Diagnostics {
    worst: Option<Exit>,
}

impl Diagnostics {
    /// Returns the exit code of the first point that failed.
    pub(super) fn worst(&self) -> Option<Exit> {
        self.worst
    }

    #[expect(clippy::unused_self, reason = "a sheet is what is written on")]
    fn fine(&mut self, what: &str, found: &str) -> Result<(), Failure> {
        print(&format!("ok    {what:<12} {}\n", terminal(found)))
    }

    /// Prints a point that failed. `exit` becomes the exit code if this is the first failure.
    fn bad(&mut self, what: &str, found: &str, hint: &str, exit: Exit) -> Result<(), Failure> {
        self.worst.get_or_insert(exit);
        print(&format!("FAIL  {what:<12} {}; {hint}\n", terminal(found)))
    }

    #[expect(clippy::unused_self, reason = "a sheet is what is written on")]
    fn note(&mut self, what: &str, found: &str) -> Result<(), Failure> {
        print(&format!("note  {what:<12} {}\n", terminal(found)))
    }
}

async fn port(diagnostics: &mut Diagnostics, listen: IpAddr) -> Result<(), Failure> {
    match TcpListener::bind(SocketAddr::new(listen, 0)).await {
        Ok(_) => diagnostics.fine("peers", &format!("can listen on {listen}")),
        Err(error) => {
            let hint = "name an address of this machine with --listen";
            diagnostics.bad("peers", &format!("can't listen on {listen}: {error}"), hint, Exit::Environment)
        }
    }
}

async fn lease(diagnostics: &mut Diagnostics, targets: &dyn Targets) -> Result<Option<Lease>, Failure> {
    let request = TargetRequest { scenario: "doctor", seed: Seed(1), alone: true, durable: false };
    match targets.lease(request).await {
        Ok(lease) => Ok(Some(lease)),
        Err(error) => {
            let hint = "`covenant adapter check` talks to it method by method";
            diagnostics.bad("operator", &error.to_string(), hint, Exit::Adapter)?;
            Ok(None)
        }
    }
}

/// Prints the operator's description and abilities, and returns the result of `platform.start`.
async fn look(diagnostics: &mut Diagnostics, lease: &Lease) -> Result<Value, Failure> {
    let operator = &*lease.operator;
    if let Ok(reported) = operator.call(Describe::METHOD, json!({})).await {
        let description = Description::read(&reported).unwrap_or_default();
        let had = Method::all().filter(|method| description.has(*method)).count();
        let all = Method::all().count();
        let found = format!("{} {}: {had} of {all} methods", description.name, description.version);
        diagnostics.fine("operator", &found)?;
    } else {
        diagnostics.note("operator", "does not describe itself")?;
    }
    match operator.call_nonexistent().await {
        Err(OperatorError::Unsupported { .. }) => {
            diagnostics.fine("unsupported", "rejects a method that does not exist")?;
        }
        other => {
            let found = format!("a method that does not exist was answered: {other:?}");
            diagnostics.bad(
                "unsupported",
                &found,
                "answer an unknown method with the error -32601",
                Exit::Adapter,
            )?;
        }
    }
    clock(diagnostics, operator).await?;
    match operator.call(Start::METHOD, json!({})).await {
        Ok(started) => {
            diagnostics.fine("start", &format!("the platform is at {}", started["base_url"]))?;
            Ok(started)
        }
        Err(error) => {
            let hint = "see the adapter's log, or name a running platform with --target URL";
            diagnostics.bad("start", &error.to_string(), hint, Exit::Target)?;
            Ok(Value::Null)
        }
    }
}

async fn clock(diagnostics: &mut Diagnostics, operator: &dyn OperatorClient) -> Result<(), Failure> {
    match operator.call(Advance::METHOD, json!({"seconds": 0})).await {
        Ok(reported) => diagnostics.fine("clock", &format!("can be moved, and shows {}", reported["now"])),
        Err(OperatorError::Unsupported { .. }) => diagnostics
            .note("clock", "can't be moved: what takes hours or days stays unproven (clock.advance)"),
        Err(error) => {
            diagnostics.bad("clock", &error.to_string(), "fix clock.advance in the adapter", Exit::Adapter)
        }
    }
}

/// Checks the federation plane as an anonymous client.
pub(super) async fn plane(
    diagnostics: &mut Diagnostics,
    asked: &TargetArguments,
    url: &Url,
    ca_bundle_pem: Option<&str>,
) -> Result<(), Failure> {
    let anonymous_client = match AnonymousClient::before(url, ca_bundle_pem, asked.limits()) {
        Ok(anonymous_client) => anonymous_client,
        Err(error) => {
            return diagnostics.bad("trust", &error.to_string(), "name a PEM bundle with --ca", Exit::Usage);
        }
    };
    let answered = match anonymous_client.accept().await {
        Ok(answered) => answered,
        Err(error) => {
            let (what, hint) = hint(&error);
            return diagnostics.bad(what, &format!("{url}: {error}"), hint, Exit::Target);
        }
    };
    connection(diagnostics, url, &answered, ca_bundle_pem.is_some())?;
    accept(diagnostics, &answered)?;
    match anonymous_client.trust_bundle().await {
        Ok(answered) => spoken(diagnostics, url, asked, &answered),
        Err(error) => {
            diagnostics.bad("generation", &error.to_string(), "see the platform's own log", Exit::Target)
        }
    }
}

/// Names the point that a network error belongs to, and a hint.
fn hint(error: &NetError) -> (&'static str, &'static str) {
    match error {
        NetError::Refused(_) => ("connection", "is it running? name another address with --target"),
        NetError::Untrusted(_) => ("trust", "name its authorities with --ca FILE, or --system-roots"),
        NetError::Handshake(_) => {
            ("trust", "is this its TLS port? plain http needs --plain-http and an http: URL")
        }
        NetError::Timeout { .. } => ("connection", "is a firewall in between? raise --request-timeout"),
        _ => ("connection", "is this an HTTP service?"),
    }
}

fn connection(
    diagnostics: &mut Diagnostics,
    url: &Url,
    answered: &Response,
    is_anchored: bool,
) -> Result<(), Failure> {
    let Some(tls) = &answered.tls else {
        return diagnostics
            .note("connection", &format!("{url} answers in {}, without TLS", answered.protocol));
    };
    let found = format!("{url} answers in {} over {}", answered.protocol, tls.version);
    diagnostics.fine("connection", &found)?;
    if let Some(not_after) = tls.peer_not_after {
        let left = not_after.duration_since(Clock::system().now()).as_hours() / 24;
        let found = format!("its certificate is good until {not_after}, {left} days more");
        if left < SHORT_LIFE_DAYS {
            diagnostics.note("certificate", &format!("{found}: a run may outlive it; have it renewed"))?;
        } else {
            diagnostics.fine("certificate", &found)?;
        }
    }
    if is_anchored {
        return diagnostics.fine("trust", "its certificate leads to an authority that is trusted");
    }
    diagnostics.note("trust", "no authority is named (--ca): the first certificate that is seen is pinned")
}

fn accept(diagnostics: &mut Diagnostics, answered: &Response) -> Result<(), Failure> {
    let body: Value = serde_json::from_slice(&answered.body).unwrap_or(Value::Null);
    let refusal = Answer::read(&body).is_some_and(|answer| !matches!(answer, Answer::Data(_)));
    match answered.status {
        401 | 422 if refusal => diagnostics
            .fine("accept", &format!("rejects a token that was never issued ({})", answered.status)),
        404 => {
            let hint = "is it under a path? give it with --target https://host/path";
            diagnostics.bad("accept", "there is no federation plane here (404)", hint, Exit::Target)
        }
        status => {
            let found = format!(
                "a token that was never issued was answered with {status}, expected 401 and an error"
            );
            diagnostics.bad("accept", &found, "see `wire.md` §5, or the platform's own log", Exit::Target)
        }
    }
}

fn spoken(
    diagnostics: &mut Diagnostics,
    url: &Url,
    asked: &TargetArguments,
    answered: &Response,
) -> Result<(), Failure> {
    let generations = generations(answered);
    let generation = generations.first().copied().unwrap_or(Generation::newest());
    let (names, has) = (names_of(&generations), generation.has(&Route::TrustBundle));
    let bundle = if has { "it has a trust bundle" } else { "there is no trust bundle" };
    diagnostics.fine("generation", &format!("{names}: {bundle}"))?;
    let forwarded = CallerForm::Forwarded(generation.forwarded).name();
    match (url.scheme(), asked.identity.map(|IdentityForm(form)| form)) {
        ("http", Some(CallerForm::Tls)) => {
            let hint = format!("choose --identity {forwarded}, or an https: URL");
            diagnostics.bad("identity", "plain http carries no certificate", &hint, Exit::Usage)
        }
        ("http", None) => {
            diagnostics.fine("identity", &format!("forwarded in headers ({forwarded}), as its proxy would"))
        }
        (_, Some(form @ CallerForm::Forwarded(_))) if form.name() != forwarded => {
            let found = format!("{} was chosen, but the platform is {names}", form.name());
            diagnostics.bad("identity", &found, &format!("choose --identity {forwarded}"), Exit::Usage)
        }
        (_, Some(form)) => diagnostics.fine("identity", form.name()),
        (_, None) if generation.credentials.is_empty() => diagnostics.note(
            "identity",
            &format!(
                "a {names} platform issues no certificate in accept: to call its backend directly, use \
                 --identity {forwarded}"
            ),
        ),
        (_, None) => diagnostics.fine("identity", "the certificate of mutual TLS"),
    }
}

/// Checks the addresses by which the target calls the peers. Only a run shows that it can.
fn way_back(
    diagnostics: &mut Diagnostics,
    asked: &TargetArguments,
    listen: IpAddr,
    url: &Url,
) -> Result<(), Failure> {
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match &asked.advertise {
        Some(url) => diagnostics
            .note("callback", &format!("the target calls the peers at {url}: a run shows whether it can")),
        None if listen.is_loopback() && !is_here => diagnostics.bad(
            "callback",
            &format!("the peers listen on {listen}, where the target can't call them"),
            "give --listen an address that the target reaches, or --advertise a URL that leads here",
            Exit::Usage,
        ),
        None => diagnostics
            .note("callback", "the target calls the peers at their own address: a run shows whether it can"),
    }
}
