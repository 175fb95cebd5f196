//! The release gate: holds a release to what the release before sent and accepted (10.1).
//!
//! A recording has each answer and each call of one release in the scenarios of the gate, as templates. The gate plays the
//! same scenarios, with the same requests, against the next release, and compares. It evaluates no check: what it
//! finds is a difference between two releases, by the rules of [`RULES`].

mod bump;
mod compare;
mod comparison;
mod exchanges;
mod form;
mod hold;
mod record;
mod recording;
mod report;
mod rules;
mod scenarios;
mod template;

pub use bump::{Bump, Notice, NoticeSource, notice_on_wire};
pub use compare::Difference;
pub use comparison::{Choice, Comparison, Counts, Found, Verdict, compare_release};
pub use hold::{Hold, hold};
pub use record::{GateError, Part, Play, SEED, Scene, play_release, record};
pub use recording::{FILE, FORMAT, LeftOut, Recorded, Recording, RecordingError};
pub use report::text;
pub use rules::{CLAUSE, CLAUSE_OF_NOTICE, RULES, Rule, Weight, rule};
pub use scenarios::{SCENARIOS, scenarios_sha256};
pub use template::{Template, Variable};
