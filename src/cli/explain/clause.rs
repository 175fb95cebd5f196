//! The explanation of a clause, and of the clauses that another thing is about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::listed;
use crate::check::PlannedCheck;
use crate::contract::{Aspect, Clause, ClauseId, Means, REGISTERS, Register, fix};
use crate::operator::Method;
use crate::reference::{DEFECTS, Patch};
use crate::runner::planned_with_texts;
use crate::scenario::{Loaded, Step};

pub(super) fn clause(id: &str, parts: &[Loaded]) -> Option<String> {
    let id: ClauseId = id.parse().ok()?;
    let rows = rows_of(id);
    let (_, clause) = rows.first()?;
    let mut text = format!("clause {} ({})\n", clause.id, clause.class);
    let _ = writeln!(text, "  obligation: {}", clause.obligation);
    for (register, row) in &rows[1..] {
        let _ = writeln!(text, "  in {}: {} ({})", register.id, row.obligation, row.class);
    }
    let _ = writeln!(text, "  section:    {} {}", id.section, id.section.title());
    for register in REGISTERS {
        if let Some(name) = register.named_finding(id.section) {
            let _ = writeln!(text, "  finding:    {name}, by the text of {}", register.id);
        }
    }
    let every: Vec<&Loaded> = parts.iter().collect();
    for aspect in clause.aspects() {
        let _ = writeln!(text, "\n  {aspect}");
        aspect_text(&mut text, &rows, aspect, &every, |_| true);
    }
    let _ = writeln!(text, "  defects:    {}", listed(defects_of(id)));
    Some(text)
}

type Row = (&'static Register, &'static Clause);

/// Returns the row of a clause in the first text that has it, then the rows of later texts that differ.
fn rows_of(id: ClauseId) -> Vec<Row> {
    let every = REGISTERS.iter().filter_map(|register| Some((*register, register.clause(id)?)));
    let mut rows: Vec<Row> = every.collect();
    rows.dedup_by_key(|(_, clause)| *clause);
    rows
}

fn aspect_text(
    text: &mut String,
    rows: &[Row],
    aspect: Aspect,
    parts: &[&Loaded],
    of: impl Fn(&PlannedCheck) -> bool,
) {
    let seen_by = rows.iter().filter_map(|(register, row)| Some((register.id, row.observation(aspect)?)));
    let mut seen_by = seen_by.collect::<Vec<_>>();
    seen_by.dedup_by_key(|(_, seen)| *seen);
    let (Some((_, seen)), Some((_, clause))) = (seen_by.first(), rows.first()) else { return };
    let _ = writeln!(text, "    how it is seen: {}", seen.how);
    for (register, seen) in &seen_by[1..] {
        let _ = writeln!(text, "    in {register}: {}", seen.how);
    }
    let _ = writeln!(text, "    seen through: {}", through(seen.by));
    let mut methods = BTreeSet::new();
    let mut checks = BTreeMap::new();
    for loaded in parts {
        for (check, texts) in planned_with_texts(&loaded.id, loaded) {
            if check.clause == clause.id && check.aspect == aspect && of(&check) {
                let words = format!("{} ({}) {texts}", check.check, check.basis);
                checks.insert(check.id, words.trim_end().to_owned());
                methods.extend(methods_of(loaded));
            }
        }
    }
    for (id, check) in checks {
        let _ = writeln!(text, "    check: {id}  {check}");
    }
    if !methods.is_empty() {
        let _ = writeln!(text, "    operator methods: {}", listed(methods));
    }
    if let Some(fix) = fix(clause.id, aspect) {
        let _ = writeln!(text, "    what usually fixes it: {fix}");
    }
}

/// Adds a block for each clause and aspect: the obligation, how it is seen, the checks of `parts` that `of` selects,
/// the methods that they need, and what usually fixes a breach.
pub(super) fn duties(
    text: &mut String,
    clauses: impl IntoIterator<Item = (ClauseId, Aspect)>,
    parts: &[&Loaded],
    of: impl Fn(&PlannedCheck) -> bool,
) {
    for (id, aspect) in clauses.into_iter().collect::<BTreeSet<_>>() {
        let rows = rows_of(id);
        let Some((_, clause)) = rows.first().filter(|(_, clause)| clause.observation(aspect).is_some())
        else {
            continue;
        };
        let (class, section) = (clause.class, id.section);
        let _ = writeln!(
            text,
            "\n  {id} {aspect} ({class}, {section} {}): {}",
            section.title(),
            clause.obligation
        );
        aspect_text(text, &rows, aspect, parts, &of);
    }
}

fn through(means: Means) -> &'static str {
    match means {
        Means::Wire => "the federation wire",
        Means::Operator => "the operator plane",
        Means::WireAndOperator => "the federation wire and the operator plane",
        Means::Attestation => "a person's attestation (covenant run --attest)",
    }
}

/// Returns the operator methods that a scenario calls, in the order of the table.
pub(in crate::cli) fn methods_of(loaded: &Loaded) -> impl Iterator<Item = &'static str> + use<> {
    let steps = loaded.scenario.steps.iter().flat_map(|step| step.get_ref().flatten());
    let called: Vec<Method> = steps.filter_map(Step::method).collect();
    Method::all().filter(move |method| called.contains(method)).map(Method::name)
}

fn defects_of(id: ClauseId) -> Vec<&'static str> {
    let id = id.to_string();
    let breaks = |patch: &&&Patch| patch.kind.breaks().iter().any(|(clause, _)| *clause == id);
    DEFECTS.iter().filter(breaks).map(|patch| patch.name).collect()
}
