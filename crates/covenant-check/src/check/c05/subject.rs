//! The subjects by which a target may know a peer.

use serde_json::Value;
use x509_parser::pem::parse_x509_pem;

use crate::check::query::{CallQuery, calls};
use covenant_model::transcript::{Operation, Trace};
use covenant_model::wire::header::{forwarded_subject, inbound_subject};
use covenant_model::wire::path::Route;

/// Returns the subjects by which the target may know a peer: those of the grants that were issued to it, and the CNs that
/// the target assigned, signed or received from a proxy, and those that follow from the id.
pub(super) fn valid_subjects<'a>(
    trace: &Trace,
    peer: &str,
    peer_id: &str,
    issued: impl IntoIterator<Item = &'a Operation>,
) -> Vec<String> {
    let mut subjects = vec![inbound_subject(peer_id), peer_id.to_owned()];
    for call in calls(trace).of(peer).made_by_peer() {
        let headers = call.exchange.request.headers.iter();
        subjects.extend(headers.filter_map(|(name, value)| forwarded_subject(name, value)));
        if let Some(data) = call.exchange.data().filter(|_| call.route() == Some(Route::Accept)) {
            let assigned = [&data, &data["trust_exchange"]].map(|place| &place["assigned_inbound_subject"]);
            subjects.extend(assigned.into_iter().filter_map(Value::as_str).map(ToOwned::to_owned));
            subjects.extend(signed_subject(&data));
        }
    }
    subjects.sort();
    subjects.dedup();
    let issued = issued.into_iter().filter_map(|issue| issue.parameters["remote_subject"].as_str());
    subjects.extend(issued.map(ToOwned::to_owned));
    subjects
}

/// Returns the CN in the certificate that the target signed for the peer.
fn signed_subject(accepted: &Value) -> Option<String> {
    let pem = accepted["federation_certificate"]["cert_pem"].as_str()?;
    let (_, block) = parse_x509_pem(pem.as_bytes()).ok()?;
    let certificate = block.parse_x509().ok()?;
    let name = certificate.subject().iter_common_name().find_map(|name| name.as_str().ok())?;
    Some(name.to_owned())
}
