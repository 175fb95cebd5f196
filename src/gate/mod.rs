//! The release gate: holds a release to what the release before sent and accepted (10.1).
//!
//! Three ways lead to one verdict. Recorded: a recording has each answer and each call of one release in the scenarios of the gate, as templates. The gate plays the
//! same scenarios, with the same requests, against the next release, and compares. It evaluates no check: what it
//! finds is a difference between two releases, by the rules of [`RULES`]. Simulated: peers at the neighbouring releases live in a
//! federation with the release, and the checks of 10.1 say whether they can. Paired: the release before runs, and federates with
//! the new one through a relay; what passes is compared as a recording is, with what passes between two of the old one.

mod bump;
mod compare;
mod comparison;
mod exchanges;
mod form;
mod found;
mod hold;
mod items;
mod matrix;
mod members;
mod merge;
mod neighbours;
mod numbers;
mod paired;
mod polls;
mod record;
mod recording;
mod relay;
mod report;
mod rules;
mod scenarios;
mod shown;
mod simulated;
mod simulated_report;
mod template;

pub use bump::{Bump, Notice, NoticeSource, notice_on_wire};
pub use compare::Difference;
pub use comparison::{Choice, Comparison, Counts, Verdict, Way, compare_release};
pub use found::Found;
pub use hold::{Hold, hold};
pub use matrix::{MatrixEnd, MatrixPair, MatrixVerdict, matrix_text, pair_each};
pub use neighbours::{Neighbour, Window};
pub use paired::{
    PairError, PairPlay, PairStep, PairTarget, Paired, Pairing, StepOutcome, View, pair, play_pair,
};
pub use record::{GateError, Part, Play, SEED, Scene, play_release, record};
pub use recording::{FILE, FORMAT, LeftOut, Recorded, Recording, RecordingError};
pub use relay::{Disturbance, End, Relay, RelayError};
pub use report::text;
pub use rules::{CLAUSE, CLAUSE_OF_NOTICE, RULES, Rule, Weight, rule};
pub use scenarios::{SCENARIOS, scenarios_sha256};
pub use simulated::{Simulation, simulate};
pub use simulated_report::simulation_text;
pub use template::{Template, Variable};
