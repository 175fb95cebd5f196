//! Deviation: the peer states null for each member of its disclosure that it withholds.

use serde_json::{Value, json};

use crate::Behaviour;
use covenant_model::wire::path::Route;

/// Behaviour that puts null where a member of the disclosure is missing, in accept and heartbeats. A scenario removes
/// the member.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "states-nulls",
    about: "states null for each member of its disclosure that it withholds",
    clauses: &["1.5", "8.1"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept | Route::Heartbeat) {
            state_nulls(body);
        }
    }),
    ..Behaviour::CONFORMING
};

/// The members in `metadata`, and those beside it.
const IN_METADATA: [&str; 4] =
    ["operator_contact", "jurisdiction", "platform_version", "last_known_good_release"];
const BESIDE: [&str; 2] = ["platform_version", "data_residency"];

fn state_nulls(body: &mut Value) {
    let put = |members: Option<&mut Value>, names: &[&str]| {
        if let Some(members) = members.and_then(Value::as_object_mut) {
            for name in names {
                members.entry(*name).or_insert(json!(null));
            }
        }
    };
    put(body.get_mut("metadata"), &IN_METADATA);
    put(Some(body), &BESIDE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_is_missing_is_null() {
        let mut body = json!({"metadata": {"operator_contact": "a@b.example"}, "data_residency": "eu"});
        state_nulls(&mut body);
        assert_eq!(body["metadata"]["operator_contact"], "a@b.example");
        assert_eq!(body["data_residency"], "eu");
        assert_eq!(body["metadata"].get("jurisdiction"), Some(&Value::Null));
        assert_eq!(body.get("platform_version"), Some(&Value::Null));
    }
}
