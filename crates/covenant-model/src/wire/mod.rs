//! The federation wire: messages, paths, headers, envelopes, grants and notices as types.
//!
//! Lenient in, exact out: unknown members are kept in `extra`, an optional member may be missing,
//! and three envelopes are read (`powernode.md` §2); what is written has one form. What the
//! observed platform does not have, and `binding.md` proposes, is marked *proposed*.

pub mod accept;
pub mod audit;
pub mod canonical;
pub mod capability;
pub mod catalog;
pub mod disclosure;
pub mod envelope;
pub mod grant;
pub mod harmless;
pub mod header;
pub mod heartbeat;
pub mod migration;
pub mod notice;
pub mod path;
pub mod resource;
pub mod state;
pub mod sync;

/// Members of a message that its type does not know, kept so that nothing said is lost.
pub type Extra = std::collections::BTreeMap<String, serde_json::Value>;
