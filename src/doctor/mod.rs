//! The diagnosis before a run: what works, and how to fix what does not.

mod anonymous_client;
mod operator;
mod plane;
mod point;

pub use anonymous_client::{DetectError, detect_caller_form};
pub use plane::examine_plane;
pub use point::{FailedPoint, Point, PointResult, Points};

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpListener;
use url::Url;

use crate::Blame;
use crate::net::Limits;
use crate::operator::is_here;
use crate::runner::ExternalTarget;
use crate::wire::generation::CallerForm;

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
}

/// Examines the ports, the operator client, the federation plane and the way back to the peers. `external` is
/// `None` for the embedded reference platform.
pub async fn examine(points: &mut Points<'_>, subject: &Subject, external: Option<&ExternalTarget>) {
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
    let started = match &lease {
        Some(lease) => operator::examine(points, lease).await,
        None => serde_json::Value::Null,
    };
    let reported = started["base_url"].as_str().and_then(|text| text.parse().ok());
    if let Some(url) = subject.url.clone().or(reported) {
        let reported = started["ca_bundle_pem"].as_str();
        let ca_bundle_pem = subject.ca_bundle_pem.as_deref().or(reported);
        examine_plane(points, subject, &url, ca_bundle_pem).await;
        examine_way_back(points, subject, &url);
    }
    drop(lease);
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

/// Examines the addresses at which the target calls the peers. Only a run shows that it can.
fn examine_way_back(points: &mut Points<'_>, subject: &Subject, url: &Url) {
    match &subject.advertise {
        Some(url) => {
            points
                .note("callback", format!("the target calls the peers at {url}: a run shows whether it can"));
        }
        None if subject.listen.is_loopback() && !is_here(url) => points.failed(
            "callback",
            format!("the peers listen on {}, where the target can't call them", subject.listen),
            "give --listen an address that the target reaches, or --advertise a URL that leads here",
            None,
        ),
        None => points
            .note("callback", "the target calls the peers at their own address: a run shows whether it can"),
    }
}
