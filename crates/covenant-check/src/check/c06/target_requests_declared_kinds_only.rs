//! `target-requests-declared-kinds-only`.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::{Label, PeerName};
use crate::check::definition::{AbsentCall, Check};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, operations_of};
use covenant_model::operator::{OperatorMethod, grant};
use covenant_model::transcript::Trace;
use covenant_model::wire::capability::CapabilityDocument;
use covenant_model::wire::path::{PREFIX, Route};

/// The target requests nothing of a peer but what the peer declared or gave it a grant for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct TargetRequestsDeclaredKindsOnly {
    /// The peer that the target calls.
    pub peer: PeerName,
    /// The operations that prompt the target to call it. Without each of them, calls without a breach prove nothing.
    #[serde(default)]
    pub prompt: Vec<Label>,
}

/// The number of different sorts of unknown paths that makes an enumeration, and no mere extension of the
/// wire.
const ENUMERATION_MIN: usize = 3;
/// The minimum length of a segment of letters and digits that is taken for an id.
const ID_LENGTH_MIN: usize = 16;
/// The path at which any platform may be asked for its offers (RFC 8615).
const WELL_KNOWN: &str = "/.well-known";

impl Check for TargetRequestsDeclaredKindsOnly {
    const ID: &'static str = "target-requests-declared-kinds-only";
    const ABSENT_CALL: AbsentCall = AbsentCall::MayKeep;
    const EXPECTED: &'static [&'static str] = &["calls about declared or granted kinds only"];
    const CONTROL: Option<&'static str> =
        Some("a call of the target to the peer arrived, and the peer declared kinds");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let valid = valid_kinds(trace, &self.peer);
        let made: Vec<Call<'_>> = calls(trace).of(&self.peer).made_by_target().collect();
        if valid.is_empty() || made.is_empty() {
            return Err(Stop::unproven("the peer declared nothing, or was not called", []));
        }
        let undeclared = made.iter().find_map(|call| {
            let kind = kind_of(call).filter(|kind| !valid.contains(kind))?;
            Some((call.n(), kind))
        });
        if let Some((n, kind)) = undeclared {
            let actual = format!("asked about {kind:?}, which the peer never declared");
            return Err(Stop::broken(actual, [n]));
        }
        let paths = made.iter().filter(|call| call.route().is_none());
        let unknown: BTreeSet<String> =
            paths.filter_map(|call| call.exchange.request.path.as_deref()).map(sort_of).collect();
        let evidence = made.iter().map(Call::n);
        if unknown.is_empty() {
            if let Some(label) = self.prompt.iter().find(|label| trace.operation(label).is_none()) {
                return Err(Stop::unproven(format!("the target was not prompted ({})", &**label), evidence));
            }
            let actual = format!("{} calls, all about what was declared", made.len());
            return Ok(Pass::new(actual, evidence));
        }
        let listed = unknown.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        if unknown.iter().filter(|sort| !may_extend_the_wire(sort)).count() < ENUMERATION_MIN {
            let actual = format!("called what the binding does not know: {listed}");
            return Err(Stop::unproven(actual, evidence));
        }
        Err(Stop::final_breach(format!("enumerated unknown paths: {listed}"), evidence))
    }
}

/// Returns the sort of a path: the path without its query, and without the parts that distinguish records.
fn sort_of(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or(path).trim_end_matches('/');
    if path.starts_with(WELL_KNOWN) {
        return WELL_KNOWN.to_owned();
    }
    path.split('/').map(|segment| if is_id(segment) { ":id" } else { segment }).collect::<Vec<_>>().join("/")
}

fn is_id(segment: &str) -> bool {
    let has_digit = segment.bytes().any(|byte| byte.is_ascii_digit());
    let is_number = has_digit && segment.bytes().all(|byte| byte.is_ascii_digit());
    let is_word = segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    is_number || (has_digit && is_word && segment.len() >= ID_LENGTH_MIN)
}

/// Returns whether a sort of path is a route of the federation plane that this binding does not know, or one
/// that any platform may be asked for. Paths of records, of any kind, are neither.
fn may_extend_the_wire(sort: &str) -> bool {
    let below = sort.strip_prefix(PREFIX).map(|below| below.trim_start_matches('/'));
    sort == WELL_KNOWN || below.is_some_and(|below| !below.contains('/'))
}

/// Returns the kinds that the peer declared at any time, and those that it gave grants for.
fn valid_kinds(trace: &Trace, peer: &str) -> BTreeSet<String> {
    let sent = calls(trace).of(peer).made_by_peer().filter_map(|call| call.exchange.sent().cloned());
    let answered = calls(trace)
        .of(peer)
        .made_by_target()
        .filter_map(|call| call.exchange.response.as_ref()?.body.json()?.get("data").cloned());
    let documents =
        sent.chain(answered).filter_map(|body| CapabilityDocument::read(body.get("capabilities")?));
    let declared = documents.flat_map(|document| document.resource_kinds).map(|row| row.kind);
    let held = operations_of(trace, grant::Hold::METHOD)
        .filter_map(|operation| operation.parameters["resource_kind"].as_str());
    declared.chain(held.map(ToOwned::to_owned)).collect()
}

/// Returns the kind that a call is about. The operator is free to choose the kind of a migration.
fn kind_of(call: &Call<'_>) -> Option<String> {
    match call.route()? {
        Route::Resource { kind, .. } => Some(kind),
        Route::Sync => call.exchange.sent()?["resource_kind"].as_str().map(ToOwned::to_owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict on a target that makes these calls to a peer that declares `skill`.
    fn called(paths: &[&str]) -> Verdict {
        let declared = json!({"capabilities": {"resource_kinds": [{"kind": "skill"}]}});
        let heartbeat = Exchange::to_target("alice").on("POST", "heartbeat");
        let heartbeat = heartbeat.sending(declared).answered_with(404, json!({}));
        let mut builder = TraceBuilder::new().call("heartbeat", heartbeat);
        for path in paths {
            let mut call = Exchange::from_target("alice").sending(json!({})).answered_with(404, json!({}));
            call.request.method = Some("GET".into());
            call.request.path = Some((*path).to_owned());
            builder = builder.call_from_target(call);
        }
        builder.verdict::<TargetRequestsDeclaredKindsOnly>(json!({"peer": "alice"}))
    }

    #[test]
    fn an_undeclared_kind_or_three_unknown_paths_are_an_enumeration() {
        let (skill, vault) = (format!("{PREFIX}/resources/skill/a"), format!("{PREFIX}/resources/vault/a"));
        assert_eq!(called(&[]), Unproven);
        assert_eq!(called(&[&skill]), Kept);
        assert_eq!(called(&[&skill, &vault]), Broken);
        assert_eq!(called(&[&skill, "/health"]), Unproven);
        assert_eq!(called(&["/admin", "/users", "/secrets"]), Broken);
    }

    #[test]
    fn neither_a_query_nor_an_id_makes_another_path_of_one() {
        let own = |path: &str| format!("{PREFIX}/{path}");
        assert_eq!(called(&["/health?at=1", "/health?at=2", "/health/?at=3"]), Unproven);
        assert_eq!(
            called(&["/notes/1", "/notes/22", "/notes/01a2075f-ab38-734e-bd8b-a790d60fdad4"]),
            Unproven
        );
        assert_eq!(called(&[&own("version"), &own("health"), "/.well-known/a", "/.well-known/b"]), Unproven);
        assert_eq!(called(&["/v1/admin", "/v2/admin", "/admin?as=root"]), Broken);
        assert_eq!(called(&[&own("resources/Vault/1"), &own("resources/USER/1"), "/admin"]), Broken);
    }
}
