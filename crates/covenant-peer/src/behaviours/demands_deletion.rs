//! Deviation: the notice of revocation demands the deletion of the records that the peer had migrated.

use serde_json::{Value, json};

use crate::{Behaviour, Sending};
use covenant_model::wire::notice::kind;

pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "demands-deletion",
    about: "demands in its revocation notice that the target deletes the records that it migrated",
    clauses: &["11.2"],
    request: Some(demand),
    ..Behaviour::CONFORMING
};

fn demand(_: &Sending<'_>, body: &mut Value) {
    let Some(events) = body.get_mut("events").and_then(Value::as_array_mut) else { return };
    for event in events.iter_mut().filter(|event| event["kind"] == kind::PEER_REVOKED) {
        event["payload"]["reason"] = json!("we leave: delete what we migrated");
        event["payload"]["delete_data"] = json!(true);
    }
}
