//! Recordings of a real platform: each one decodes, and no member is lost. The recordings are beside the checkout and
//! not in the repository; without them the test prints that it is skipped.

use std::fs;
use std::path::Path;

use covenant::wire::accept::{AcceptRequest, AcceptResponse};
use covenant::wire::audit::AuditExcerpt;
use covenant::wire::catalog::{ServiceCatalog, SubscriptionEnd, SubscriptionRequest, SubscriptionResponse};
use covenant::wire::envelope::Answer;
use covenant::wire::heartbeat::{HeartbeatRequest, HeartbeatResponse, TrustBundle};
use covenant::wire::migration::{MigrationRequest, MigrationView};
use covenant::wire::path::Route;
use covenant::wire::resource::ResourceView;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const RECORDINGS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/wire/transcripts/powernode-g1.jsonl");

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test reports it")]
fn every_recording_decodes_without_loss() {
    let Ok(text) = fs::read_to_string(Path::new(RECORDINGS)) else {
        eprintln!("skipped: no recordings beside this checkout");
        return;
    };
    let mut count = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let recording: Value = serde_json::from_str(line).expect("a recording is JSON");
        check(&recording).unwrap_or_else(|error| panic!("{}: {error}", recording["name"]));
        count += 1;
    }
    assert!(count > 50, "only {count} recordings");
}

fn check(recording: &Value) -> Result<(), String> {
    let request = &recording["request"];
    let path = request["path"].as_str().unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    let route = Route::parse(request["method"].as_str().unwrap_or_default(), path);
    let status = recording["response"]["status"].as_u64().unwrap_or_default();
    let body = &recording["response"]["body"];
    if (200..300).contains(&status) {
        // The platform's router accepts forms that the suite never sends: a trailing slash, `.json`, HEAD.
        let Some(route) = route.clone() else { return Ok(()) };
        let data = match Answer::read(body) {
            Some(Answer::Data(data)) => data,
            other => return Err(format!("a success decodes as {other:?}")),
        };
        check_response(&route, &data)?;
        return match check_request(&route, &request["body"]) {
            // The platform coerces types. The suite rejects a plan whose `step_order` is not a number.
            Err(_) if recording["name"] == "migration_step_order_text" => Ok(()),
            outcome => outcome,
        };
    }
    // A refusal by the platform has an error. A refusal by a proxy before it may have any body.
    match Answer::read(body) {
        Some(Answer::Data(_)) => Err("a refusal decodes as data".to_owned()),
        Some(Answer::Refusal(_)) | None => Ok(()),
    }
}

fn check_request(route: &Route, body: &Value) -> Result<(), String> {
    // The decoder has to hold each body that the platform accepted, even a meaningless one. A body that is not a JSON
    // object, such as a form, is not a message of the wire.
    if !body.is_object() {
        return Ok(());
    }
    match route {
        Route::Accept => check_lossless::<AcceptRequest>(body),
        Route::Heartbeat => check_lossless::<HeartbeatRequest>(body),
        Route::Migrations => check_lossless::<MigrationRequest>(body),
        Route::Subscriptions => check_lossless::<SubscriptionRequest>(body),
        _ => Ok(()),
    }
}

fn check_response(route: &Route, data: &Value) -> Result<(), String> {
    match route {
        Route::Accept => check_lossless::<AcceptResponse>(data),
        Route::Heartbeat => check_lossless::<HeartbeatResponse>(data),
        Route::TrustBundle => check_lossless::<TrustBundle>(data),
        Route::Resource { .. } => check_lossless::<ResourceView>(data),
        Route::Migrations | Route::Migration { .. } | Route::MigrationCommit { .. } => {
            check_lossless::<MigrationView>(data)
        }
        Route::AuditExcerpts => check_lossless::<AuditExcerpt>(data),
        Route::ServiceCatalog => check_lossless::<ServiceCatalog>(data),
        Route::Subscriptions => check_lossless::<SubscriptionResponse>(data),
        Route::Subscription { .. } => check_lossless::<SubscriptionEnd>(data),
        Route::Sync => Err("a recording of /sync, which the recorded platform does not have".to_owned()),
    }
}

/// Checks that each member is still there after decoding and encoding. Nulls may be dropped.
fn check_lossless<T: DeserializeOwned + Serialize>(value: &Value) -> Result<(), String> {
    let decoded: T = serde_json::from_value(value.clone()).map_err(|error| format!("{error}: {value}"))?;
    let again = serde_json::to_value(&decoded).map_err(|error| error.to_string())?;
    match lost(value, &again) {
        Some(member) => Err(format!("lost: {member}")),
        None => Ok(()),
    }
}

/// Returns the first member that `after` lacks or changes.
fn lost(before: &Value, after: &Value) -> Option<String> {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => before.iter().find_map(|(name, member)| {
            if member.is_null() {
                return None;
            }
            match after.get(name) {
                Some(after) => lost(member, after),
                None if member.as_array().is_some_and(Vec::is_empty) => None,
                None if member.as_object().is_some_and(serde_json::Map::is_empty) => None,
                None => Some(name.clone()),
            }
        }),
        (Value::Array(before), Value::Array(after)) if before.len() == after.len() => {
            before.iter().zip(after).find_map(|(before, after)| lost(before, after))
        }
        (before, after) if before == after => None,
        (before, after) => Some(format!("{before} became {after}")),
    }
}
