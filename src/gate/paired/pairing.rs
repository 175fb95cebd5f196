//! Holds what passed between the two releases against what passed between two platforms of the old one.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use semver::Version;

use super::beside::Steps;
use super::checks::{Passed, of_window};
use super::play::{PairError, PairPlay, View, play_pair};
use super::restart::restarted_alone;
use super::steps::StepOutcome;
use crate::clock::{Clock, Seed};
use crate::contract::{HeldText, TextSource};
use crate::gate::bump::{Bump, Notice, notice_on_wire};
use crate::gate::comparison::{Choice, Comparison, Verdict, Way, compare_release};
use crate::gate::exchanges::status_rule;
use crate::gate::found::Found;
use crate::gate::hold::confirmed;
use crate::gate::merge::merged;
use crate::gate::polls::TOO_MANY_REQUESTS;
use crate::gate::record::{GateError, Play, Scene};
use crate::gate::recording::{FORMAT, LeftOut, Recorded, Recording};
use crate::gate::rules::{ANSWER_GONE, CHECK_BROKEN, SCENARIO_ENDED};
use crate::gate::template::Template;
use crate::operator::Targets;
use crate::runner::announce;
use crate::transcript::{Direction, Outcome};

/// The two roles of the new release, each with the place of the new one in that play.
const ROLES: [(&str, usize); 2] =
    [("paired/the-new-release-joins", 1), ("paired/the-new-release-proposes", 0)];

/// The seeds of the two plays of the old release with itself. What differs between them differs by nature.
const SEEDS: [Seed; 2] = [Seed(1), Seed(2)];

/// Remark for a pair where no two platforms of the old release federate.
const CHECKS_ALONE: &str = ": what passes is held to the checks of 10.1 alone";

/// Why the messages of a platform at an address are not compared.
const ONE_PLATFORM: &str = "the old release is one platform at an address, which cannot federate with itself: what passes is held \
                            to the checks of 10.1 alone";

/// Two plays of the old release with itself, or why there are none.
type Control = Result<[PairPlay; 2], String>;

/// One of the two releases.
#[derive(Clone, Debug)]
pub struct PairTarget {
    /// Its name, for a person.
    pub name: String,
    /// The source of its platforms.
    pub targets: Arc<dyn Targets>,
    /// The release that the user names.
    pub release: Option<Version>,
    /// True if there is one platform alone, so that it cannot federate with another of its release.
    pub is_one: bool,
}

/// Two releases that are held against each other.
#[derive(Clone, Debug)]
pub struct Pairing {
    /// The release before.
    pub old: PairTarget,
    /// The new release.
    pub new: PairTarget,
    /// The rules that break.
    pub rules: Choice,
    /// The notice that a person states. One that is found on the wire goes before it.
    pub notice: Option<Notice>,
    /// The address on which the relay listens.
    pub listen: IpAddr,
    /// The seed of the plays of the new release.
    pub seed: Seed,
}

/// Outcome of a pair.
#[derive(Clone, Debug)]
pub struct Paired {
    /// The comparison.
    pub comparison: Comparison,
    /// The plays, each with its name: two of the old release with itself, if it can, and one of each role of the new one.
    pub plays: Vec<(&'static str, PairPlay)>,
}

/// Lets two releases federate with each other, in both roles, and compares. What breaks is played a second time.
pub async fn pair(pairing: &Pairing) -> Result<Paired, GateError> {
    let result = pairing.compare_twice().await;
    pairing.old.targets.close().await;
    pairing.new.targets.close().await;
    result
}

impl Pairing {
    async fn compare_twice(&self) -> Result<Paired, GateError> {
        let control = self.control().await?;
        let plays = self.plays().await?;
        let first = self.compare(&control, &plays)?;
        let comparison =
            if first.breaking.is_empty() { first } else { self.confirm(first, &control).await? };
        let of_old = control.into_iter().flatten().map(|play| ("paired/two-of-the-old-release", play));
        let of_new = ROLES.iter().zip(plays).map(|((id, _), play)| (*id, play));
        Ok(Paired { comparison, plays: of_old.chain(of_new).collect() })
    }

    /// Plays again, and keeps what breaks in both plays.
    async fn confirm(&self, first: Comparison, control: &Control) -> Result<Comparison, GateError> {
        let again = self.compare(control, &self.plays().await?)?;
        let mut confirmed = confirmed(first, &again);
        if control.is_err() {
            confirmed.verdict = Self::without_messages(&confirmed);
        }
        Ok(confirmed)
    }

