//! The report of the gate, as text.

use std::fmt::Write;

use super::bump::{Bump, NoticeSource};
use super::comparison::{Comparison, Verdict, Way};
use super::found::Found;
use super::rules::{CLAUSE, CLAUSE_OF_NOTICE};
use super::shown::exchanges;
use crate::transcript::Direction;

/// Returns the report as text.
#[must_use]
pub fn text(comparison: &Comparison) -> String {
    let mut text = headline(comparison);
    notice(&mut text, comparison);
    for (number, found) in comparison.breaking.iter().enumerate() {
        breaking(&mut text, number + 1, found, comparison);
    }
    coverage(&mut text, comparison);
    text
}

fn headline(comparison: &Comparison) -> String {
    let (old, new) = (&comparison.recorded_release, comparison.release_name());
    let count = comparison.breaking.len();
    let result = match comparison.verdict {
        Verdict::Compatible => format!("compatible: {} that was compared breaks", nothing(comparison)),
        Verdict::Breaking => format!("BREAKING: {} ({CLAUSE})", differences(count)),
        Verdict::Announced => {
            format!(
                "announced: {}, after a notice of 30 days or more ({CLAUSE_OF_NOTICE})",
                differences(count)
            )
        }
        Verdict::Incomplete => {
            let so_far = match count {
                0 => format!("{} breaks", nothing(comparison)),
                count => format!("{} after a notice ({CLAUSE_OF_NOTICE})", differences(count)),
            };
            format!("{so_far}, but not all {} could be compared", of_old(comparison.way))
        }
        Verdict::NoNeighbours => no_neighbours(comparison),
    };
    let how = match comparison.way {
        Way::Recorded => "against the recording of",
        Way::Paired => "in a federation with",
    };
    format!("{new} {how} {old}, {}: {result}\n", comparison.bump.name())
}

const fn of_old(way: Way) -> &'static str {
    match way {
        Way::Recorded => "of the recording",
        Way::Paired => "that passes between two of the old release",
    }
}

/// Returns what breaks where nothing does: what the user leaves out aside.
fn nothing(comparison: &Comparison) -> String {
    let is_left_out = |found: &&Found| comparison.rules.leaves_out(found.rule);
    match comparison.others.iter().filter(is_left_out).count() {
        0 => "nothing".to_owned(),
        count => format!("{} left out by --except, and nothing else", differences(count)),
    }
}

fn differences(count: usize) -> String {
    if count == 1 { "1 breaking difference".to_owned() } else { format!("{count} breaking differences") }
}

fn no_neighbours(comparison: &Comparison) -> String {
    if comparison.way == Way::Paired {
        let what =
            if comparison.bump == Bump::Back { "the old release is the later one" } else { "not neighbours" };
        return format!(
            "{what}, so nothing is decided; name the release before {} with --old",
            comparison.release_name()
        );
    }
    let what =
        if comparison.bump == Bump::Back { "the recording is of a later release" } else { "not neighbours" };
    format!(
        "{what}, so nothing is decided; record the release before {}: `covenant gate record --release VERSION --out DIR`",
        comparison.release_name()
    )
}

fn notice(text: &mut String, comparison: &Comparison) {
    if comparison.breaking.is_empty() || comparison.bump != Bump::Major {
        return;
    }
    let line = match &comparison.notice {
        None => "no deprecation notice is known; --notice-given DATE states one (attested)".to_owned(),
        Some(notice) => {
            let source = match notice.source {
                NoticeSource::Wire => "found on the wire",
                NoticeSource::Attested => "attested by --notice-given, not observed",
            };
            let age = if notice.old_enough { "old enough" } else { "less than 30 days old" };
            format!("deprecation notice of {}: {source}, {age}", notice.declared_at)
        }
    };
    let _ = writeln!(text, "{line}");
}

