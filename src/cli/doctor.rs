//! `covenant doctor`: shows before a run what works and how to fix what does not.

use std::net::{IpAddr, Ipv4Addr};

use clap::Args;

use super::config::Config;
use super::operator_choice::OperatorChoice;
use super::target_choice::TargetArguments;
use super::unused;
use super::{Exit, Failure, block_on_unless_stopped, print};
use crate::Blame;
use crate::doctor::{FailedPoint, Point, PointResult, Points, Subject, examine};
use crate::report::terminal;
use crate::runner::{ExternalTarget, Target};
use crate::with_causes;

/// Arguments of `covenant doctor`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    target: TargetArguments,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let config = Config::find(arguments.target.config.as_deref())?;
    let asked = arguments.target.clone().or(&config);
    unused::refuse(&arguments.target, &asked)?;
    let target = asked.target(None);
    let subject = subject(&asked);
    // As a run does: the certificate of the peers is read, for example.
    let run_context = asked.run_context(None)?;
    diagnose(async |points| {
        let external = external(points, &target);
        examine(points, &subject, external, &run_context).await;
    })
}

/// Returns the external target. If it can't be built, that is the first point.
fn external<'a>(points: &mut Points<'_>, target: &'a Result<Target, Failure>) -> Option<&'a ExternalTarget> {
    match target {
        Ok(Target::ExternalTarget(external)) => Some(external),
        Ok(Target::Embedded(_)) => None,
        Err(failure) => {
            let hint = "see `covenant doctor --help`, or edit covenant.toml";
            points.failed("operator", with_causes(failure.error.as_ref()), hint, blame(failure.exit));
            None
        }
    }
}

/// Returns the subject that the arguments name.
pub(super) fn subject(asked: &TargetArguments) -> Subject {
    Subject {
        url: asked.target.clone(),
        ca_bundle_pem: asked.callable().ok().flatten().and_then(|_| asked.authorities().ok().flatten()),
        listen: asked.listen.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        advertise: asked.advertise.clone(),
        caller: asked.identity.map(|identity| identity.0),
        limits: asked.limits(),
        asks_a_person: matches!(asked.operator, Some(OperatorChoice::Person)),
        recorder: None,
    }
}

/// Prints the points of a diagnosis as they are found. Returns the exit code of the first that failed.
pub(super) fn diagnose(examine: impl AsyncFnOnce(&mut Points<'_>)) -> Result<Exit, Failure> {
    diagnose_with(|point| print(&line(point)), examine)
}

/// Shows the points of a diagnosis as they are found. Returns the exit code of the first that failed.
pub(super) fn diagnose_with(
    mut show_point: impl FnMut(&Point) -> Result<(), Failure>,
    examine: impl AsyncFnOnce(&mut Points<'_>),
) -> Result<Exit, Failure> {
    let mut printed = Ok(());
    let mut show = |point: &Point| {
        if printed.is_ok() {
            printed = show_point(point);
        }
    };
    let mut points = Points::new(&mut show);
    block_on_unless_stopped(examine(&mut points))?;
    let of_failure = |failure: &FailedPoint| failure.blame.map_or(Exit::Usage, Exit::from);
    let exit = points.first_failure().map_or(Exit::Kept, of_failure);
    printed?;
    Ok(exit)
}

/// Returns a point as a line for a person.
pub(super) fn line(point: &Point) -> String {
    let (word, hint) = match &point.result {
        PointResult::Fine => ("ok", String::new()),
        PointResult::Note => ("note", String::new()),
        PointResult::Failed(failure) => ("FAIL", format!("; {}", failure.hint)),
    };
    format!("{word:<5} {:<12} {}{hint}\n", point.subject, terminal(&point.found))
}

/// Returns the side that an exit code blames; `None` if the user has to change something.
fn blame(exit: Exit) -> Option<Blame> {
    [Blame::Target, Blame::Adapter, Blame::Environment, Blame::Suite]
        .into_iter()
        .find(|blame| Exit::from(*blame) == exit)
}
