//! The sequence of an exchange as a drawing: a lane for each participant, a line for each call and its answer.

use maud::{Markup, html};

use super::shown;
use crate::report::{ShownEntry, ShownKind};

const LEFT: usize = 150;
const LANE: usize = 330;
const RIGHT: usize = 90;
const TOP: usize = 30;
const CALL: usize = 50;
const LINE: usize = 24;
/// The number of characters that fit between two lanes.
const FIT: usize = 42;
/// The number of peers that have a lane; the others share the last one.
const PEERS_MAX: usize = 3;

/// A row of the drawing.
enum Row<'a> {
    Call(&'a ShownEntry),
    Line(String, Option<&'a ShownEntry>),
}

/// Draws entries. `cited` is the evidence of a verdict, and `clearest` the entry that says most.
pub(super) fn diagram(entries: &[&ShownEntry], cited: &[u64], clearest: u64) -> Markup {
    let lanes = lanes(entries);
    let rows = rows(entries);
    let width = LEFT + LANE * (lanes.len() - 1) + RIGHT;
    let mut below = TOP;
    let mut tops = Vec::new();
    for row in &rows {
        tops.push(below);
        below += row.height();
    }
    let height = below + 8;
    html! {
        svg width=(width) height=(height) viewBox=(format!("0 0 {width} {height}")) role="img" aria-label=(spoken(entries)) {
            @for (place, lane) in lanes.iter().enumerate() {
                line.lane x1=(x(place)) y1=(TOP - 8) x2=(x(place)) y2=(height) {}
                text x=(x(place)) y="14" text-anchor="middle" { (shown(&fitting(lane))) }
            }
            @for (row, top) in rows.iter().zip(&tops) {
                g transform=(format!("translate(0 {top})")) { (draw(row, &lanes, width, cited, clearest)) }
            }
        }
    }
}

impl Row<'_> {
    fn height(&self) -> usize {
        match self {
            Self::Call(_) => CALL,
            Self::Line(..) => LINE,
        }
    }
}

fn x(lane: usize) -> usize {
    LEFT + LANE * lane
}

/// Returns the two ends of a call. An operation goes from the operator to its platform.
fn ends(entry: &ShownEntry) -> (&str, &str) {
    match entry.kind {
        ShownKind::Operation => ("operator", "target"),
        _ => (&entry.from, &entry.to),
    }
}

fn lanes(entries: &[&ShownEntry]) -> Vec<String> {
    let calls: Vec<(&str, &str)> =
        entries.iter().filter(|entry| is_call(entry)).map(|entry| ends(entry)).collect();
    let mut lanes: Vec<String> = Vec::new();
    for name in calls.iter().flat_map(|(from, to)| [*from, *to]) {
        let is_peer = name != "target" && name != "operator";
        if is_peer && lanes.len() < PEERS_MAX && !lanes.iter().any(|lane| lane == name) {
            lanes.push(name.to_owned());
        }
    }
    lanes.push("target".to_owned());
    if calls.iter().any(|(from, _)| *from == "operator") {
        lanes.push("operator".to_owned());
    }
    lanes
}

fn is_call(entry: &ShownEntry) -> bool {
    matches!(entry.kind, ShownKind::Exchange | ShownKind::Operation)
}

fn rows<'a>(entries: &[&'a ShownEntry]) -> Vec<Row<'a>> {
    let mut rows = Vec::new();
    let mut last: Option<u64> = None;
    for entry in entries {
        let left_out = last.map_or(0, |last| entry.n.saturating_sub(last + 1));
        if left_out > 0 {
            rows.push(Row::Line(format!("… {left_out} entries between"), None));
        }
        last = Some(entry.n);
        rows.push(if is_call(entry) {
            Row::Call(entry)
        } else {
            Row::Line(format!("{} {}", entry.call, entry.outcome), Some(entry))
        });
    }
    rows
}

fn draw(row: &Row<'_>, lanes: &[String], width: usize, cited: &[u64], clearest: u64) -> Markup {
    let entry = match row {
        Row::Call(entry) | Row::Line(_, Some(entry)) => Some(*entry),
        Row::Line(_, None) => None,
    };
    let is_clearest = entry.is_some_and(|entry| entry.n == clearest);
    let is_cited = entry.is_some_and(|entry| cited.contains(&entry.n));
    html! {
        @if is_cited {
            rect class=(if is_clearest { "clearest" } else { "cited" }) x="0" y="0" width=(width) height=(row.height()) {}
        }
        @if let Some(entry) = entry {
            text.quiet x="8" y="17" { "#" (entry.n) }
            @if is_cited { text.mark x="56" y="17" { @if is_clearest { "◆◆" } @else { "◆" } } }
        }
        @match row {
            Row::Call(entry) => (call(entry, lanes)),
            Row::Line(text, _) => text.quiet x="88" y="17" { (shown(&beginning(text, width))) },
        }
    }
}

/// Draws a call and its answer.
fn call(entry: &ShownEntry, lanes: &[String]) -> Markup {
    let (from, to) = ends(entry);
    let target = lanes.iter().position(|lane| lane == "target").unwrap_or(0);
    let place = |name: &str| lanes.iter().position(|lane| lane == name).unwrap_or(target.saturating_sub(1));
    let (start, end) = (x(place(from)), x(place(to)));
    let middle = usize::midpoint(start, end);
    let injected = if entry.injected.is_empty() { "" } else { " (injected)" };
    html! {
        (line("call", start, end, 20))
        text x=(middle) y="15" text-anchor="middle" { (shown(&fitting(&format!("{}{injected}", entry.call)))) }
        (line("answer", end, start, 42))
        text.quiet x=(middle) y="37" text-anchor="middle" { (shown(&fitting(&entry.outcome))) }
    }
}

fn line(class: &str, start: usize, end: usize, y: usize) -> Markup {
    let (shaft, back) = if end > start { (end - 7, end - 8) } else { (end + 7, end + 8) };
    let tip = if class == "call" { "tip" } else { "tip back" };
    html! {
        line class=(class) x1=(start) y1=(y) x2=(shaft) y2=(y) {}
        polygon class=(tip) points=(format!("{end},{y} {back},{} {back},{}", y - 4, y + 4)) {}
    }
}

/// Returns a text that fits between two lanes. Of a path, the end says more than the beginning.
fn fitting(text: &str) -> String {
    let length = text.chars().count();
    if length <= FIT {
        return text.to_owned();
    }
    match text.split_once(" /") {
        Some((method, path)) if method.chars().count() < FIT / 2 => {
            let keep = FIT - method.chars().count() - 2;
            let end: Vec<char> = path.chars().collect();
            format!("{method} …{}", end[end.len().saturating_sub(keep)..].iter().collect::<String>())
        }
        _ => text.chars().take(FIT - 1).chain(['…']).collect(),
    }
}

/// Returns the beginning of a text that fits the drawing.
fn beginning(text: &str, width: usize) -> String {
    let fit = width.saturating_sub(100) / 8;
    if text.chars().count() <= fit {
        text.to_owned()
    } else {
        text.chars().take(fit).chain(['…']).collect()
    }
}

/// Returns the drawing in words.
fn spoken(entries: &[&ShownEntry]) -> String {
    let calls = entries.iter().filter(|entry| is_call(entry)).map(|entry| {
        let (from, to) = ends(entry);
        format!("{}: {from} to {to}, {}, {}", entry.n, entry.call, entry.outcome)
    });
    shown(&calls.collect::<Vec<_>>().join("; "))
}
