//! Deviation: the peer declares a schema version that it does not run.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::{Value, json};

/// Behaviour that declares a schema version, and rejects migrations and syncs of it.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "bogus-schema",
    about: "declares a schema version and rejects migrations and batches of it",
    clauses: &["3.2", "3.4"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept | Route::Heartbeat) {
            declare(body);
        }
    }),
    answer: Some(|asked, status, body| match asked.route {
        Route::Migrations | Route::Sync => {
            *status = 422;
            *body = json!({"error": "schema_version 7 is not supported here"});
        }
        Route::Accept | Route::Heartbeat if *status == 200 => declare(&mut body["data"]),
        _ => {}
    }),
    ..Behaviour::CONFORMING
};

fn declare(body: &mut Value) {
    if let Some(kinds) = body["capabilities"]["resource_kinds"].as_array_mut() {
        kinds.iter_mut().take(1).for_each(|row| row["schema_version"] = json!(7));
    }
}
