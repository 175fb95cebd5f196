//! `covenant list`.

mod behaviours;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::explain::methods_of;
use super::{Exit, Failure, print};
use crate::audit::audit_sources;
use crate::check;
use crate::contract::{Clause, REGISTERS, Register, Section, V1_2026_05};
use crate::docs::{parts, requirements};
use crate::gate::{CLAUSE, RULES, Weight};
use crate::nearest::did_you_mean;
use crate::operator::{Form, METHODS, Member};
use crate::property::PROPERTIES;
use crate::reference::{DEFECTS, VARIANTS, release_changes};
use crate::runner::{library, planned, property_case};
use crate::scenario::{Loaded, load};
use crate::wire::generation::{CallerForm, GENERATIONS};

/// The name of the scenarios that an audit plays, in place of an id.
const AUDIT: &str = "audit";

/// Arguments of `covenant list`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Kind of thing to list
    #[arg(value_enum)]
    what: What,
    /// Folder of scenario files, or one file, to list in place of the built-in scenarios
    #[arg(long, value_name = "PATH")]
    scenarios: Option<PathBuf>,
    /// Only rows about this clause (7.3) or commitment (7)
    #[arg(long, value_name = "ID")]
    clause: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Scenarios that the suite plays
    Scenarios,
    /// Clauses of the contract
    Clauses,
    /// Contract texts, with their dates and digests
    Texts,
    /// Generations of the observed wire
    Generations,
    /// Deviations of a simulated peer, by family
    Behaviours,
    /// Ways in which the reference platform breaks the contract
    Defects,
    /// Conforming ways in which the reference platform differs
    Variants,
    /// Rules of the release gate
    Rules,
    /// Changes from one release of the reference platform to the next, for `covenant gate --defect`
    Changes,
    /// Checks that a scenario can name
    Checks,
    /// Properties over generated histories
    Properties,
    /// Kinds, members of records, settings and forms of identity that the suite uses
    Requirements,
    /// Methods of the operator plane, which an adapter implements
    Methods,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Text for a terminal
    Text,
    /// One JSON array
    Json,
}

/// One row of a list, in both formats.
struct Item {
    /// Clauses that the row is about, such as `7.3`.
    clauses: Vec<String>,
    text: String,
    json: Value,
}

/// Refuses an option that the kind of list does not use, and a clause that does not exist.
fn refuse(arguments: &Arguments) -> Result<(), Failure> {
    let of_scenarios = matches!(arguments.what, What::Scenarios | What::Checks | What::Methods);
    if arguments.scenarios.is_some() && !of_scenarios {
        let why = "the list does not depend on scenarios; it is for scenarios, checks and methods";
        return Err(Failure::usage(format!("--scenarios is of no use here: {why}")));
    }
    let Some(wanted) = &arguments.clause else { return Ok(()) };
    if matches!(arguments.what, What::Variants | What::Generations | What::Changes) {
        return Err(Failure::usage("--clause is of no use here: no row of the list is about a clause"));
    }
    let clauses =
        REGISTERS.iter().flat_map(|register| register.clauses()).map(|clause| clause.id.to_string());
    let known: BTreeSet<String> = clauses.chain(Section::all().iter().map(ToString::to_string)).collect();
    if known.contains(wanted) {
        return Ok(());
    }
    let hint = did_you_mean(wanted, known.iter().map(String::as_str));
    Err(Failure::usage(format!(
        "no clause or commitment is called {wanted:?}; `covenant list clauses` lists them{hint}"
    )))
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    refuse(arguments)?;
    let mut items = match arguments.what {
        What::Scenarios => scenarios(arguments)?,
        What::Clauses => clauses(),
        What::Texts => texts(),
        What::Generations => generations(),
        What::Behaviours => behaviours::items(arguments.clause.as_deref()),
        What::Defects => defects(),
        What::Variants => variants(),
        What::Rules => rules(),
        What::Changes => changes(),
        What::Checks => checks(arguments)?,
        What::Properties => properties(),
        What::Requirements => required()?,
        What::Methods => methods(arguments)?,
    };
    if let Some(wanted) = &arguments.clause {
        items.retain(|item| item.clauses.iter().any(|clause| is_of(clause, wanted)));
    }
    let text = match arguments.format {
        Format::Json => {
            let rows: Vec<Value> = items.into_iter().map(|item| item.json).collect();
            format!("{:#}\n", Value::Array(rows))
        }
        Format::Text => items.into_iter().map(|item| item.text).collect(),
    };
    print(&text)?;
    Ok(Exit::Kept)
}