    /// Plays the old release with itself. An error says why its messages are compared with nothing.
    async fn control(&self) -> Result<Control, GateError> {
        if self.old.is_one {
            return Ok(Err(ONE_PLATFORM.to_owned()));
        }
        let old = &self.old;
        let first = self.play([old, old], SEEDS[0]).await?;
        if let Some(why) = first.why_apart() {
            return Ok(Err(format!("two of the old release do not federate ({why}){CHECKS_ALONE}")));
        }
        Ok(Ok([first, self.play([old, old], SEEDS[1]).await?]))
    }

    /// Plays the new release with the old one, in each role.
    async fn plays(&self) -> Result<[PairPlay; 2], GateError> {
        let (old, new) = (&self.old, &self.new);
        Ok([self.play([old, new], self.seed).await?, self.play([new, old], self.seed).await?])
    }

    async fn play(&self, [proposer, joiner]: [&PairTarget; 2], seed: Seed) -> Result<PairPlay, PairError> {
        let targets = [proposer.targets.as_ref(), joiner.targets.as_ref()];
        play_pair(targets, [&proposer.name, &joiner.name], seed, self.listen).await
    }

    fn compare(&self, control: &Control, plays: &[PairPlay; 2]) -> Result<Comparison, GateError> {
        let apart = plays.iter().map(PairPlay::why_apart).collect::<Option<Vec<_>>>();
        if let (Some(why), Err(_)) = (apart.and_then(|why| why.into_iter().next()), control) {
            return Err(GateError::NotPaired { why });
        }
        let why_alone = control.as_ref().err();
        let control = control.as_ref().ok();
        let old_views = control.into_iter().flatten().flat_map(|play| &play.views);
        let old_views = old_views.chain([&plays[0].views[0], &plays[1].views[1]]);
        let new_views = [&plays[0].views[1], &plays[1].views[0]];
        let old = release_in(old_views).or_else(|| self.old.release.clone()).ok_or(GateError::OldUnknown)?;
        let new = release_in(new_views.into_iter()).or_else(|| self.new.release.clone());
        let mut recording = self.empty_recording(&old);
        let mut scenarios = vec![];
        let mut found = vec![];
        let mut not_compared = vec![];
        for ((id, role), play) in ROLES.iter().zip(plays) {
            let Some(control) = control else {
                found.extend(without_control(id, play));
                not_compared.extend(play.why_lacking().iter().map(|why| left_out(id, why)));
                let alone = restarted_alone(None, play);
                recording.left_out.extend(alone.map(|(_, why)| left_out(id, why)));
                continue;
            };
            let steps = Steps::of(control, play);
            recording.left_out.extend(steps.not_recorded.iter().map(|why| left_out(id, why)));
            not_compared.extend(steps.not_compared.iter().map(|why| left_out(id, why)));
            found.extend(steps.refused.iter().map(|(name, text)| of_step(id, name, text.clone())));
            let views = [&control[0].views[*role], &control[1].views[*role]];
            let [first, second] = views.map(|view| steps.templates(view));
            found.extend(refusals(id, views[0], &play.views[*role], &steps));
            let (exchanges, varying) = merged(first, &second);
            recording.left_out.extend(varying.iter().map(|why| left_out(id, why)));
            recording.scenarios.push(Recorded { id: (*id).to_owned(), exchanges });
            let exchanges = steps.templates(&play.views[*role]);
            scenarios.push(Scene { id: (*id).to_owned(), outcome: Outcome::Completed, exchanges });
        }
        let start =
            announce(self.seed, self.new.name.clone(), vec![], HeldText::unknown(TextSource::Nothing));
        let compared = Play { start, release: new.clone(), handshake: None, scenarios };
        let notice = plays
            .iter()
            .zip(ROLES)
            .find_map(|(play, (_, role))| notice_on_wire(&play.views[role].trace, &old));
        let notice = notice.or_else(|| self.notice.clone());
        let mut comparison = compare_release(&recording, &compared, new, self.rules.clone(), notice);
        comparison.way = Way::Paired;
        for ((id, _), play) in ROLES.iter().zip(plays) {
            comparison.skipped.extend(play.replaced().map(|why| left_out(id, &why)));
        }
        comparison.not_compared.extend(not_compared);
        let mut kept = 0;
        if matches!(comparison.bump, Bump::Same | Bump::Patch | Bump::Minor | Bump::Unknown) {
            for ((id, _), play) in ROLES.iter().zip(plays) {
                let passed = of_window(play, control);
                kept += passed.iter().filter(|passed| matches!(passed, Passed::Kept)).count();
                found.extend(passed.into_iter().filter_map(|passed| passed.broken(id)));
            }
        }
        comparison.compared.checks = kept;
        Self::conclude(&mut comparison, found, why_alone);
        Ok(comparison)
    }

