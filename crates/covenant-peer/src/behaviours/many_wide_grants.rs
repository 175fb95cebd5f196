//! Deviation: the peer issues wide grants by the dozen.

use crate::{Behaviour, Sending};
use covenant_model::wire::notice::kind as notice_kind;
use covenant_model::wire::path::Route;
use jiff::SignedDuration;
use serde_json::{Value, json};

/// Number of wide grants that one heartbeat reports. One heartbeat exceeds the limit (`binding.md`,
/// "Numbers": 20).
const GRANTS: u64 = 25;
/// Lifetime of each grant.
const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Behaviour that reports grants of all records of a kind in every heartbeat but the first; no operator issued
/// them.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "many-wide-grants",
    about: "reports in every heartbeat but the first 25 grants of all records of a kind that no operator issued",
    clauses: &["6.2"],
    request: Some(|sending, body| {
        if *sending.route == Route::Heartbeat && sending.before > 0 {
            body["events"] = issued(sending, body, GRANTS, true);
        }
    }),
    ..Behaviour::CONFORMING
};

/// Returns the notices of `grants` grants, each one different. `wide` grants cover a whole kind with every
/// scope; the others cover one record, for reading. The kind is the first that the heartbeat declares.
pub(super) fn issued(sending: &Sending<'_>, heartbeat: &Value, grants: u64, wide: bool) -> Value {
    let first = sending.before * grants;
    let kind = &heartbeat["capabilities"]["resource_kinds"][0]["kind"];
    (first..first + grants).map(|number| notice(sending, kind, number, wide)).collect()
}

fn notice(sending: &Sending<'_>, kind: &Value, number: u64, wide: bool) -> Value {
    let id = |what: u64| format!("01977e5a-0000-7000-8{what:03}-{number:012}");
    let scopes: &[&str] = if wide { &["read", "write", "admin", "migrate"] } else { &["read"] };
    let mut payload = json!({
        "grant_id": id(1),
        "remote_subject": format!("program-{number}"),
        "resource_kind": kind,
        "permission_scopes": scopes,
        "expires_at": sending.now.saturating_add(LIFE).unwrap_or(sending.now).to_string(),
    });
    if !wide {
        payload["resource_id"] = json!(id(2));
    }
    json!({
        "id": id(3),
        "kind": notice_kind::GRANT_ISSUED,
        "severity": "low",
        "emitted_at": sending.now.to_string(),
        "correlation_id": id(4),
        "source": "federation",
        "payload": payload,
    })
}
