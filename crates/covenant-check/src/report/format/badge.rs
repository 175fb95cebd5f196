//! The report as a badge: a few words for a page about the target. A badge counts what was proved, and turns green only
//! if nothing that applies is left.

use std::fmt::Write;

use serde_json::json;

use crate::report::Report;
use crate::score::{Overall, Standing};

/// The left half of a badge.
const LABEL: &str = "federation contract";
/// The width of a character at the size of the text, and the margin of a half, in pixels.
const CHARACTER: usize = 7;
const MARGIN: usize = 12;

/// Content of a badge.
struct Badge {
    message: String,
    /// The name of the colour, as badge services have it.
    color: &'static str,
    /// The same colour for the drawing, dark enough for white text.
    fill: &'static str,
}

fn badge(report: &Report) -> Badge {
    let scope = &report.score.scope;
    let (kept, aspects) = (scope.kept(), scope.aspects);
    let does_not_apply =
        report.score.aspects.iter().filter(|aspect| aspect.standing == Standing::NotApplicable).count()
            as u64;
    let is_whole = kept + does_not_apply == aspects && !report.partial && !report.is_interrupted();
    let broken = scope.broken_observed.len() + scope.broken_proposed_alone.len();
    let (message, color, fill) = match report.score.overall {
        Overall::Void => ("not evaluated".to_owned(), "lightgrey", "#595959"),
        Overall::Broken => {
            let clauses = if broken == 1 { "clause" } else { "clauses" };
            (format!("{broken} {clauses} broken, {kept} of {aspects} aspects proved"), "red", "#a31621")
        }
        _ if kept == 0 => ("nothing proved".to_owned(), "lightgrey", "#595959"),
        Overall::Kept if is_whole => {
            (format!("kept, {kept} of {aspects} aspects proved"), "brightgreen", "#1e6b33")
        }
        _ => {
            let rest = match report.counts.flaky {
                0 => "none broken".to_owned(),
                flaky => format!("{flaky} flaky"),
            };
            (format!("{kept} of {aspects} aspects proved, {rest}"), "yellow", "#7a5900")
        }
    };
    Badge { message, color, fill }
}

/// Returns the badge as JSON, in the schema that badge services read from an endpoint.
pub(super) fn json(report: &Report) -> String {
    let Badge { message, color, .. } = badge(report);
    let value = json!({"schemaVersion": 1, "label": LABEL, "message": message, "color": color});
    format!("{value:#}\n")
}

/// Returns the badge as a drawing. Nothing in it is of a target.
pub(super) fn svg(report: &Report) -> String {
    let Badge { message, fill, .. } = badge(report);
    let width = |text: &str| text.chars().count() * CHARACTER + MARGIN;
    let (left, right) = (width(LABEL), width(&message));
    let all = left + right;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"20\" role=\"img\" aria-label=\"{LABEL}: {message}\">\n"
    );
    let _ = writeln!(out, "<title>{LABEL}: {message}</title>");
    let _ = writeln!(out, "<rect width=\"{left}\" height=\"20\" fill=\"#404040\"/>");
    let _ = writeln!(out, "<rect x=\"{left}\" width=\"{right}\" height=\"20\" fill=\"{fill}\"/>");
    out.push_str("<g fill=\"#fff\" font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\" text-anchor=\"middle\">\n");
    for (middle, text) in [(left / 2, LABEL), (left + right / 2, &message)] {
        let length = text.chars().count() * CHARACTER;
        let _ = writeln!(out, "<text x=\"{middle}\" y=\"14\" textLength=\"{length}\">{text}</text>");
    }
    out.push_str("</g>\n</svg>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::report::sample::{flaky, report};
    use covenant_model::contract::Basis::{Observed, Proposed};

    fn shows(report: &Report) -> (String, &'static str) {
        let Badge { message, color, .. } = badge(report);
        (message, color)
    }

    #[test]
    fn a_flaky_check_is_never_none_broken() {
        let once = flaky(&report(&[("7.1", Observed, Broken), ("7.2", Observed, Kept)]));
        let all = once.score.scope.aspects;
        assert_eq!(shows(&once), (format!("1 of {all} aspects proved, 1 flaky"), "yellow"));
    }

    #[test]
    fn a_badge_is_green_only_if_nothing_is_left() {
        let mut whole = report(&[("7.1", Observed, Kept)]);
        let all = whole.score.scope.aspects;
        let some = format!("1 of {all} aspects proved, none broken");
        assert_eq!(shows(&whole), (some.clone(), "yellow"), "a part");
        whole.score.scope.kept_observed = all;
        assert_eq!(shows(&whole).1, "yellow", "still a part");
        whole.partial = false;
        assert_eq!(shows(&whole), (format!("kept, {all} of {all} aspects proved"), "brightgreen"));
        whole.score.scope.kept_observed = all - 1;
        assert_eq!(shows(&whole).1, "yellow", "one is unproven");
        whole.score.scope.kept_observed = all;
        whole.outcome = None;
        assert_eq!(shows(&whole).1, "yellow", "interrupted");
        let open = report(&[("7.1", Observed, Kept), ("7.2", Proposed, Unproven)]);
        assert_eq!(shows(&open), (some, "yellow"));
        assert_eq!(
            shows(&report(&[("7.2", Proposed, Unproven)])),
            ("nothing proved".to_owned(), "lightgrey")
        );
        assert_eq!(shows(&report(&[])).1, "lightgrey");
    }

    #[test]
    fn a_broken_clause_and_a_void_run_show() {
        let broken = report(&[("7.1", Observed, Broken), ("7.2", Proposed, Kept)]);
        let all = broken.score.scope.aspects;
        assert_eq!(shows(&broken), (format!("1 clause broken, 1 of {all} aspects proved"), "red"));
        let mut void = broken;
        void.score.overall = Overall::Void;
        assert_eq!(shows(&void), ("not evaluated".to_owned(), "lightgrey"));
    }

    #[test]
    fn the_json_is_that_of_an_endpoint_and_the_drawing_says_the_same() {
        let report = report(&[("7.1", Observed, Kept)]);
        let value: serde_json::Value = serde_json::from_str(&json(&report)).expect("JSON");
        let names: Vec<&String> = value.as_object().expect("an object").keys().collect();
        assert_eq!(names, ["color", "label", "message", "schemaVersion"]);
        assert_eq!(value["schemaVersion"], 1);
        let message = value["message"].as_str().expect("a message");
        let drawn = svg(&report);
        assert!(drawn.contains(&format!("<title>{LABEL}: {message}</title>")), "{drawn}");
        assert!(!drawn.contains("href") && !drawn.contains("script"), "{drawn}");
    }
}
