//! The paired way of `covenant gate`: two releases, or each two of several.

use serde_json::json;

use super::gate::{Arguments, Format, exit, failure, json_text, refuse_unwritable, shown};
use super::pair_target::pair_target;
use super::{Exit, Failure, block_on_unless_stopped, print};
use crate::gate::{
    GateError, MatrixPair, MatrixVerdict, PairTarget, Paired, Pairing, SEED, matrix_text, pair, pair_each,
};
use crate::runner::write_private;

/// Lets two releases federate.
pub(super) fn gate_pair(arguments: &Arguments) -> Result<Exit, Failure> {
    let named = arguments.old.iter().chain(&arguments.new).cloned().collect::<Vec<_>>();
    let targets = built(arguments, &named)?;
    let [old, new] = targets.as_slice() else {
        return Err(Failure::usage("--old and --new name one target each"));
    };
    if let Some(path) = &arguments.passed {
        refuse_unwritable(path)?;
    }
    let pairing = pairing(arguments)?(old, new);
    let found = block_on_unless_stopped(async move { pair(&pairing).await })?.map_err(failure)?;
    if let Some(path) = &arguments.passed {
        write_private(path, lines(&found).as_bytes())?;
    }
    print(&shown(&found.comparison, arguments.format)?)?;
    Ok(exit(found.comparison.verdict))
}

/// Lets each two of several releases federate.
pub(super) fn gate_matrix(arguments: &Arguments) -> Result<Exit, Failure> {
    let targets = built(arguments, &arguments.matrix)?;
    let pairing = pairing(arguments)?;
    let pairs = block_on_unless_stopped(async move { pair_each(&targets, pairing).await })?;
    print(&match arguments.format {
        Format::Text => matrix_text(&pairs),
        Format::Json => json_text(&pairs)?,
    })?;
    Ok(exit_of_matrix(pairs))
}

/// A break goes before a failure, and a failure before what was not compared. Pairs that are no neighbours count only if
/// there is no other one.
fn exit_of_matrix(pairs: Vec<MatrixPair>) -> Exit {
    let has = |verdict: MatrixVerdict| pairs.iter().any(|pair| pair.verdict == verdict);
    if has(MatrixVerdict::Breaking) {
        return Exit::Broken;
    }
    let is_open = has(MatrixVerdict::Incomplete);
    let is_kept = has(MatrixVerdict::Compatible) || has(MatrixVerdict::Announced);
    let errors: Vec<GateError> = pairs.into_iter().filter_map(|pair| pair.error).collect();
    match errors.into_iter().next() {
        Some(error) => failure(error).exit,
        None if is_kept && !is_open => Exit::Kept,
        None => Exit::NothingEvaluated,
    }
}

/// Builds the targets. A target that is named twice would be compared with itself: that a release is compatible with what is
/// no other one says nothing.
fn built(arguments: &Arguments, named: &[String]) -> Result<Vec<PairTarget>, Failure> {
    let again = named.iter().enumerate().find(|(place, text)| named[..*place].contains(text));
    if let Some((_, text)) = again {
        return Err(Failure::usage(format!(
            "{text}: the target is named twice, so nothing would be compared; name the release before and the new one"
        )));
    }
    named.iter().map(|text| pair_target(text, &arguments.play.target)).collect()
}

/// Returns how two targets are paired.
fn pairing(
    arguments: &Arguments,
) -> Result<impl Fn(&PairTarget, &PairTarget) -> Pairing + Send + use<>, Failure> {
    let listen = arguments.play.target.run_context(None)?.listen;
    let (rules, notice) = (arguments.rules(), arguments.notice());
    let seed = arguments.seed.unwrap_or(SEED);
    Ok(move |old: &PairTarget, new: &PairTarget| Pairing {
        old: old.clone(),
        new: new.clone(),
        rules: rules.clone(),
        notice: notice.clone(),
        listen,
        seed,
    })
}

/// Returns all that passed in the plays of a pair: each entry with its play and the platform that it is seen from.
fn lines(found: &Paired) -> String {
    let mut text = String::new();
    for (play, played) in &found.plays {
        for (side, view) in ["proposer", "joiner"].iter().zip(&played.views) {
            for entry in view.trace.entries() {
                let line = json!({"play": play, "seen_from": side, "entry": entry});
                text.push_str(&line.to_string());
                text.push('\n');
            }
        }
    }
    text
}