fn breaking(text: &mut String, number: usize, found: &Found, comparison: &Comparison) {
    let place = [found.route.as_str(), found.at.as_str()].join(" ");
    let side = match found.direction {
        Some(Direction::ToTarget) => "answer of the target: ",
        Some(Direction::FromTarget) => "call of the target: ",
        None => "",
    };
    let _ = writeln!(text, "\n{number}. {}  {side}{}", found.rule.id, place.trim());
    let _ = writeln!(text, "   {}", found.text);
    let _ = writeln!(text, "   breaks {CLAUSE}: {}", found.rule.why);
    let first = found.recorded.as_ref().or(found.now.as_ref());
    let entry = first.map(|template| {
        let label = template.label.as_ref().map(|label| format!(" ({label})")).unwrap_or_default();
        format!(", entry {}{label} of {}", template.n, template.peer)
    });
    let scenarios: Vec<&str> = found.scenarios.iter().map(String::as_str).collect();
    let more = if scenarios.len() > 1 { format!(" and {} more", scenarios.len() - 1) } else { String::new() };
    let _ =
        writeln!(text, "   seen in {}{}{more}", scenarios.first().unwrap_or(&""), entry.unwrap_or_default());
    let before = match comparison.way {
        Way::Recorded => "recorded",
        Way::Paired => "with another of its release",
    };
    let old = format!("{} ({before})", comparison.recorded_release);
    exchanges(text, found, &old, &format!("{} (now)", comparison.release_name()));
}

fn coverage(text: &mut String, comparison: &Comparison) {
    let counts = &comparison.compared;
    let names = |routes: &std::collections::BTreeSet<String>| {
        routes.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    };
    let _ = writeln!(text, "\ncompared: {} scenarios", counts.scenarios);
    let _ = writeln!(text, "  {} answers of the target: {}", counts.answers, names(&counts.answered_routes));
    let _ = writeln!(text, "  {} calls of the target: {}", counts.calls, names(&counts.called_routes));
    if comparison.way == Way::Paired {
        let _ = writeln!(text, "  {} checks of {CLAUSE} were kept between the two", counts.checks);
    }
    let others = comparison.others.len();
    if others > 0 {
        let _ = writeln!(text, "{others} other differences break nothing; --format json lists them");
    }
    for rule in &comparison.rules.except {
        let _ = writeln!(text, "left out by --except: {rule}");
    }
    for one in &comparison.not_compared {
        let _ = writeln!(text, "not compared: {}: {}", one.id, one.why);
    }
    for one in &comparison.not_recorded {
        let what = match comparison.way {
            Way::Recorded => "not recorded",
            Way::Paired => "not seen between two of the old release",
        };
        let _ = writeln!(text, "{what}: {}: {}", one.id, one.why);
    }
    for one in &comparison.skipped {
        let _ = writeln!(text, "skipped step: {}: {}", one.id, one.why);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::comparison::{Choice, Counts};
    use crate::gate::rules::{MEMBER_ADDED, MEMBER_GONE, SCENARIO_ENDED};
    use semver::Version;

    fn comparison(verdict: Verdict) -> Comparison {
        Comparison {
            way: Way::Recorded,
            recorded_release: Version::new(1, 4, 2),
            release: Some(Version::new(2, 0, 0)),
            target: String::new(),
            bump: Bump::Major,
            verdict,
            notice: None,
            rules: Choice { except: [SCENARIO_ENDED.id.to_owned()].into(), ..Choice::default() },
            compared: Counts::default(),
            breaking: vec![],
            others: vec![],
            not_compared: vec![],
            not_recorded: vec![],
            skipped: vec![],
        }
    }

    #[test]
    fn no_headline_says_that_nothing_breaks_beside_what_does() {
        let mut open = comparison(Verdict::Incomplete);
        assert!(headline(&open).contains("nothing breaks, but not all"), "{}", headline(&open));
        open.add(Found::new(MEMBER_ADDED, "x", String::new()));
        assert!(headline(&open).contains(": nothing breaks, but not all"), "{}", headline(&open));
        open.add(Found::new(SCENARIO_ENDED, "x", String::new()));
        let line = headline(&open);
        assert!(
            line.contains("1 breaking difference left out by --except, and nothing else breaks"),
            "{line}"
        );
        open.add(Found::new(MEMBER_GONE, "x", String::new()));
        let line = headline(&open);
        assert!(line.contains("1 breaking difference after a notice") && !line.contains("nothing"), "{line}");
        let mut kept = comparison(Verdict::Compatible);
        kept.add(Found::new(SCENARIO_ENDED, "x", String::new()));
        let line = headline(&kept);
        assert!(line.contains("compatible: 1 breaking difference left out by --except"), "{line}");
        assert_eq!(kept.not_compared.len(), 1, "what comes after the end was not seen");
    }

    #[test]
    fn a_release_that_is_not_known_is_not_named_as_the_old_one() {
        let unknown = Comparison { release: None, bump: Bump::Unknown, ..comparison(Verdict::Breaking) };
        assert!(
            headline(&unknown).starts_with("a release that discloses none against the recording of 1.4.2")
        );
    }
}
