//! Holds a release to a recording: plays it, compares, and plays again what breaks.

use std::collections::BTreeSet;
use std::sync::Arc;

use semver::Version;

use super::bump::{Notice, notice_on_wire};
use super::comparison::{Choice, Comparison, Verdict, compare_release};
use super::found::Found;
use super::record::{GateError, Part, Play, play_release};
use super::recording::{LeftOut, Recording};
use crate::clock::Seed;
use crate::runner::{Observer, Plan};

/// The number of scenarios in which a difference is looked for again.
const AGAIN_MAX: usize = 3;

/// Baseline that a release is held to, and the way in which it is.
#[derive(Clone, Debug, Default)]
pub struct Hold {
    /// The release that the user names; that which the target discloses must be it.
    pub release: Option<Version>,
    /// The rules that break.
    pub rules: Choice,
    /// The notice that a person states. One that is found on the wire goes before it.
    pub notice: Option<Notice>,
    /// The part of the scenarios that is played.
    pub part: Part,
}

/// Plays a release as its peers of the recorded release see it, and compares it with the recording. What breaks is played a
/// second time, without anything beside it: a difference that a slow machine or chance made does not return.
pub async fn hold(
    plan: &Plan,
    recording: &Recording,
    seed: Seed,
    hold: &Hold,
    observer: Arc<dyn Observer>,
) -> Result<Comparison, GateError> {
    let mut plan = plan.clone();
    // The peers hold to the text that the release before kept, whatever the new one names.
    if plan.contract.is_none() && recording.contract.contract_digest.is_some() {
        plan.contract = Some(recording.contract.clone());
    }
    // The peers are the release before.
    plan.run_context.release = Some(recording.release.clone());
    plan.run_context.target_release = Some(recording.release.clone());
    let play = play_release(&plan, seed, &hold.part, observer.clone()).await?;
    let first = compared(recording, &play, hold)?;
    if first.breaking.is_empty() {
        return Ok(first);
    }
    let part = Part::Only(shown_again(&first.breaking).into_iter().collect());
    plan.jobs = 1;
    let again = play_release(&plan, seed, &part, observer).await?;
    Ok(confirmed(first, &compared(recording, &again, hold)?))
}

/// Returns the scenarios that show each difference again. What all of them have, such as a member that is gone from each
/// heartbeat, does not need all of them.
fn shown_again(breaking: &[Found]) -> BTreeSet<String> {
    let mut shown: BTreeSet<String> = BTreeSet::new();
    for found in breaking {
        // One that is of no exchange is the end of these scenarios, and of no others.
        let enough = if found.direction.is_some() { AGAIN_MAX } else { found.scenarios.len() };
        let (known, more): (Vec<_>, Vec<_>) =
            found.scenarios.iter().cloned().partition(|id| shown.contains(id));
        shown.extend(more.into_iter().take(enough.saturating_sub(known.len())));
    }
    shown
}

fn compared(recording: &Recording, play: &Play, hold: &Hold) -> Result<Comparison, GateError> {
    let release = match play.release(hold.release.as_ref()) {
        Err(GateError::Unreached(_)) => None,
        other => Some(other?),
    };
    let on_wire = play.handshake.as_ref().and_then(|trace| notice_on_wire(trace, &recording.release));
    let mut held = recording.clone();
    if let Part::Only(ids) = &hold.part {
        let is_played = |id: &String| ids.contains(id) || play.scenarios.iter().any(|scene| scene.id == *id);
        held.scenarios.retain(|scenario| is_played(&scenario.id));
    }
    let comparison =
        compare_release(&held, play, release, hold.rules.clone(), on_wire.or_else(|| hold.notice.clone()));
    match play.unreached() {
        Some(fault) if comparison.compared.answers + comparison.compared.calls == 0 => {
            Err(GateError::Unreached(fault))
        }
        _ => Ok(comparison),
    }
}

/// Keeps what breaks in both plays. What broke in the first alone is not compared.
pub(super) fn confirmed(mut first: Comparison, again: &Comparison) -> Comparison {
    let is_same = |one: &Found, other: &Found| {
        one.rule == other.rule
            && (one.direction, &one.route, &one.at) == (other.direction, &other.route, &other.at)
            && (one.direction.is_some() || one.scenarios == other.scenarios)
    };
    let (kept, lost): (Vec<_>, Vec<_>) = std::mem::take(&mut first.breaking)
        .into_iter()
        .partition(|found| again.breaking.iter().any(|other| is_same(found, other)));
    first.breaking = kept;
    for found in lost {
        let why = format!(
            "{} of {} {} came once in two plays: {}",
            found.rule.id, found.route, found.at, found.text
        );
        first
            .not_compared
            .extend(found.scenarios.into_iter().take(1).map(|id| LeftOut { id, why: why.clone() }));
    }
    if first.verdict != Verdict::NoNeighbours {
        first.verdict = first.decide();
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::rules::{MEMBER_GONE, SCENARIO_ENDED};
    use crate::transcript::Direction;

    #[test]
    fn a_difference_of_many_scenarios_is_looked_for_in_a_few() {
        let found = |direction: Option<Direction>, scenarios: &[&str]| Found {
            rule: if direction.is_some() { MEMBER_GONE } else { SCENARIO_ENDED },
            direction,
            scenarios: scenarios.iter().map(|id| (*id).to_owned()).collect(),
            clause: None,
            route: "heartbeat".to_owned(),
            at: "response.body.data.status".to_owned(),
            text: String::new(),
            exchanges: 1,
            recorded: None,
            now: None,
        };
        let of = |breaking: &[Found]| shown_again(breaking).into_iter().collect::<Vec<_>>();
        let heartbeat = found(Some(Direction::ToTarget), &["a", "b", "c", "d", "e"]);
        assert_eq!(of(std::slice::from_ref(&heartbeat)), ["a", "b", "c"]);
        let alone = found(Some(Direction::FromTarget), &["e"]);
        assert_eq!(of(&[heartbeat.clone(), alone]), ["a", "b", "c", "e"]);
        let known = found(Some(Direction::FromTarget), &["c", "d", "e", "f"]);
        assert_eq!(of(&[heartbeat, known]), ["a", "b", "c", "d", "e"]);
        assert_eq!(of(&[found(None, &["a", "b", "c", "d", "e"])]).len(), 5);
    }
}
