//! The platform discloses a PGP fingerprint as its operator contact.

use serde_json::{Map, Value, json};

use crate::Patch;

pub(super) const PATCH: Patch = Patch::variant(
    "discloses-pgp-fingerprint-as-contact",
    "Discloses its operator by a fingerprint.",
    |policy| {
        policy.handshake.override_introduction = amend;
    },
);

fn amend(members: &mut Map<String, Value>) {
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        let contact = "openpgp4fpr:0123456789ABCDEF0123456789ABCDEF01234567";
        metadata.insert("operator_contact".to_owned(), json!(contact));
    }
}
