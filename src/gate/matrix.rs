//! Each two of several releases, paired: the earlier one of two as the old one.

use std::collections::BTreeMap;
use std::fmt::Write;

use semver::Version;
use serde::Serialize;

use super::bump::{Bump, Notice};
use super::comparison::{Comparison, Counts, Verdict};
use super::found::Found;
use super::paired::{PairTarget, Pairing, pair};
use super::record::GateError;
use super::recording::LeftOut;
use super::report::text;

/// One of the two targets of a pair.
#[derive(Clone, Debug, Serialize)]
pub struct MatrixEnd {
    /// The target, as the user names it.
    pub target: String,
    /// Its release, if it is known.
    pub release: Option<Version>,
}

/// The result of one pair of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MatrixVerdict {
    /// Nothing that was compared breaks.
    Compatible,
    /// Something breaks.
    Breaking,
    /// Something breaks, across a major bump and after a notice that is old enough.
    Announced,
    /// Not all could be compared, and nothing breaks that was not announced.
    Incomplete,
    /// The two are no neighbours: the contract asks nothing of them.
    NotCompared,
    /// A target or the machine failed, or the two never federated.
    Failed,
}

/// A pair of a matrix. Each has the same members, whatever its verdict.
#[derive(Debug, Serialize)]
pub struct MatrixPair {
    /// The earlier release.
    pub old: MatrixEnd,
    /// The later release.
    pub new: MatrixEnd,
    /// The result.
    pub verdict: MatrixVerdict,
    /// Why nothing was compared; null if something was.
    pub why: Option<String>,
    /// Every difference, those first that break; the others name no clause.
    pub findings: Vec<Found>,
    /// The deprecation notice of the old release, if one is known.
    pub notice: Option<Notice>,
    /// Number of things that were compared.
    pub compared: Counts,
    /// Pairs and parts that were not compared, each with the reason.
    pub not_compared: Vec<LeftOut>,
    /// Parts that two platforms of the old release do not show, each with the reason.
    pub not_recorded: Vec<LeftOut>,
    /// The steps that no method does, each with what was done instead.
    pub skipped: Vec<LeftOut>,
    /// The report as text.
    #[serde(skip)]
    pub text: String,
    /// Failure.
    #[serde(skip)]
    pub error: Option<GateError>,
}

/// Pairs each two of several targets. A pair that fails, or of two that are no neighbours, does not keep the others from
/// being compared.
pub async fn pair_each(
    targets: &[PairTarget],
    pairing: impl Fn(&PairTarget, &PairTarget) -> Pairing,
) -> Vec<MatrixPair> {
    let mut releases: BTreeMap<usize, Version> = BTreeMap::new();
    for (place, target) in targets.iter().enumerate() {
        releases.extend(target.release.clone().map(|release| (place, release)));
    }
    let mut pairs = vec![];
    for first in 0..targets.len() {
        for second in first + 1..targets.len() {
            pairs.push(one(targets, [first, second], &mut releases, &pairing).await);
        }
    }
    pairs
}

async fn one(
    targets: &[PairTarget],
    places: [usize; 2],
    releases: &mut BTreeMap<usize, Version>,
    pairing: &impl Fn(&PairTarget, &PairTarget) -> Pairing,
) -> MatrixPair {
    let mut order = places;
    // The order in which targets are named says nothing of their releases, which may be known after a first play alone.
    for _ in 0..2 {
        let [old, new] = order.map(|place| &targets[place]);
        match bump(releases, order) {
            Some(Bump::Back) => {
                order.reverse();
                continue;
            }
            Some(Bump::Outside) => break,
            _ => {}
        }
        let comparison = match pair(&pairing(old, new)).await {
            Ok(paired) => paired.comparison,
            // The release of the other one may be known.
            Err(GateError::OldUnknown) if order == places => {
                order.reverse();
                continue;
            }
            Err(error) => return MatrixPair::failed(ends(targets, order, releases), error),
        };
        let found = [Some(comparison.recorded_release.clone()), comparison.release.clone()];
        releases.extend(order.into_iter().zip(found).filter_map(|(place, found)| Some((place, found?))));
        match comparison.bump {
            Bump::Back => order.reverse(),
            Bump::Outside => break,
            _ => return MatrixPair::of(ends(targets, order, releases), comparison),
        }
    }
    MatrixPair::not_compared(ends(targets, order, releases))
}

