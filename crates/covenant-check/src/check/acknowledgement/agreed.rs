//! The contract version that an accept agreed on.

use serde_json::Value;

use crate::check::outcome::{OrUnproven, Stop};
use crate::check::query::{Call, CallQuery, calls, peer_shown};
use covenant_model::transcript::{Exchange, Trace};

/// The reason for which a check ends without an accept and a snapshot.
const NO_ACCEPT: &str = "no accept succeeded, or no peer was shown";

/// Returns the first accept with this label that succeeded.
pub(super) fn accept<'a>(trace: &'a Trace, label: &str) -> Result<Call<'a>, Stop> {
    calls(trace).labelled(label).accepted().first_or(NO_ACCEPT)
}

/// Returns the peer in the snapshot with this label.
pub(super) fn snapshot<'a>(trace: &'a Trace, label: &str) -> Result<(u64, &'a Value), Stop> {
    peer_shown(trace, label).or_unproven(NO_ACCEPT)
}

/// Returns the version in the answer to an accept, or `None` if it has no such member.
pub(super) fn reported(accept: &Exchange) -> Option<Value> {
    accept.data()?.get("contract_version_agreed").cloned()
}

/// Returns whether an accept with this `contract_version` names a version: a number of JSON that is a whole one
/// and above zero.
pub(super) fn names_a_version(requested: &Value) -> bool {
    requested.as_f64().is_some_and(|number| number > 0.0 && number.fract() == 0.0)
}
