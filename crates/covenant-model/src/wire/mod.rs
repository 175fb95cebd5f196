//! The federation wire: messages, paths, headers, envelopes, grants and notices as types.
//!
//! Reading is lenient, writing is exact. Unknown members are kept in `extra`, an optional member may be
//! missing, and three envelopes are read (`wire.md` §2). Written messages have one form. A member that the
//! observed platform does not have, and that `binding.md` proposes, is marked *proposed*.

pub mod accept;
pub mod audit;
pub mod canonical;
pub mod capability;
pub mod catalog;
pub mod disclosure;
pub mod envelope;
pub mod generation;
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
pub mod weight;
mod whole;

pub use whole::whole_number;

/// Members of a message that its type does not know, kept so that no data is lost.
pub type Extra = std::collections::BTreeMap<String, serde_json::Value>;