    /// Adds what only a pair shows, and decides.
    fn conclude(comparison: &mut Comparison, found: Vec<Found>, why_alone: Option<&String>) {
        for found in found {
            comparison.add(found);
        }
        comparison.verdict = comparison.decide();
        if let Some(why) = why_alone {
            comparison.not_recorded.insert(0, left_out("paired", why));
            comparison.verdict = Self::without_messages(comparison);
        }
    }

    /// Decides where no message was compared: the checks alone say that the two federate.
    fn without_messages(comparison: &Comparison) -> Verdict {
        let is_seen = comparison.compared.checks > 0 && comparison.not_compared.is_empty();
        match comparison.decide() {
            Verdict::Incomplete if is_seen => Verdict::Compatible,
            other => other,
        }
    }

    fn empty_recording(&self, release: &Version) -> Recording {
        Recording {
            format: FORMAT,
            suite: env!("CARGO_PKG_VERSION").to_owned(),
            scenarios_sha256: String::new(),
            release: release.clone(),
            contract: HeldText::unknown(TextSource::Nothing),
            target: self.old.name.clone(),
            recorded_at: Clock::system().now(),
            scenarios: vec![],
            left_out: vec![],
            sha256: String::new(),
        }
    }
}

fn release_in<'a>(views: impl Iterator<Item = &'a View>) -> Option<Version> {
    views.into_iter().find_map(|view| view.release.clone())
}

fn left_out(id: &str, why: &str) -> LeftOut {
    LeftOut { id: id.to_owned(), why: why.to_owned() }
}

/// Returns what the old release refuses the new one, where it served its own.
fn refusals(id: &str, before: &View, now: &View, steps: &Steps) -> Vec<Found> {
    let calls = |view: &View| -> BTreeMap<(u32, String), Vec<Template>> {
        let mut calls: BTreeMap<_, Vec<Template>> = BTreeMap::new();
        for (step, template) in &view.passed {
            if template.direction == Direction::FromTarget && steps.in_all.contains(step) {
                calls.entry((*step, template.route.clone())).or_default().push(template.clone());
            }
        }
        calls
    };
    let (before, now) = (calls(before), calls(now));
    let mut found = vec![];
    for (key, made) in &now {
        let Some(served) = before.get(key) else { continue };
        let statuses: Vec<u64> = served.iter().filter_map(Template::status).collect();
        let Some(expected) = statuses.first().filter(|_| statuses.len() == served.len()) else { continue };
        // A limit says nothing about the release.
        let is_as_before = |template: &&Template| {
            template.status().is_some_and(|now| statuses.contains(&now) || now == TOO_MANY_REQUESTS)
        };
        let Some(other) = made.iter().find(|template| !is_as_before(template)) else { continue };
        let rule = match other.status() {
            None => Some(ANSWER_GONE),
            Some(after) => status_rule(*expected, after),
        };
        if let Some(rule) = rule {
            let error = other.response["body"]["error"].as_str();
            let error = error.map(|error| format!(": {error:?}")).unwrap_or_default();
            let answer = other.status().map_or("nothing".to_owned(), |status| status.to_string());
            let text =
                format!("the old release answers {answer} to a call of the new one, for {expected}{error}");
            found.push(Found {
                direction: Some(Direction::FromTarget),
                route: other.route.clone(),
                at: "response.status".to_owned(),
                recorded: served.first().cloned(),
                now: Some(other.clone()),
                exchanges: 1,
                ..Found::new(rule, id, text)
            });
        }
    }
    found
}

/// Returns what breaks where the old release cannot be played with itself: they do not federate, or one of them fails.
fn without_control(id: &str, play: &PairPlay) -> Vec<Found> {
    let is_join = |name: &str| name.contains("peer.propose") || name.contains("peer.join");
    let steps = play.steps.iter().filter(|step| is_join(&step.name));
    let refused = steps.filter_map(|step| match &step.outcome {
        StepOutcome::Refused(why) => Some(of_step(id, &step.name, why.clone())),
        _ => None,
    });
    refused.collect()
}

fn of_step(id: &str, name: &str, text: String) -> Found {
    Found { route: name.to_owned(), ..Found::new(SCENARIO_ENDED, id, text) }
}

pub(super) fn of_check(id: &str, requirement: &str, text: String) -> Found {
    Found { route: requirement.to_owned(), ..Found::new(CHECK_BROKEN, id, text) }
}
