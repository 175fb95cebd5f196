//! `resource.*` and `sync.run`: the platform's own records, and those of its peers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::method::methods;
use super::{Done, Example, Extra, Listed};
use crate::contract::Basis;

methods! {
    /// Methods about records.
    ResourceMethod in Resource {
        "resource.put" => Put -> Done {
            prompt: Some("Create this record."),
            example: Example {
                parameters: r#"{"kind": "skill", "id": "0190b2f0-0000-7000-8000-00000000c0de", "record": {"id": "0190b2f0-0000-7000-8000-00000000c0de", "name": "Weaving"}}"#,
                result: "{}",
            },
        }
        "resource.get" => Get -> Got {
            example: Example {
                parameters: r#"{"kind": "skill", "id": "0190b2f0-0000-7000-8000-00000000c0de"}"#,
                result: r#"{"exists": true, "record": {"id": "0190b2f0-0000-7000-8000-00000000c0de", "name": "Weaving"}}"#,
            },
        }
        "resource.list" => List -> Listed<Resources> {
            prompt: Some("List the platform's records of this kind."),
            example: Example {
                parameters: r#"{"kind": "skill"}"#,
                result: r#"{"resources": [{"kind": "skill", "id": "0190b2f0-0000-7000-8000-00000000c0de", "record": {"id": "0190b2f0-0000-7000-8000-00000000c0de", "name": "Weaving"}}]}"#,
            },
        }
        "resource.delete" => Delete -> Done {
            prompt: Some("Delete this record."),
            example: Example {
                parameters: r#"{"kind": "skill", "id": "0190b2f0-0000-7000-8000-00000000c0de"}"#,
                result: "{}",
            },
        }
        "resource.fetch" => Fetch -> Fetched {
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1", "kind": "skill", "id": "0190b2f0-0000-7000-8000-00000000c0de"}"#,
                result: r#"{"status": 200, "data": {"kind": "skill", "id": "0190b2f0-0000-7000-8000-00000000c0de", "exists": true}}"#,
            },
        }
        "sync.run" => RunSync -> Synced {
            basis: Basis::Observed,
            prompt: Some("Let the platform sync with this peer now."),
            example: Example {
                parameters: r#"{"peer_id": "0197b2f0-0000-7000-8000-0000000000a1"}"#,
                result: r#"{"batches": []}"#,
            },
        }
    }
}

/// Stores a record of the platform's own, or replaces it.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Put {
    /// The kind: `[a-z_]+`.
    pub kind: String,
    /// The id of the record.
    pub id: String,
    /// The record, with its `id`.
    pub record: Map<String, Value>,
}

/// Reads one of the platform's records.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// The kind of the record.
    pub kind: String,
    /// The id of the record.
    pub id: String,
}

/// A record, if the platform has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Got {
    /// True if the platform has the record.
    pub exists: bool,
    /// The members of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Lists the platform's records of one kind, also those that came from a peer.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The kind of the record.
    pub kind: String,
}

/// The records of one kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// The records: objects with `kind`, `id` and `record`, or the records themselves.
    pub resources: Vec<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Deletes one of the platform's records.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The kind of the record.
    pub kind: String,
    /// The id of the record.
    pub id: String,
}

/// Reads a record of a peer, under a grant that the platform holds.
///
/// A refusal by the peer is no error of the method: the result has what the peer answered.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// The peer.
    pub peer_id: String,
    /// The kind of the record.
    pub kind: String,
    /// The id of the record.
    pub id: String,
}

/// The peer's answer to a fetch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fetched {
    /// The HTTP status of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<u64>")]
    pub status: Option<Value>,
    /// The body of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The data in the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub data: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Sends a peer all records that the declarations share with it, without waiting for a timer.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSync {
    /// The peer.
    pub peer_id: String,
}

/// The batches that were sent. The suite sees them at the peer; the result is for the transcript.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Synced {
    /// The batches, and what the peer answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Value>>")]
    pub batches: Option<Value>,
    /// Other members.
    #[serde(flatten)]
    pub extra: Extra,
}
