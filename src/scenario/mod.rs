//! Scenarios: files that say who takes part, what happens and what must hold.
//!
//! The format is TOML. A step is externally tagged, one method a step, so that an error names file,
//! line and column. A check names a check; the evaluating itself is [`crate::check`]'s.

mod format;
mod library;
mod load;
mod position;
mod run;
mod values;

pub use format::{CheckSpec, PeerSpec, Scenario, Step};
pub use library::{Library, LibraryError, Source};
pub use load::{LoadError, Loaded, Signatures, load};
pub use run::{RunContext, play_on, without_target};