fn bump(releases: &BTreeMap<usize, Version>, [old, new]: [usize; 2]) -> Option<Bump> {
    Some(Bump::between(releases.get(&old)?, releases.get(&new)?))
}

fn ends(targets: &[PairTarget], order: [usize; 2], releases: &BTreeMap<usize, Version>) -> [MatrixEnd; 2] {
    order.map(|place| MatrixEnd {
        target: targets[place].name.clone(),
        release: releases.get(&place).cloned(),
    })
}

impl MatrixPair {
    fn new([old, new]: [MatrixEnd; 2], verdict: MatrixVerdict) -> Self {
        Self {
            old,
            new,
            verdict,
            why: None,
            findings: vec![],
            notice: None,
            compared: Counts::default(),
            not_compared: vec![],
            not_recorded: vec![],
            skipped: vec![],
            text: String::new(),
            error: None,
        }
    }

    fn of(ends: [MatrixEnd; 2], comparison: Comparison) -> Self {
        let verdict = match comparison.verdict {
            Verdict::Compatible => MatrixVerdict::Compatible,
            Verdict::Breaking => MatrixVerdict::Breaking,
            Verdict::Announced => MatrixVerdict::Announced,
            Verdict::Incomplete => MatrixVerdict::Incomplete,
            Verdict::NoNeighbours => MatrixVerdict::NotCompared,
        };
        let text = text(&comparison);
        Self {
            findings: comparison.breaking.into_iter().chain(comparison.others).collect(),
            notice: comparison.notice,
            compared: comparison.compared,
            not_compared: comparison.not_compared,
            not_recorded: comparison.not_recorded,
            skipped: comparison.skipped,
            text,
            ..Self::new(ends, verdict)
        }
    }

    fn not_compared(ends: [MatrixEnd; 2]) -> Self {
        let why = "the two are no neighbours: the contract asks nothing of them".to_owned();
        Self { why: Some(why), ..Self::new(ends, MatrixVerdict::NotCompared) }
    }

    fn failed(ends: [MatrixEnd; 2], error: GateError) -> Self {
        let why = crate::with_causes(&error);
        Self { why: Some(why), error: Some(error), ..Self::new(ends, MatrixVerdict::Failed) }
    }
}

/// Returns the report of a matrix as text: that of each pair that was compared, then a line for each pair.
#[must_use]
pub fn matrix_text(pairs: &[MatrixPair]) -> String {
    let mut written = String::new();
    for pair in pairs.iter().filter(|pair| !pair.text.is_empty()) {
        written.push_str(&pair.text);
        written.push('\n');
    }
    let is_compared = |pair: &&MatrixPair| pair.why.is_none();
    let compared = pairs.iter().filter(is_compared).count();
    let _ = writeln!(written, "{} pairs, {compared} of them compared", pairs.len());
    for pair in pairs {
        let result = match (&pair.why, pair.verdict) {
            (Some(why), MatrixVerdict::Failed) => format!("failed: {why}"),
            (Some(why), _) => format!("not compared: {why}"),
            (None, MatrixVerdict::Breaking) => "BREAKING".to_owned(),
            (None, MatrixVerdict::Announced) => "announced".to_owned(),
            (None, MatrixVerdict::Incomplete) => "not all could be compared".to_owned(),
            (None, _) => "compatible".to_owned(),
        };
        let _ = writeln!(written, "  {} with {}: {result}", pair.old.name(), pair.new.name());
    }
    written
}

impl MatrixEnd {
    fn name(&self) -> String {
        match &self.release {
            Some(release) => format!("{release} ({})", self.target),
            None => self.target.clone(),
        }
    }
}
