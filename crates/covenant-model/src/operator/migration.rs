//! `migration.*`: migrations that the platform sends, and those that it received.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::method::methods;
use super::{Done, Example, Extra, Listed};
use crate::contract::Basis;

methods! {
    /// Methods about migrations.
    MigrationMethod in Migration {
        "migration.send" => SendMigration -> Sent {
            prompt: Some("Migrate this record to the peer."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "operation": "duplicate", "root_resource_kind": "skill", "root_resource_id": "0190b2f0-0000-7000-8000-00000000c0de"}"#,
                result: r#"{"migration_id": "0197b2f0-0000-7000-8000-0000000000c1", "status": "completed", "applied_count": 1, "skipped_count": 0, "conflict_log": []}"#,
            },
        }
        "migration.commit" => Commit -> Sent {
            example: Example {
                parameters: r#"{"migration_id": "0197b2f0-0000-7000-8000-0000000000c1"}"#,
                result: r#"{"migration_id": "0197b2f0-0000-7000-8000-0000000000c1", "status": "completed"}"#,
            },
        }
        "migration.show" => Show -> Shown {
            basis: Basis::Observed,
            example: Example {
                parameters: r#"{"migration_id": "0197b2f0-0000-7000-8000-0000000000c1"}"#,
                result: r#"{"migration_id": "0197b2f0-0000-7000-8000-0000000000c1", "status": "completed", "applied_count": 1, "skipped_count": 0, "conflict_log": [], "audit_log": [], "metadata": {}}"#,
            },
        }
        "migration.list" => List -> Listed<Migrations> {
            basis: Basis::Observed,
            example: Example {
                parameters: "{}",
                result: r#"{"migrations": [{"migration_id": "0197b2f0-0000-7000-8000-0000000000c1", "status": "completed"}]}"#,
            },
        }
        "migration.delete" => Delete -> Done {
            example: Example {
                parameters: r#"{"migration_id": "0197b2f0-0000-7000-8000-0000000000c1"}"#,
                result: "{}",
            },
        }
    }
}

/// Sends a record to a peer, with the records that it depends on.
///
/// The method responds after the peer has answered and the platform has read back what the peer claims. A refusal
/// by the peer is no error of the method, unless nothing was sent.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMigration {
    /// The peer.
    pub peer_id: String,
    /// The operation: `duplicate` keeps the originals; after `migrate` they may be deleted.
    pub operation: String,
    /// The kind of the record.
    pub root_resource_kind: String,
    /// The id of the record.
    pub root_resource_id: String,
    /// The token of the grant to use. Without it, a held grant that fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_token: Option<String>,
    /// `false` opens the migration at the peer and leaves it open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<bool>,
}

/// A migration that was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// The platform's id of the migration.
    pub migration_id: String,
    /// The status, such as `transferring`, `completed` or `failed`.
    pub status: String,
    /// Other members, as in `migration.show`.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Commits at the peer a migration that `migration.send` opened with `commit: false`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// The migration, by the platform's id.
    pub migration_id: String,
}

/// Shows the record of a migration, sent or received.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Show {
    /// The migration, by the platform's id.
    pub migration_id: String,
}

/// The record of a migration. Its members are at the top level or under `migration`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// The record, if its members are not at the top level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub migration: Option<Value>,
    /// The platform's id of the migration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub migration_id: Option<Value>,
    /// The state of the migration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub status: Option<Value>,
    /// The number of steps that changed a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u64>")]
    pub applied_count: Option<Value>,
    /// The number of the other steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u64>")]
    pub skipped_count: Option<Value>,
    /// Every conflict of the migration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Value>>")]
    pub conflict_log: Option<Value>,
    /// The result of each step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Value>>")]
    pub audit_log: Option<Value>,
    /// The metadata, with `cross_jurisdiction` {`from`, `to`} if the migration crossed a boundary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub metadata: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Lists the migrations, sent and received.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Only the migrations with this peer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_id: Option<String>,
}

/// The migrations with a peer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Migrations {
    /// The migrations, each with the members of `migration.show`.
    pub migrations: Vec<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Deletes the record of a migration. The migrated records stay.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The migration, by the platform's id.
    pub migration_id: String,
}
