//! `covenant explain`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use clap::Args;

use super::exit_code::EXITS;
use super::{Exit, Failure, print};
use crate::check::{check_with_id, checks};
use crate::contract::{Aspect, Clause, ClauseId, Means, REGISTERS, Register, fix};
use crate::docs::parts;
use crate::operator::{Form, Member, Method};
use crate::peer::behaviours::BEHAVIOURS;
use crate::property::PROPERTIES;
use crate::reference::{DEFECTS, Patch, PatchKind, VARIANTS};
use crate::runner::{planned, planned_with_texts};
use crate::scenario::{Loaded, Step};

/// Arguments of `covenant explain`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Id of a clause (7.3), check, scenario, behaviour, defect, variant, property or operator method, or an
    /// exit code
    id: String,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let parts = parts().map_err(|error| Failure::new(Exit::Suite, error))?;
    let id = arguments.id.trim();
    let found: Vec<String> = SOURCES.iter().filter_map(|source| source(id, &parts)).collect();
    if found.is_empty() {
        return Err(unknown(id, &parts));
    }
    print(&found.join("\n"))?;
    Ok(Exit::Kept)
}

type Source = fn(&str, &[Loaded]) -> Option<String>;

/// The lookup functions, in the order of the printed answers. One id may match several.
const SOURCES: &[Source] = &[clause, check, scenario, behaviour, patch, property, method, exit_code];

