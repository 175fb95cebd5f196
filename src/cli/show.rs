//! `covenant show`: prints entries of a run's transcript as readable exchanges.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;

use super::number::Around;
use super::verify::transcript_of;
use super::{Exit, Failure, print};
use crate::nearest::{did_you_mean, most_like};
use crate::report::{ShownEntry, ShownKind, terminal};
use crate::transcript::{Reading, StoredTrace, Trace, read};
use crate::with_causes;

/// The most scenarios that an error lists.
const LISTED_MAX: usize = 5;

/// Arguments of `covenant show`.
#[derive(Debug, Args)]
#[command(
    after_help = "A report names entries as `#12 of 07-migration-hygiene/conflicts-are-resolved`. Secrets were masked when the \
                  entry was recorded."
)]
pub(super) struct Arguments {
    /// Run folder, or its transcript.jsonl
    run: PathBuf,
    /// Entry to print: scenario and number, as in '07-migration-hygiene/conflicts-are-resolved#12'. The name of the
    /// scenario alone suffices if no other folder has it: 'conflicts-are-resolved#12'
    entry: String,
    /// Number of entries before and after it to print too
    #[arg(long, value_name = "N", default_value = "0")]
    around: Around,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let path = transcript_of(&arguments.run)?;
    let reading = read(&path).map_err(|error| {
        Failure::usage(format!(
            "{}\nhint: name the folder of a run, or its transcript.jsonl",
            with_causes(&error)
        ))
    })?;
    let (scenario, n) = named(&arguments.entry);
    let trace = trace(&reading, scenario)?;
    let last = trace.entries().len() as u64;
    let n: u64 = n.parse().ok().filter(|n| (1..=last).contains(n)).ok_or_else(|| {
        let id = trace.scenario();
        Failure::usage(format!(
            "{:?}: {id} has the entries 1 to {last}; name one of them, as in '{id}#{last}'",
            arguments.entry
        ))
    })?;
    let is_near = |other: u64| other.abs_diff(n) <= arguments.around.get();
    let mut text = format!("{}, {last} entries\n", terminal(trace.scenario()));
    for entry in trace.entries().iter().filter(|entry| is_near(entry.n)) {
        show(&mut text, &ShownEntry::of(entry));
    }
    print(&text)?;
    Ok(Exit::Kept)
}

/// Returns the scenario and the number that an entry is named by: `ID#12`, or `#12 of ID`, as reports have it.
fn named(entry: &str) -> (&str, &str) {
    let of = entry.strip_prefix('#').and_then(|rest| rest.split_once(" of "));
    of.map(|(n, id)| (id, n)).or_else(|| entry.rsplit_once('#')).unwrap_or((entry, ""))
}

/// Returns the trace of a scenario, by its id or by the end of its id.
fn trace(reading: &Reading, name: &str) -> Result<Trace, Failure> {
    let ids = || reading.stored().iter().map(StoredTrace::scenario);
    let below = format!("/{name}");
    let found: Vec<&str> = match ids().find(|id| *id == name) {
        Some(id) => vec![id],
        None => ids().filter(|id| id.ends_with(&below)).collect(),
    };
    match found.as_slice() {
        [id] => reading.trace(id).ok_or_else(|| unknown(ids(), name)),
        [] => Err(unknown(ids(), name)),
        several => Err(Failure::usage(format!("{name:?}: name one of {}", several.join(", ")))),
    }
}

fn unknown<'a>(ids: impl Iterator<Item = &'a str> + Clone, name: &str) -> Failure {
    let count = ids.clone().count();
    let held = if count <= LISTED_MAX {
        ids.clone().collect::<Vec<_>>().join(", ")
    } else {
        format!("{count} others")
    };
    let near = most_like(name, ids.clone()).into_iter().next();
    let hint = near.map_or_else(|| did_you_mean(name, ids), |near| format!("\nhint: did you mean {near}?"));
    Failure::usage(format!(
        "{name:?}: the transcript holds no scenario of this name, but {}; write SCENARIO#NUMBER{hint}",
        terminal(&held)
    ))
}

/// Shows one entry: a line with who called whom, then what was sent and answered.
fn show(text: &mut String, entry: &ShownEntry) {
    let ShownEntry { n, at, from, to, call, outcome, .. } = entry;
    let who = if to.is_empty() { from.clone() } else { format!("{from} → {to}") };
    let outcome = if outcome.is_empty() { String::new() } else { format!("  {outcome}") };
    let _ = writeln!(text, "\n#{n}  {}", terminal(&format!("{who}  {call}{outcome}")));
    let label = entry.label.iter().map(|label| format!("label {label:?}"));
    let injected = entry.injected.iter().map(|name| format!("injected by {name}"));
    let facts: Vec<String> =
        [at.clone()].into_iter().chain(label).chain(injected).chain(entry.connection.clone()).collect();
    let _ = writeln!(text, "    {}", terminal(&facts.join(", ")));
    let (sent, answered) = match entry.kind {
        ShownKind::Exchange => ("request", "response"),
        ShownKind::Operation => ("parameters", "result"),
        ShownKind::Note => ("facts", ""),
        ShownKind::Start => ("source", ""),
        ShownKind::End => ("", ""),
    };
    for (name, lines) in [(sent, &entry.request), (answered, &entry.response)] {
        if lines.is_empty() {
            continue;
        }
        let _ = writeln!(text, "  {name}");
        for line in lines {
            let _ = writeln!(text, "    {}", terminal(line));
        }
    }
}
