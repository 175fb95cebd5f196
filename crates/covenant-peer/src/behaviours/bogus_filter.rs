//! Deviation: the peer declares a filter that it does not apply.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::{Value, json};

/// Behaviour that declares a filter, and syncs records outside it.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "bogus-filter",
    about: "declares a filter and sends records outside it",
    clauses: &["3.3", "3.4"],
    request: Some(|sending, body| match sending.route {
        Route::Accept | Route::Heartbeat => declare(body),
        _ => {}
    }),
    answer: Some(|asked, _, body| {
        if matches!(asked.route, Route::Accept | Route::Heartbeat) {
            declare(&mut body["data"]);
        }
    }),
    ..Behaviour::CONFORMING
};

fn declare(body: &mut Value) {
    if let Some(kinds) = body["capabilities"]["resource_kinds"].as_array_mut() {
        kinds.iter_mut().take(1).for_each(|row| row["filter"] = json!({"team": "blue"}));
    }
}
