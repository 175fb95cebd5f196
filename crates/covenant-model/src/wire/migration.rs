//! `POST /migrations`, `GET /migrations/:id`, `POST /migrations/:id/commit` (`wire.md` §5, `binding.md`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Extra;
use super::whole::{maybe_whole, whole};

/// Plan of a migration, as its sender writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MigrationRequest {
    /// Operation: `duplicate`, `migrate` or `delete` (the last is proposed).
    pub operation: String,
    /// Kind of the root resource.
    pub root_resource_kind: String,
    /// Id of the root resource.
    pub root_resource_id: String,
    /// Summary of the plan. It is always an object: the observed platform answers 500 to a request without
    /// it.
    #[serde(default)]
    pub plan_summary: Map<String, Value>,
    /// Steps, at least one.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// `false` opens the migration and does not apply it yet (proposed). An absent member means `true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<bool>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One step of a plan. `step_order` sets the order, independent of the position in the array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Order of the step: not negative, and unique in the plan.
    #[serde(deserialize_with = "whole")]
    pub step_order: i64,
    /// Kind of the resource: `[a-z_]+`.
    pub resource_kind: String,
    /// Id of the resource, equal to `payload.id`.
    pub resource_id: String,
    /// Action: `create`, `link_local`, `skip` or `conflict`.
    pub action: String,
    /// Conflict policy: `skip_if_exists`, `rename_with_suffix`, `overwrite` or `fail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_policy: Option<String>,
    /// Record.
    #[serde(default)]
    pub payload: Map<String, Value>,
    /// Metadata of the step: `schema_version`, and other data of the sender.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Names of actions.
pub mod action {
    #![expect(missing_docs, reason = "each constant says its own text")]
    pub const CREATE: &str = "create";
    pub const LINK_LOCAL: &str = "link_local";
    pub const SKIP: &str = "skip";
    pub const CONFLICT: &str = "conflict";
    pub const ALL: [&str; 4] = [CREATE, LINK_LOCAL, SKIP, CONFLICT];
}

/// Names of conflict policies.
pub mod policy {
    #![expect(missing_docs, reason = "each constant says its own text")]
    pub const SKIP_IF_EXISTS: &str = "skip_if_exists";
    pub const RENAME_WITH_SUFFIX: &str = "rename_with_suffix";
    pub const OVERWRITE: &str = "overwrite";
    pub const FAIL: &str = "fail";
    pub const ALL: [&str; 4] = [SKIP_IF_EXISTS, RENAME_WITH_SUFFIX, OVERWRITE, FAIL];
}

/// Names of operations.
pub mod operation {
    #![expect(missing_docs, reason = "each constant says its own text")]
    pub const DUPLICATE: &str = "duplicate";
    pub const MIGRATE: &str = "migrate";
    pub const DELETE: &str = "delete";
}

/// Names of the states of a migration (`wire.md` §5).
pub mod state {
    /// States of a migration that goes on.
    pub const UNFINISHED: [&str; 4] = ["planned", "validating", "transferring", "applying"];
    /// States of a migration that ended without effect.
    pub const WITHOUT_EFFECT: [&str; 2] = ["failed", "cancelled"];
}

/// Report of a migration: in `data` of a 201, a 202 and `GET /migrations/:id`, and beside `error` in a 422.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MigrationView {
    /// Receiver's id of the migration.
    #[serde(default)]
    pub migration_id: String,
    /// Status: `transferring`, `completed`, `failed`, …
    #[serde(default)]
    pub status: String,
    /// Number of steps that changed a record: created or overwrote it.
    #[serde(default, deserialize_with = "maybe_whole", skip_serializing_if = "Option::is_none")]
    pub applied_count: Option<u64>,
    /// Number of the other steps.
    #[serde(default, deserialize_with = "maybe_whole", skip_serializing_if = "Option::is_none")]
    pub skipped_count: Option<u64>,
    /// Every conflict of the migration (7.3; proposed on the wire).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_log: Option<Vec<Conflict>>,
    /// Metadata. It contains `cross_jurisdiction` if the migration crossed a boundary (8.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One entry of a conflict log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// Order of the step that has the conflict.
    #[serde(deserialize_with = "whole")]
    pub step_order: i64,
    /// Kind of the step.
    pub resource_kind: String,
    /// Id of the step.
    pub resource_id: String,
    /// Constraint that the step violated: `primary_key` or `unique`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    /// Columns of the constraint, such as `["id"]` or `["slug"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Id of the existing record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicting_record_id: Option<String>,
    /// Resolution: `skipped`, `overwritten`, `renamed` or `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
