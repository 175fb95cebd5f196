//! The platform accepts every plan that it can parse, and answers 200 and `failed` if the plan fails.

use serde_json::{Value, json};

use crate::Patch;
use covenant_model::wire::path::Route;
use covenant_net::net::{Inbound, Outbound};

pub(super) const PATCH: Patch = Patch::variant(
    "returns-200-for-failed-plans",
    "Takes every plan that it can read, and says 200 and `failed` of one that comes to nothing.",
    |policy| policy.wire.override_outbound = amend,
);

fn amend(call: &Inbound, outbound: &mut Outbound) {
    let is_plan = matches!(
        Route::parse(&call.method, &call.path),
        Some(Route::Migrations | Route::MigrationCommit { .. })
    );
    if !is_plan || outbound.status != 422 {
        return;
    }
    if let Ok(Value::Object(said)) = serde_json::from_slice(&outbound.body) {
        let mut data = json!({"status": "failed", "applied_count": 0, "skipped_count": 0});
        for name in ["migration_id", "conflict_log"] {
            data[name] = said.get(name).cloned().unwrap_or_default();
        }
        data["message"] = said.get("error").cloned().unwrap_or_default();
        *outbound =
            Outbound { headers: outbound.headers.clone(), ..Outbound::json(200, &json!({"data": data})) };
    }
}
