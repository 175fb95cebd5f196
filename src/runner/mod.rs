//! The runner: plan, find the contract text, play, evaluate.
//!
//! Runs, audits, replays, the self-test and the golden exchanges use it. The checks are planned before anything
//! runs, in the transcript itself. The handshake runs first and last; if it fails, the run is void and no
//! clause is called broken. The other stages are tried next; what needs one that fails is not played. The report is made from the written transcript, so
//! that a run and `covenant verify` of its transcript agree.

mod catalogue;
mod command;
mod contract_text;
mod evaluate;
mod event;
mod files;
mod merge;
mod partition;
mod plan;
mod planned;
mod play;
mod replay;
mod retries;
mod seen;
mod selection;
mod spoken;
mod target;
mod tasks;
mod way_back;

pub(crate) use catalogue::HANDSHAKE;
pub use catalogue::{SCENARIOS, library};
#[cfg(test)]
pub(crate) use command::replay as replay_command;
pub use evaluate::{assess, assess_and_free, property_case};
pub use event::{Event, NoObserver, Observer};
pub(crate) use files::{ATTESTATION, LOCK, PEERING, WATCH, refuse_special, refuse_unwritable};
pub use files::{
    FileError, FolderLock, RunFolder, refuse_existing, report_json, without_secrets, write_new_private,
    write_new_whole, write_private, write_whole,
};
pub use merge::{MergeError, merge};
pub use partition::Partition;
pub use plan::{CASES, Plan, RunError, run_context};
pub(crate) use plan::{MAX_WAIT_SECONDS, announce, way_back_setting};
pub use planned::{planned, planned_with_texts};
pub use play::{Deadline, Played, Run, play, play_and_keep};
pub use replay::{Again, Replayed, broken_checks, replay};
pub use selection::{Selection, SelectionError};
pub use target::{ExternalTarget, Target};
pub use way_back::{WayBackTrial, try_way_back};