/// Returns whether a clause is the one that is wanted, or one of the commitment that is wanted.
fn is_of(clause: &str, wanted: &str) -> bool {
    clause == wanted || clause.split('.').next() == Some(wanted)
}

fn scenarios(arguments: &Arguments) -> Result<Vec<Item>, Failure> {
    let library =
        library(arguments.scenarios.as_deref()).map_err(|error| Failure::new(Exit::Usage, error))?;
    let items = library.iter().map(|loaded| {
        let checks = planned(&loaded.id, loaded);
        let mut aspects: Vec<String> =
            checks.iter().map(|check| format!("{} {}", check.clause, check.aspect)).collect();
        aspects.dedup();
        let mut text = format!("{}\n    {}\n", loaded.id, loaded.scenario.title);
        if !aspects.is_empty() {
            let _ = writeln!(text, "    checks {}", aspects.join(", "));
        }
        let rows: Vec<Value> = checks
            .iter()
            .map(|check| {
                json!({"id": check.id, "clause": check.clause, "aspect": check.aspect, "check": check.check,
                    "basis": check.basis, "requirement": check.requirement})
            })
            .collect();
        Item {
            clauses: checks.iter().map(|check| check.clause.to_string()).collect(),
            text,
            json: json!({"id": loaded.id, "title": loaded.scenario.title, "checks": rows}),
        }
    });
    Ok(items.collect())
}

fn clauses() -> Vec<Item> {
    let register = &V1_2026_05;
    let mut items = Vec::new();
    for section in Section::all() {
        for (place, clause) in register.section(section).enumerate() {
            let mut text = String::new();
            if section == Section::Commitment(1) && place == 0 {
                let _ = writeln!(
                    text,
                    "contract version {}, text of {}, SHA-256 {}",
                    register.contract_version, register.id, register.digest
                );
            }
            if place == 0 {
                let _ = writeln!(text, "\n{section} {}", section.title());
            }
            if section == Section::Commitment(2) && place == 0 {
                text.push_str(
                    "      (the contract gives it no class; it is written as a duty and counts as hard)\n",
                );
            }
            let _ = writeln!(text, "{:<5} {:<9}{}", clause.id, clause.class, clause.obligation);
            let later = later_rows(clause);
            for (register, row) in &later {
                let _ = writeln!(text, "      {}: {}: {}", register.id, row.class, row.obligation);
            }
            let mut aspects = Vec::new();
            for aspect in clause.aspects() {
                let how = clause.observation(aspect).map_or("", |seen| seen.how);
                let _ = writeln!(text, "      {aspect:<9} {how}");
                aspects.push(json!({"aspect": aspect, "observed_by": how}));
            }
            items.push(Item {
                clauses: vec![clause.id.to_string()],
                text,
                json: json!({"id": clause.id, "section": section.title(), "class": clause.class,
                    "obligation": clause.obligation, "aspects": aspects, "later_texts": later.iter()
                    .map(|(register, row)| json!({"text": register.id, "class": row.class,
                        "obligation": row.obligation, "withdrawn": row.withdrawn})).collect::<Vec<_>>()}),
            });
        }
    }
    items
}

/// Returns the rows of this clause in later texts, where they differ.
fn later_rows(clause: &Clause) -> Vec<(&'static Register, &'static Clause)> {
    let rows = REGISTERS.iter().filter_map(|register| Some((*register, register.clause(clause.id)?)));
    rows.filter(|(_, row)| *row != clause).collect()
}

