//! The ways of `covenant gate`, and the options that each of them uses. One that the way does not use is refused: whoever
//! gives it expects it to change something.

use super::gate::Arguments;
use super::{Failure, unused};

/// A way of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GateWay {
    Recorded,
    Simulated,
    Paired,
    Matrix,
}

use GateWay::{Matrix, Paired, Recorded, Simulated};

/// An option, whether the command line has it, and the ways that use it.
type OfWay = (&'static str, fn(&Arguments) -> bool, &'static [GateWay]);

const OF_WAYS: &[OfWay] = &[
    ("--baseline", |given| given.baseline.is_some(), &[Recorded]),
    ("--simulated", |given| given.simulated, &[Simulated]),
    ("--old", |given| given.old.is_some(), &[Paired]),
    ("--new", |given| given.new.is_some(), &[Paired]),
    ("--matrix", |given| !given.matrix.is_empty(), &[Matrix]),
    ("--passed", |given| given.passed.is_some(), &[Paired]),
    ("--notice-given", |given| given.notice_given.is_some(), &[Recorded, Paired, Matrix]),
    ("--also", |given| !given.also.is_empty(), &[Recorded, Paired, Matrix]),
    ("--jobs", |given| given.play.jobs.is_some(), &[Recorded, Simulated]),
];

/// The options of a target that a pair uses. Its targets are named in place, and no simulated peer is there.
const IN_PAIRS: [&str; 5] =
    ["--adapter-env", "--adapter-timeout", "--credentials", "--listen", "--plain-http"];

impl GateWay {
    /// Returns the way that the command line names. Refuses what that way does not use.
    pub(super) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let way = if arguments.old.is_some() {
            Paired
        } else if !arguments.matrix.is_empty() {
            Matrix
        } else if arguments.simulated {
            Simulated
        } else if arguments.baseline.is_some() {
            Recorded
        } else {
            return Err(Failure::usage(
                "the release before is missing: name its recording (--baseline DIR), simulate neighbours (--simulated), or \
                 pair two releases (--old TARGET --new TARGET, --matrix TARGET TARGET …)",
            ));
        };
        way.refuse(arguments)?;
        Ok(way)
    }

    fn refuse(self, arguments: &Arguments) -> Result<(), Failure> {
        let of_no_use =
            OF_WAYS.iter().find(|(_, is_given, ways)| is_given(arguments) && !ways.contains(&self));
        if let Some((flag, _, ways)) = of_no_use {
            let users: Vec<&str> = ways.iter().map(|way| way.name()).collect();
            return Err(Failure::usage(format!(
                "{flag} is of no use with {}: {} alone {} it",
                self.name(),
                users.join(" and "),
                if users.len() == 1 { "uses" } else { "use" },
            )));
        }
        if ![Paired, Matrix].contains(&self) {
            return Ok(());
        }
        let given = unused::given(&arguments.play.target);
        match given.into_iter().find(|flag| !IN_PAIRS.contains(flag)) {
            Some(flag) => Err(Failure::usage(format!(
                "{flag} is of no use with {}: {} and {} alone use it; a pair names its targets in place, such as \
                 `reference:1.5.0+NAME` or the command line of an adapter",
                self.name(),
                Recorded.name(),
                Simulated.name(),
            ))),
            None => Ok(()),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Recorded => "the recorded way (--baseline)",
            Simulated => "the simulated way (--simulated)",
            Paired => "a pair (--old, --new)",
            Matrix => "a matrix (--matrix)",
        }
    }
}
