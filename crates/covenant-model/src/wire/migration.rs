//! `POST /migrations`, `GET /migrations/:id`, `POST /migrations/:id/commit` (`powernode.md` §5, `binding.md`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Extra;

/// A plan, as its sender writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MigrationRequest {
    /// `duplicate`, `migrate`, `delete` (the last is proposed).
    pub operation: String,
    /// The kind of the root.
    pub root_resource_kind: String,
    /// The id of the root.
    pub root_resource_id: String,
    /// Always an object: a request without it is answered 500 by the observed platform.
    #[serde(default)]
    pub plan_summary: Map<String, Value>,
    /// One or more.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// `false` opens the migration and applies nothing yet (proposed); absent is true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<bool>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One step of a plan. `step_order` rules, whatever the place in the array.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Not negative, no two equal.
    pub step_order: i64,
    /// `[a-z_]+`
    pub resource_kind: String,
    /// The same as `payload.id`.
    pub resource_id: String,
    /// `create`, `link_local`, `skip`, `conflict`.
    pub action: String,
    /// `skip_if_exists`, `rename_with_suffix`, `overwrite`, `fail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_policy: Option<String>,
    /// The record.
    #[serde(default)]
    pub payload: Map<String, Value>,
    /// `schema_version`, and what else the sender keeps with the step.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// What else was said.
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

/// What is said of a migration: in `data` of 201, 202 and of `GET /migrations/:id`, and beside
/// `error` in a 422.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MigrationView {
    /// The receiver's id of the migration.
    #[serde(default)]
    pub migration_id: String,
    /// `transferring`, `completed`, `failed`, …
    #[serde(default)]
    pub status: String,
    /// Steps that changed something: created and overwritten.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_count: Option<u64>,
    /// The others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped_count: Option<u64>,
    /// Every conflict met (7.3; proposed on the wire).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflict_log: Option<Vec<Conflict>>,
    /// `cross_jurisdiction` stands here where a boundary was crossed (8.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One entry of a conflict log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// The step that met it.
    pub step_order: i64,
    /// The step's kind.
    pub resource_kind: String,
    /// The step's id.
    pub resource_id: String,
    /// What stood against it: `primary_key`, `unique`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<String>,
    /// Which columns: `["id"]`, `["slug"]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// The record that was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conflicting_record_id: Option<String>,
    /// `skipped`, `overwritten`, `renamed`, `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// What else was said.
    #[serde(flatten)]
    pub extra: Extra,
}