fn texts() -> Vec<Item> {
    let items = REGISTERS.iter().map(|register| {
        let (version, published) = (register.contract_version, register.published);
        let about = format!("version {version}, published {published}, SHA-256 {}", register.digest);
        let differs =
            register.base.map(|base| format!("as {}, but for {} rows", base.id, register.rows.len()));
        Item {
            clauses: register.rows.iter().map(|clause| clause.id.to_string()).collect(),
            text: row(register.id, &about, differs.as_slice()),
            json: json!({"id": register.id, "version": version, "published": published,
                "effective": register.effective, "digest": register.digest,
                "revises": register.base.map(|base| base.id)}),
        }
    });
    items.collect()
}

fn generations() -> Vec<Item> {
    let items = GENERATIONS.iter().map(|generation| {
        let (identity, token) = (generation.forwarded.name, generation.token.shape);
        let about = format!(
            "routes {}; identity {} or {identity}; grant tokens {token}",
            generation.routes.join(", "),
            CallerForm::Tls.name(),
        );
        Item {
            clauses: vec![],
            text: row(generation.name, &about, &[generation.since.to_owned()]),
            json: json!({"id": generation.name, "since": generation.since, "routes": generation.routes,
                "identity": [CallerForm::Tls.name(), identity], "credentials": generation.credentials,
                "token": token}),
        }
    });
    items.collect()
}

fn defects() -> Vec<Item> {
    let items = DEFECTS.iter().map(|patch| {
        let aspects: Vec<String> =
            patch.kind.breaks().iter().map(|(clause, aspect)| format!("{clause} {aspect}")).collect();
        let json = json!({"id": patch.name, "about": patch.summary, "breaks": aspects,
            "hard_to_reach": patch.hard_to_reach, "on": patch.on.map(|variant| variant.name)});
        let hard = patch.hard_to_reach.then(|| "hard to reach".to_owned());
        let shown: Vec<String> = aspects.into_iter().chain(hard).collect();
        Item {
            clauses: patch.kind.breaks().iter().map(|(clause, _)| (*clause).to_owned()).collect(),
            text: row(patch.name, patch.summary, &shown),
            json,
        }
    });
    items.collect()
}

fn variants() -> Vec<Item> {
    let items = VARIANTS.iter().map(|patch| Item {
        clauses: vec![],
        text: row(patch.name, patch.summary, &[]),
        json: json!({"id": patch.name, "about": patch.summary}),
    });
    items.collect()
}

fn rules() -> Vec<Item> {
    let items = RULES.iter().map(|rule| Item {
        clauses: if rule.weight == Weight::Addition { vec![] } else { vec![CLAUSE.to_owned()] },
        text: row(rule.id, rule.about, &[rule.weight.name().to_owned()]),
        json: json!({"id": rule.id, "weight": rule.weight.name(), "about": rule.about, "why": rule.why}),
    });
    items.collect()
}

fn changes() -> Vec<Item> {
    let items = release_changes().map(|change| Item {
        clauses: vec![],
        text: row(change.patch.name, change.patch.summary, &[change.breaks.unwrap_or("addition").to_owned()]),
        json: json!({"id": change.patch.name, "about": change.patch.summary, "breaks": change.breaks}),
    });
    items.collect()
}

fn checks(arguments: &Arguments) -> Result<Vec<Item>, Failure> {
    let library =
        library(arguments.scenarios.as_deref()).map_err(|error| Failure::new(Exit::Usage, error))?;
    let own = if arguments.scenarios.is_some() { vec![] } else { of_properties_and_audits() };
    let used: Vec<_> = library.iter().chain(&own).flat_map(|loaded| planned(&loaded.id, loaded)).collect();
    let items = check::checks().map(|check| {
        let about = check.about();
        let mut text = format!("{}\n    {about}\n", check.id);
        let parameters = check.parameters();
        for parameter in &parameters {
            let optional = if parameter.required { "" } else { " (optional)" };
            let _ = writeln!(text, "    {:<10} {}{optional}", parameter.name, parameter.about);
        }
        let of_check = used.iter().filter(|planned| planned.check == check.id);
        let mut clauses: Vec<String> = of_check.map(|planned| planned.clause.to_string()).collect();
        clauses.sort();
        clauses.dedup();
        let json = json!({"id": check.id, "about": about, "arguments": parameters, "clauses": clauses});
        Item { clauses, text, json }
    });
    Ok(items.collect())
}

