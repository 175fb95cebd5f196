//! The beginning of a run, for tests.

use super::{FORMAT, RunStart};
use crate::clock::Seed;
use crate::contract::{HeldText, TextSource};

/// Returns the first line of a transcript with one scenario, `a`.
pub(super) fn run_start(target: &str) -> RunStart {
    RunStart {
        format: FORMAT,
        covenant: "0".into(),
        seed: Seed(1),
        contract: HeldText::unknown(TextSource::Nothing),
        binding: "1".into(),
        target: target.into(),
        reference: None,
        target_arguments: vec![],
        settings: [].into(),
        scenarios: vec!["a".into()],
        partial: false,
    }
}
