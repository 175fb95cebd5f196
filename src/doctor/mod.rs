//! The diagnosis before a run: what works, and how to fix what does not.

mod anonymous_client;
mod operator;
mod plane;
mod point;

pub use anonymous_client::{DETECTION, DetectError, PROBES, Probe, detect_caller_form};
pub use plane::examine_plane;
pub use point::{FailedPoint, Point, PointResult, Points};

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpListener;
use url::Url;

use crate::Blame;
use crate::net::Limits;
use crate::operator::{Description, is_here};
use crate::runner::{ExternalTarget, WayBackTrial, try_way_back};
use crate::scenario::RunContext;
use crate::transcript::Recorder;
use crate::wire::generation::CallerForm;
use crate::wire::harmless::visible;

/// The subject of a diagnosis, beside the operator client.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The URL of the federation plane; `None` takes the one that the operator client reports.
    pub url: Option<Url>,
    /// The authorities to trust for it; `None` takes those that the operator client reports.
    pub ca_bundle_pem: Option<String>,
    /// The address that the peers listen on.
    pub listen: IpAddr,
    /// The URL at which the target calls the peers, if it is not their own address.
    pub advertise: Option<Url>,
    /// The way in which the peers identify themselves, if the user names one.
    pub caller: Option<CallerForm>,
    /// The limits on what is read.
    pub limits: Limits,
    /// True if a person is the operator, who is asked for no trial of the way back.
    pub asks_a_person: bool,
    /// Recorder of the exchanges of the anonymous client; `None` if they are not recorded.
    pub recorder: Option<Recorder>,
}

/// Examines the ports, the operator client, the federation plane and the way back to the peers. `external` is
/// `None` for the embedded reference platform.
pub async fn examine(
    points: &mut Points<'_>,
    subject: &Subject,
    external: Option<&ExternalTarget>,
    run_context: &RunContext,
) {
    examine_port(points, subject.listen).await;
    let Some(external) = external else {
        if points.first_failure().is_none() {
            points.fine("operator", "none is named: a run checks the embedded reference platform");
        }
        if let Some(url) = &subject.url {
            examine_plane(points, subject, url, subject.ca_bundle_pem.as_deref()).await;
        }
        return;
    };
    // The lease is held until the end, because the platform of an adapter ends with it.
    let lease = operator::lease(points, external.targets.as_ref()).await;
    let (described, started) = match &lease {
        Some(lease) => operator::examine(points, lease).await,
        None => <_>::default(),
    };
    let reported = operator::base_url(&started);
    if let Some(url) = subject.url.clone().or(reported) {
        let reported = started["ca_bundle_pem"].as_str();
        let ca_bundle_pem = subject.ca_bundle_pem.as_deref().or(reported);
        examine_plane(points, subject, &url, ca_bundle_pem).await;
        let is_possible = examine_addresses(points, subject, &url);
        // The trial leases the target itself.
        drop(lease);
        if is_possible && subject.asks_a_person {
            points.note("callback", "a run shows whether the target can call the peers");
        } else if is_possible && points.first_failure().is_none() {
            try_call(points, external, run_context, &described).await;
        }
    } else {
        drop(lease);
    }
    external.targets.close().await;
}

async fn examine_port(points: &mut Points<'_>, listen: IpAddr) {
    match TcpListener::bind(SocketAddr::new(listen, 0)).await {
        Ok(_) => points.fine("peers", format!("can listen on {listen}")),
        Err(error) => {
            let hint = "name an address of this machine with --listen";
            points.failed("peers", format!("can't listen on {listen}: {error}"), hint, Blame::Environment);
        }
    }
}

/// Examines the addresses at which the target calls the peers. Returns false if it can't call them there.
fn examine_addresses(points: &mut Points<'_>, subject: &Subject, url: &Url) -> bool {
    let is_lost = subject.advertise.is_none() && subject.listen.is_loopback() && !is_here(url);
    if is_lost {
        let found = format!("the peers listen on {}, where the target can't call them", subject.listen);
        points.failed("callback", found, OTHER_ADDRESS, None);
    }
    !is_lost
}

/// Advice for a target that does not reach the peers.
const OTHER_ADDRESS: &str = "give --listen an address that the target reaches, or --advertise a URL that leads here; a target that verifies the \
     certificate of a peer by the roots of its system needs --peer-certificate and --peer-key";

/// Asks the target to call a peer. That none does is no fault: not every target has a reason to call.
async fn try_call(
    points: &mut Points<'_>,
    external: &ExternalTarget,
    run_context: &RunContext,
    described: &Description,
) {
    match try_way_back(external.targets.as_ref(), run_context, described).await {
        WayBackTrial::Open(how) => points.fine("callback", how),
        WayBackTrial::Closed(detail) => {
            let found = "the operator client reports that the platform's host does not reach a peer (network.probe)";
            let words = detail.map(|detail| detail.split_whitespace().collect::<Vec<_>>().join(" "));
            let words = words.map(|words| format!(": {}", visible(&words))).unwrap_or_default();
            points.failed("callback", format!("{found}{words}"), OTHER_ADDRESS, None);
        }
        WayBackTrial::Unseen(why) => points.note(
            "callback",
            format!(
                "no call of the target arrived at a peer ({why}), so a notice that does not come will prove nothing: open \
                 the address of the peers from the platform's host, {OTHER_ADDRESS}, implement network.probe, or state \
                 --way-back-open"
            ),
        ),
    }
}