/// Returns a case of every property, and the scenarios of audits: checks stand there too.
fn of_properties_and_audits() -> Vec<Loaded> {
    let properties = PROPERTIES.iter().filter_map(|property| property_case(&property.trace()));
    let audits = audit_sources();
    let audits = audits.iter().filter_map(|source| load(AUDIT, AUDIT, source).ok());
    properties.chain(audits).collect()
}

fn properties() -> Vec<Item> {
    let items = PROPERTIES.iter().map(|property| {
        let commitment = property.commitment.to_string();
        let text = row(property.name, property.about, std::slice::from_ref(&commitment));
        let case = property_case(&property.trace());
        let checks = case.iter().flat_map(|loaded| planned(&loaded.id, loaded));
        let of_checks: BTreeSet<String> = checks.map(|check| check.clause.to_string()).collect();
        let json = json!({"id": property.name, "about": property.about, "commitment": property.commitment,
            "clauses": of_checks});
        Item { clauses: of_checks.into_iter().chain([commitment]).collect(), text, json }
    });
    items.collect()
}

fn methods(arguments: &Arguments) -> Result<Vec<Item>, Failure> {
    let library =
        library(arguments.scenarios.as_deref()).map_err(|error| Failure::new(Exit::Usage, error))?;
    let items = METHODS.iter().flat_map(|group| group.iter()).map(|row| {
        let calling = library.iter().filter(|loaded| methods_of(loaded).any(|name| name == row.name));
        let checks = calling.flat_map(|loaded| planned(&loaded.id, loaded));
        let clauses: BTreeSet<String> = checks.map(|check| check.clause.to_string()).collect();
        let need = if row.required { "required" } else { "optional" };
        let (parameters, result) = (row.parameters(), row.result());
        let mut text =
            format!("{}  [{need}, since {}, {}]\n    {}\n", row.name, row.since, row.basis, row.summary());
        let _ = writeln!(text, "    {:<10} {}", "parameters", names(&parameters));
        let _ = writeln!(text, "    {:<10} {}", "result", names(&result));
        let _ = writeln!(text, "    {:<10} {}", "prompt", row.prompt.unwrap_or("none"));
        let json = json!({"id": row.name, "about": row.about(), "required": row.required, "since": row.since,
            "basis": row.basis, "prompt": row.prompt, "parameters": members(&parameters),
            "result": members(&result), "list_may_be_bare": result.may_be_bare, "clauses": clauses});
        Item { clauses: clauses.into_iter().collect(), text, json }
    });
    Ok(items.collect())
}

/// Returns what the suite needs of a platform.
fn required() -> Result<Vec<Item>, Failure> {
    let parts = parts().map_err(|error| Failure::new(Exit::Suite, error))?;
    let items = requirements(&parts).into_iter().map(|found| {
        let clauses: Vec<String> = found.clauses.iter().map(ToString::to_string).collect();
        let subject = found.subject.to_string();
        let notes: Vec<String> = std::iter::once(subject.clone()).chain(clauses.iter().cloned()).collect();
        let json = json!({"id": found.name, "subject": subject, "about": found.about, "clauses": clauses});
        Item { text: row(&found.name, &found.about, &notes), clauses, json }
    });
    Ok(items.collect())
}

/// Returns the names of members on one line. A question mark follows an optional one.
fn names(form: &Form) -> String {
    let optional = |member: &Member| if member.required { "" } else { "?" };
    let names: Vec<String> =
        form.members.iter().map(|member| format!("{}{}", member.name, optional(member))).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn members(form: &Form) -> Vec<Value> {
    let rows = form.members.iter().map(|member| {
        json!({"name": member.name, "kind": member.kind.to_string(), "required": member.required,
            "about": member.about})
    });
    rows.collect()
}

fn row(name: &str, about: &str, notes: &[String]) -> String {
    let notes = if notes.is_empty() { String::new() } else { format!("  [{}]", notes.join(", ")) };
    format!("{name}{notes}\n    {about}\n")
}
