//! A share of the aspects, and the least that `--min-proved` asks for.

use std::fmt;
use std::str::FromStr;

use super::{BasisChoice, Exit, message};
use crate::report::Report;
use crate::score::Standing;

/// A whole number of percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Percent(u8);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.strip_suffix('%').unwrap_or(text).parse().ok().filter(|number| *number <= 100);
        number.map(Self).ok_or_else(|| "a share from 0% to 100% was expected, such as 40%".to_owned())
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// Returns the exit code of a run that is otherwise a success, where fewer aspects are proved than asked for. Standard
/// error says so.
pub(super) fn exit_with_minimum(
    exit: Exit,
    report: &Report,
    basis: BasisChoice,
    minimum: Option<Percent>,
) -> Exit {
    let Some(minimum) = minimum else { return exit };
    let (kept, applying) = proved(report, basis);
    if kept * 100 >= u64::from(minimum.0) * applying {
        return exit;
    }
    message(&format!("--min-proved {minimum}: {kept} of {applying} aspects that apply are proved\n"));
    if exit == Exit::Kept { Exit::Unproven } else { exit }
}

/// Returns the numbers of the aspects that are kept by the checks that count, and of those that apply.
fn proved(report: &Report, basis: BasisChoice) -> (u64, u64) {
    let applies = |standing: Standing| standing != Standing::NotApplicable;
    let standings = || report.score.aspects.iter().map(|row| basis.standing(row));
    let kept = standings().filter(|standing| *standing == Standing::Kept).count();
    (kept as u64, standings().filter(|standing| applies(*standing)).count() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept};
    use crate::contract::Basis::Observed;
    use crate::sample::report;

    #[test]
    fn a_share_is_a_whole_number_of_percent() {
        assert_eq!("40%".parse(), Ok(Percent(40)));
        assert_eq!("100".parse(), Ok(Percent(100)));
        for text in ["", "%", "101%", "-1", "4.5%", "x"] {
            assert!(text.parse::<Percent>().is_err(), "{text}");
        }
    }

    #[test]
    fn too_few_proved_aspects_make_no_success_and_hide_no_breach() {
        let kept = report(&[("7.1", Observed, Kept)]);
        let (proved, all) = proved(&kept, BasisChoice::All);
        assert!(proved == 1 && all > 50);
        assert_eq!(exit_with_minimum(Exit::Kept, &kept, BasisChoice::All, Some(Percent(0))), Exit::Kept);
        assert_eq!(exit_with_minimum(Exit::Kept, &kept, BasisChoice::All, Some(Percent(40))), Exit::Unproven);
        assert_eq!(exit_with_minimum(Exit::Kept, &kept, BasisChoice::All, None), Exit::Kept);
        let broken = report(&[("7.1", Observed, Broken)]);
        assert_eq!(
            exit_with_minimum(Exit::Broken, &broken, BasisChoice::All, Some(Percent(40))),
            Exit::Broken
        );
    }
}
