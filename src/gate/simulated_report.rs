//! The report of the simulated way, as text.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::comparison::Verdict;
use super::found::Found;
use super::neighbours::Window;
use super::rules::CLAUSE;
use super::shown::exchange;
use super::simulated::Simulation;

/// Returns the report as text.
#[must_use]
pub fn simulation_text(simulation: &Simulation) -> String {
    let mut text = headline(simulation);
    for (number, found) in simulation.breaking.iter().enumerate() {
        breaking(&mut text, number + 1, found);
    }
    coverage(&mut text, simulation);
    text
}

fn headline(simulation: &Simulation) -> String {
    let result = match simulation.verdict {
        Verdict::Breaking => {
            format!("BREAKING: {} ({CLAUSE})", breaches(simulation.breaking.len()))
        }
        verdict if !simulation.others.is_empty() => {
            let is_whole = verdict == Verdict::Compatible;
            let rest = if is_whole { "" } else { ", but not all could be seen" };
            let left_out = breaches(simulation.others.len());
            format!("{left_out} left out by --except, and nothing else breaks{rest}")
        }
        Verdict::Compatible | Verdict::Announced => {
            "compatible: each neighbour lives in the federation without an operator's help".to_owned()
        }
        Verdict::Incomplete | Verdict::NoNeighbours => {
            "nothing breaks, but not each neighbour was seen to be admitted".to_owned()
        }
    };
    format!("{} among simulated neighbours: {result}\n", simulation.release)
}

fn breaches(count: usize) -> String {
    if count == 1 { "1 breach".to_owned() } else { format!("{count} breaches") }
}

fn breaking(text: &mut String, number: usize, found: &Found) {
    let _ = writeln!(text, "\n{number}. {}  {}", found.rule.id, found.route);
    let _ = writeln!(text, "   {}", found.text);
    let _ = writeln!(text, "   breaks {CLAUSE}: {}", found.rule.why);
    let Some(now) = &found.now else { return };
    let _ = writeln!(text, "   seen in entry {} of {}:", now.n, now.peer);
    exchange(text, now, None);
}

fn coverage(text: &mut String, simulation: &Simulation) {
    for (window, what) in
        [(Window::Inside, "neighbours"), (Window::Outside, "outsiders, whom it may refuse, freeze or serve")]
    {
        let of = simulation.neighbours.iter().filter(|neighbour| neighbour.window == window);
        let releases: Vec<String> = of.map(|neighbour| neighbour.release.to_string()).collect();
        if !releases.is_empty() {
            let _ = writeln!(text, "\n{what}: {}", releases.join(", "));
        }
    }
    let _ = writeln!(text, "\n{} checks of {CLAUSE} were kept", simulation.kept);
    for rule in &simulation.rules.except {
        let _ = writeln!(text, "left out by --except: {rule}");
    }
    for (what, times) in not_seen(simulation) {
        let times = if times == 1 { String::new() } else { format!(" (for each of {times} releases)") };
        let _ = writeln!(text, "not seen: {what}{times}");
    }
}

/// Returns what was not seen, once for all releases with which it was not seen, with their number.
fn not_seen(simulation: &Simulation) -> BTreeMap<String, usize> {
    let mut releases: Vec<String> =
        simulation.neighbours.iter().map(|neighbour| neighbour.release.to_string()).collect();
    // One release may begin with another.
    releases.sort_by_key(|release| std::cmp::Reverse(release.len()));
    let mut counted = BTreeMap::new();
    for one in &simulation.not_compared {
        let text = format!("{}: {}", one.id, one.why);
        let text = releases.iter().fold(text, |text, release| text.replace(release, "RELEASE"));
        *counted.entry(text).or_insert(0) += 1;
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::comparison::Choice;
    use crate::gate::rules::CHECK_BROKEN;
    use semver::Version;

    #[test]
    fn what_is_left_out_does_not_hide_what_was_not_seen() {
        let others = vec![Found::new(CHECK_BROKEN, "x", String::new())];
        let mut simulation = Simulation {
            release: Version::new(1, 5, 0),
            target: String::new(),
            verdict: Verdict::Compatible,
            neighbours: vec![],
            rules: Choice::default(),
            kept: 0,
            breaking: vec![],
            others,
            not_compared: vec![],
        };
        let left_out = "1 breach left out by --except, and nothing else breaks";
        assert!(headline(&simulation).ends_with(&format!("{left_out}\n")), "{}", headline(&simulation));
        simulation.verdict = Verdict::Incomplete;
        assert!(
            headline(&simulation).contains(&format!("{left_out}, but not all")),
            "{}",
            headline(&simulation)
        );
    }
}
