//! Scenarios: files with peers, steps and checks.
//!
//! The format is TOML. A step is externally tagged, one tag per step, so that an error names the file, line
//! and column. A scenario names its checks; [`crate::check`] evaluates them.

mod again;
mod check_spec;
mod fit;
pub(crate) mod format;
mod library;
mod load;
mod own_names;
mod position;
pub(crate) mod records;
mod references;
mod retry;
mod run;
mod step;
mod values;
mod write;

pub use check_spec::CheckSpec;
pub(crate) use fit::fit_parameters;
pub use format::{PeerSpec, Scenario, Step};
pub use library::{Library, LibraryError, Source};
pub use load::{LoadError, Loaded, load};
pub(crate) use position::{FormatFault, shown_in_file};
pub(crate) use retry::{retry_of, trace_name};
pub use run::{Announcer, Pauses, RealTime, RunContext, SnapshotKeeper, play_scenario};
pub(crate) use run::{may_have_acted, no_success};
pub use write::write;

/// Returns the JSON Schema of a scenario file, with the arguments of each check.
#[must_use]
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Scenario).to_value();
    crate::check::add_arguments(&mut schema, "CheckSpec");
    schema
}