fn clause(id: &str, parts: &[Loaded]) -> Option<String> {
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
    for aspect in clause.aspects() {
        aspect_text(&mut text, &rows, aspect, parts);
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

fn aspect_text(text: &mut String, rows: &[Row], aspect: Aspect, parts: &[Loaded]) {
    let seen_by = rows.iter().filter_map(|(register, row)| Some((register.id, row.observation(aspect)?)));
    let mut seen_by = seen_by.collect::<Vec<_>>();
    seen_by.dedup_by_key(|(_, seen)| *seen);
    let (Some((_, seen)), Some((_, clause))) = (seen_by.first(), rows.first()) else { return };
    let _ = writeln!(text, "\n  {aspect}: {}", seen.how);
    for (register, seen) in &seen_by[1..] {
        let _ = writeln!(text, "    in {register}: {}", seen.how);
    }
    let _ = writeln!(text, "    seen through: {}", through(seen.by));
    let mut methods = BTreeSet::new();
    let mut checks = BTreeMap::new();
    for loaded in parts {
        for (check, texts) in planned_with_texts(&loaded.id, loaded) {
            if check.clause == clause.id && check.aspect == aspect {
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

fn through(means: Means) -> &'static str {
    match means {
        Means::Wire => "the federation wire",
        Means::Operator => "the operator plane",
        Means::WireAndOperator => "the federation wire and the operator plane",
        Means::Attestation => "a person's attestation (covenant run --attest)",
    }
}

/// Returns the operator methods that a scenario calls, in the order of the table.
pub(super) fn methods_of(loaded: &Loaded) -> impl Iterator<Item = &'static str> + use<> {
    let steps = loaded.scenario.steps.iter().flat_map(|step| step.get_ref().flatten());
    let called: Vec<Method> = steps.filter_map(Step::method).collect();
    Method::all().filter(move |method| called.contains(method)).map(Method::name)
}

fn defects_of(id: ClauseId) -> Vec<&'static str> {
    let id = id.to_string();
    let breaks = |patch: &&&Patch| match patch.kind {
        PatchKind::Defect { breaks } => breaks.iter().any(|(clause, _)| *clause == id),
        PatchKind::Variant => false,
    };
    DEFECTS.iter().filter(breaks).map(|patch| patch.name).collect()
}

fn check(id: &str, parts: &[Loaded]) -> Option<String> {
    let check = check_with_id(id)?;
    let mut text = format!("check {}\n  passes if:  {}\n", check.id, check.about());
    if let Some(control) = check.control {
        let _ = writeln!(text, "  control:    {control}");
    }
    for parameter in check.parameters() {
        let optional = if parameter.required { "" } else { " (optional)" };
        let _ = writeln!(text, "  argument:   {}{optional}: {}", parameter.name, parameter.about);
    }
    let all = parts.iter().flat_map(|loaded| planned(&loaded.id, loaded));
    for planned in all.filter(|planned| planned.check == id) {
        let _ = writeln!(text, "  used by:    {} {}  {}", planned.clause, planned.aspect, planned.id);
    }
    Some(text)
}

fn scenario(id: &str, parts: &[Loaded]) -> Option<String> {
    let loaded = parts.iter().find(|loaded| loaded.id == id)?;
    let mut text = format!("scenario {}\n  title:      {}\n", loaded.id, loaded.scenario.title);
    for (check, texts) in planned_with_texts(&loaded.id, loaded) {
        let (clause, aspect) = (check.clause, check.aspect);
        let line = format!("  check:      {clause} {aspect}  {} ({}) {texts}", check.check, check.basis);
        let _ = writeln!(text, "{}", line.trim_end());
        let _ = writeln!(text, "              {}", check.requirement);
    }
    let _ = writeln!(text, "  operator methods: {}", listed(methods_of(loaded)));
    let _ = writeln!(text, "  run it:     covenant run --only {}", loaded.id);
    Some(text)
}

fn behaviour(id: &str, parts: &[Loaded]) -> Option<String> {
    let behaviour = BEHAVIOURS.iter().find(|behaviour| behaviour.name == id)?;
    let mut text = format!("behaviour {}\n  does:       {}\n", behaviour.name, behaviour.about);
    let _ = writeln!(text, "  breaks:     {}", listed(behaviour.clauses.iter().copied()));
    let has =
        |loaded: &&Loaded| loaded.scenario.peers.iter().any(|peer| peer.behaviours.iter().any(|b| b == id));
    for loaded in parts.iter().filter(has) {
        let _ = writeln!(text, "  played in:  {}", loaded.id);
    }
    Some(text)
}

fn patch(id: &str, _parts: &[Loaded]) -> Option<String> {
    let patch = DEFECTS.iter().chain(VARIANTS).find(|patch| patch.name == id)?;
    let PatchKind::Defect { breaks } = patch.kind else {
        let run = format!("covenant run --variant {id}");
        return Some(format!("variant {id}\n  does:       {}\n  run it:     {run}\n", patch.summary));
    };
    let breaks = breaks.iter().map(|(clause, aspect)| format!("{clause} {aspect}"));
    let mut text = format!("defect {id}\n  does:       {}\n", patch.summary);
    let _ = writeln!(text, "  breaks:     {}", breaks.collect::<Vec<_>>().join(", "));
    if let Some(variant) = patch.on {
        let _ = writeln!(text, "  on top of:  the variant {}", variant.name);
    }
    let _ = writeln!(text, "  run it:     covenant run --defect {id}");
    Some(text)
}

fn property(id: &str, _parts: &[Loaded]) -> Option<String> {
    let property = PROPERTIES.iter().find(|property| property.name == id)?;
    Some(format!(
        "property {id}\n  holds:      {}\n  commitment: {}\n  run it:     covenant run --property {id} --cases 100\n",
        property.about, property.commitment
    ))
}

fn method(id: &str, parts: &[Loaded]) -> Option<String> {
    let row = Method::parse(id)?.definition();
    let mut text = format!("operator method {}\n", row.name);
    let need = if row.required { "required" } else { "optional" };
    let paragraphs: Vec<String> = row.about().split("\n\n").map(|part| part.replace('\n', " ")).collect();
    let _ = writeln!(text, "  does:       {}", paragraphs.join("\n              "));
    let _ = writeln!(text, "  protocol:   {need}, since version {}, {}", row.since, row.basis);
    members(&mut text, "parameter:", &row.parameters());
    members(&mut text, "result:", &row.result());
    let prompt = row.prompt.unwrap_or("none: only a program can do it in time");
    let _ = writeln!(text, "  prompt:     {prompt}");
    let _ = writeln!(text, "  example:    {} gives {}", row.example.parameters(), row.example.result());
    for loaded in parts.iter().filter(|loaded| methods_of(loaded).any(|name| name == row.name)) {
        let _ = writeln!(text, "  called in:  {}", loaded.id);
    }
    let _ = writeln!(text, "  documented: docs/adapter-protocol.md");
    Some(text)
}

/// Adds a line for each member of the parameters or the result of a method.
fn members(text: &mut String, title: &str, form: &Form) {
    if form.members.is_empty() {
        let _ = writeln!(text, "  {title:<11} none");
    }
    for Member { name, kind, required, about, .. } in &form.members {
        let optional = if *required { "" } else { ", optional" };
        let _ = writeln!(text, "  {title:<11} {name} ({kind}{optional}): {}", about.replace('\n', " "));
    }
    if form.may_be_bare {
        let _ = writeln!(text, "  {title:<11} or the list alone");
    }
}

fn exit_code(id: &str, _parts: &[Loaded]) -> Option<String> {
    let code: u8 = id.parse().ok()?;
    let (exit, meaning) = EXITS.iter().find(|(exit, _)| *exit as u8 == code)?;
    Some(format!("exit code {}\n  meaning:    {meaning}\n", *exit as u8))
}

fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn unknown(id: &str, parts: &[Loaded]) -> Failure {
    let clauses = REGISTERS.iter().flat_map(|register| register.aspects());
    let clauses = clauses.map(|(clause, _)| clause.to_string());
    let checks = checks().map(|check| check.id.to_owned());
    let scenarios = parts.iter().map(|loaded| loaded.id.clone());
    let behaviours = BEHAVIOURS.iter().map(|behaviour| behaviour.name.to_owned());
    let patches = DEFECTS.iter().chain(VARIANTS).map(|patch| patch.name.to_owned());
    let methods = Method::all().map(|method| method.to_string());
    let all = clauses.chain(checks).chain(scenarios).chain(behaviours).chain(patches).chain(methods);
    let nearest = all.max_by(|a, b| strsim::jaro_winkler(a, id).total_cmp(&strsim::jaro_winkler(b, id)));
    let hint = nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"));
    Failure::usage(format!("nothing is called {id}{hint} (`covenant list` shows the ids)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stage;

    /// Without the handshake nothing is evaluated, so an adapter cannot lack a method that it calls.
    #[test]
    fn the_handshake_calls_required_methods_alone() {
        let parts = parts().expect("the built-in scenarios");
        let handshake =
            parts.iter().find(|loaded| loaded.scenario.stage == Some(Stage::Handshake)).expect("it exists");
        let called: BTreeSet<&str> = methods_of(handshake).collect();
        assert!(called.contains("peer.propose"), "{called:?}");
        for name in called {
            assert!(Method::parse(name).expect("a method").definition().required, "{name}");
        }
    }
}
