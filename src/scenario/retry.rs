//! The name of a further play of a scenario, in which a check was broken.

use super::Loaded;

/// Separator of the id of the scenario and the number of the play.
const RETRY: &str = " retry ";

/// Returns the name of the trace of a play. The first play has the name of the scenario.
#[must_use]
pub(crate) fn trace_name(scenario: &str, retry: u32) -> String {
    if retry == 0 { scenario.to_owned() } else { format!("{scenario}{RETRY}{retry}") }
}

/// Returns the scenario and the number of a play, from 1; `None` if the name is not that of a further play.
pub(crate) fn retry_of(trace: &str) -> Option<(&str, u32)> {
    let (scenario, number) = trace.rsplit_once(RETRY)?;
    let retry = number.parse().ok().filter(|retry| *retry > 0)?;
    (trace_name(scenario, retry) == trace).then_some((scenario, retry))
}

impl Loaded {
    /// Returns the name of the trace of the play.
    #[must_use]
    pub fn trace(&self) -> String {
        trace_name(&self.id, self.retry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_its_scenario_and_its_number() {
        for (scenario, retry) in [("a/b", 1), ("a/b again", 12), ("a retry 1", 2)] {
            assert_eq!(retry_of(&trace_name(scenario, retry)), Some((scenario, retry)));
        }
        assert_eq!(trace_name("a/b", 0), "a/b");
        for other in ["a/b", "a retry 0", "a retry 01", "a retry +1", "a retry x", "a retry", " retry "] {
            assert_eq!(retry_of(other), None, "{other}");
        }
    }
}
