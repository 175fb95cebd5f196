//! Recordings of a real platform, where they stand beside the checkout: every one decodes, and what
//! it says is not lost. Elsewhere there is nothing to decode, and this says so.

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
#[expect(clippy::print_stderr, reason = "what was not tried is said")]
fn every_recording_decodes_without_loss_of_what_it_says() {
    let Ok(text) = fs::read_to_string(Path::new(RECORDINGS)) else {
        eprintln!("no recordings beside this checkout: nothing to decode");
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
        // The platform's router takes spellings (a trailing slash, `.json`, HEAD) that we never write.
        let Some(route) = route.clone() else { return Ok(()) };
        let data = match Answer::read(body) {
            Some(Answer::Data(data)) => data,
            other => return Err(format!("a success that reads as {other:?}")),
        };
        keeps_answer(&route, &data)?;
        return match keeps_request(&route, &request["body"]) {
            // The platform coerces what it takes; a plan whose order is no number is no plan to us.
            Err(_) if recording["name"] == "migration_step_order_text" => Ok(()),
            outcome => outcome,
        };
    }
    // A refusal of the platform's own has an error; what comes from before it may have any body.
    match Answer::read(body) {
        Some(Answer::Data(_)) => Err("a refusal that reads as data".to_owned()),
        Some(Answer::Refusal(_)) | None => Ok(()),
    }
}

fn keeps_request(route: &Route, body: &Value) -> Result<(), String> {
    // What a platform lets in there, its decoder has to hold, whatever its sense; a body that is no
    // JSON object (a form, say) is no message of ours.
    if !body.is_object() {
        return Ok(());
    }
    match route {
        Route::Accept => keeps::<AcceptRequest>(body),
        Route::Heartbeat => keeps::<HeartbeatRequest>(body),
        Route::Migrations => keeps::<MigrationRequest>(body),
        Route::Subscriptions => keeps::<SubscriptionRequest>(body),
        _ => Ok(()),
    }
}

fn keeps_answer(route: &Route, data: &Value) -> Result<(), String> {
    match route {
        Route::Accept => keeps::<AcceptResponse>(data),
        Route::Heartbeat => keeps::<HeartbeatResponse>(data),
        Route::TrustBundle => keeps::<TrustBundle>(data),
        Route::Resource { .. } => keeps::<ResourceView>(data),
        Route::Migrations | Route::Migration { .. } | Route::MigrationCommit { .. } => {
            keeps::<MigrationView>(data)
        }
        Route::AuditExcerpts => keeps::<AuditExcerpt>(data),
        Route::ServiceCatalog => keeps::<ServiceCatalog>(data),
        Route::Subscriptions => keeps::<SubscriptionResponse>(data),
        Route::Subscription { .. } => keeps::<SubscriptionEnd>(data),
        Route::Sync => Err("the recordings are older than that route".to_owned()),
    }
}

/// Whatever was said is still there after decoding and encoding; nulls may go.
fn keeps<T: DeserializeOwned + Serialize>(value: &Value) -> Result<(), String> {
    let decoded: T = serde_json::from_value(value.clone()).map_err(|error| format!("{error}: {value}"))?;
    let again = serde_json::to_value(&decoded).map_err(|error| error.to_string())?;
    match lost(value, &again) {
        Some(what) => Err(format!("lost: {what}")),
        None => Ok(()),
    }
}

fn lost(said: &Value, kept: &Value) -> Option<String> {
    match (said, kept) {
        (Value::Object(said), Value::Object(kept)) => said.iter().find_map(|(name, member)| {
            if member.is_null() {
                return None;
            }
            match kept.get(name) {
                Some(kept) => lost(member, kept),
                None if member.as_array().is_some_and(Vec::is_empty) => None,
                None if member.as_object().is_some_and(serde_json::Map::is_empty) => None,
                None => Some(name.clone()),
            }
        }),
        (Value::Array(said), Value::Array(kept)) if said.len() == kept.len() => {
            said.iter().zip(kept).find_map(|(said, kept)| lost(said, kept))
        }
        (said, kept) if said == kept => None,
        (said, kept) => Some(format!("{said} became {kept}")),
    }
}
