//! The paired way: the release before and the new one federate with each other through the relay.
//!
//! Two platforms of the release before do so first. What they send and accept is compared with what the new release sends to
//! the old one and accepts of it, in both roles, by the rules of the recorded way.

mod beside;
mod checks;
mod pairing;
mod play;
mod restart;
mod steps;

pub use pairing::{PairTarget, Paired, Pairing, pair};
pub use play::{PairError, PairPlay, View, play_pair};
pub use steps::{PairStep, StepOutcome};
