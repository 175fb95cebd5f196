//! The report for a workflow of GitHub: commands that annotate it.

use std::fmt::Write;

use crate::check::Verdict;
use crate::report::escape::terminal;
use crate::report::{EvaluatedCheck, Report};
use crate::score::Overall;

/// Returns the report as workflow commands: an error for each breach, a notice for each known one, a warning for each flaky
/// check, and the headline. No
/// text of a target begins a line, so none is a command.
#[must_use]
pub(super) fn github(report: &Report) -> String {
    let mut lines = Vec::new();
    if let Some(void) = &report.void {
        lines.push(command("error", "covenant: the run is void", void));
    } else {
        let is_broken = |check: &&EvaluatedCheck| check.evaluation.result.verdict == Verdict::Broken;
        lines.extend(report.checks.iter().filter(is_broken).map(|check| breach(report, check)));
        lines.extend(report.flaky().map(|(check, _)| breach(report, check)));
    }
    lines.extend(
        report
            .known_faults
            .iter()
            .map(|fault| command("error", "covenant: known breaches", &fault.to_string())),
    );
    let disturbances = report.disturbances();
    lines.extend(disturbances.iter().map(|why| command("error", "covenant: the run was disturbed", why)));
    let level = match report.score.overall {
        _ if !disturbances.is_empty() => "error",
        Overall::Kept => "notice",
        Overall::Broken if report.is_all_known() => "notice",
        Overall::Unproven => "warning",
        Overall::Broken | Overall::Void => "error",
    };
    lines.push(command(level, "covenant", &report.headline()));
    lines.concat()
}

fn breach(report: &Report, evaluated: &EvaluatedCheck) -> String {
    let (check, result) = (&evaluated.evaluation.check, &evaluated.evaluation.result);
    let name = format!("covenant: {} {}", check.clause, check.aspect);
    let mut text = format!(
        "{}\nexpected: {}\nactual: {}\ncheck: {}\nreplay: {}",
        terminal(&check.requirement),
        terminal(&result.expected.join("; or ")),
        terminal(&result.actual),
        terminal(&check.id),
        terminal(&evaluated.replay)
    );
    // An annotation stands alone, and the command has the word.
    if let Some(words) = report.recorded_arguments() {
        let _ = write!(text, "\nTARGET, as recorded: {}", terminal(&words));
    }
    match &evaluated.known {
        Some(known) => command("notice", &format!("{name} (known)"), &format!("known: {known}\n{text}")),
        None if evaluated.evaluation.flaky.is_some() => command("warning", &format!("{name} (flaky)"), &text),
        None => command("error", &name, &text),
    }
}

/// Returns a workflow command with its title. Both texts are escaped by the rules of GitHub.
fn command(level: &str, title: &str, text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(terminal).collect();
    format!("::{level} title={}::{}\n", property(&terminal(title)), data(&lines.join("\n")))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{flaky, known, report};
    use covenant_model::contract::Basis::Observed;

    #[test]
    fn each_breach_is_an_error_and_no_text_of_a_target_is_a_command() {
        let mut broken = report(&[("7.1", Observed, Verdict::Broken), ("7.2", Observed, Verdict::Kept)]);
        broken.checks[0].evaluation.result.actual = "100%\n::set-env name=X::y\r\n::error::no".to_owned();
        let text = github(&broken);
        assert_eq!(text.lines().count(), 2, "{text}");
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("::error title=covenant%3A 7.1 conduct::"), "{text}");
        assert!(first.contains("%0Aactual: 100%25 ::set-env name=X::y"), "{text}");
        assert!(text.lines().all(|line| line.starts_with("::error title=covenant")), "{text}");
        let words = "%0ATARGET, as recorded: --adapter \"python3 'my adapter.py'\"";
        assert!(first.ends_with(words), "{text}");
    }

    #[test]
    fn a_known_breach_is_a_notice() {
        let text = github(&known(&report(&[("7.1", Observed, Verdict::Broken)])));
        assert!(text.contains("::notice title=covenant%3A 7.1 conduct (known)::known: we fix it"), "{text}");
        assert!(!text.contains("::error"), "{text}");
    }

    #[test]
    fn a_flaky_check_is_a_warning() {
        let text = github(&flaky(&report(&[("7.1", Observed, Verdict::Broken)])));
        assert!(text.starts_with("::warning title=covenant%3A 7.1 conduct (flaky)::"), "{text}");
        assert!(text.contains("%0Aactual: flaky: broken in 1 of 2 plays: why%0A"), "{text}");
        assert!(text.contains("\n::warning title=covenant::UNPROVEN, flaky: 1 check"), "{text}");
        assert!(!text.contains("::error"), "{text}");
    }

    #[test]
    fn a_void_run_and_a_missing_end_are_errors() {
        let broken = report(&[("7.1", Observed, Verdict::Broken)]);
        let void = github(&Report { void: Some("no handshake".to_owned()), ..broken.clone() });
        assert!(void.starts_with("::error title=covenant%3A the run is void::no handshake\n"), "{void}");
        assert!(!void.contains("7.1"), "{void}");
        let cut = github(&Report { outcome: None, ..broken });
        assert!(
            cut.contains("::error title=covenant%3A the run was disturbed::the run was interrupted"),
            "{cut}"
        );
    }
}
