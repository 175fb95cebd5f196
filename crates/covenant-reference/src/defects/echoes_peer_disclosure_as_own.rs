//! The platform sends each peer's disclosure back to the peer as its own.

use serde_json::{Map, Value};

use crate::Patch;
use crate::store::rows::Peer;
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "echoes-peer-disclosure-as-own",
    &[("1.1", Conduct), ("1.2", Conduct), ("1.3", Conduct), ("1.4", Conduct)],
    "Says to each peer, as its own disclosure, what the peer said of itself.",
    |policy| policy.handshake.says_to = echo,
);

fn echo(peer: &Peer, members: &mut Map<String, Value>) {
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        for name in ["operator_contact", "jurisdiction", "platform_version", "last_known_good_release"] {
            if let Some(said) = peer.metadata.get(name) {
                metadata.insert(name.to_owned(), said.clone());
            }
        }
    }
}
