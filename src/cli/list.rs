//! `covenant list`.

use std::fmt::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Exit, Failure, print};
use crate::check::CHECKS;
use crate::contract::{REGISTER_V1, Section};
use crate::peer::behaviours::BEHAVIOURS;
use crate::property::PROPERTIES;
use crate::reference::{DEFECTS, PatchKind, VARIANTS};
use crate::suite::library;

/// Arguments of `covenant list`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Kind of items to list
    #[arg(value_enum)]
    what: What,
    /// Folder of .toml files, or one file, with your own scenarios [default: the built-in scenarios]
    #[arg(long, value_name = "PATH")]
    scenarios: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Scenarios and the clauses they check
    Scenarios,
    /// Clauses of the contract
    Clauses,
    /// Behaviours: how a peer deviates from the contract
    Behaviours,
    /// Defects: how the reference platform breaks the contract
    Defects,
    /// Variants: how the reference platform differs and still conforms
    Variants,
    /// Checks that a scenario can use
    Checks,
    /// Properties: what holds over generated histories
    Properties,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let text = match arguments.what {
        What::Scenarios => scenarios(arguments)?,
        What::Clauses => clauses(),
        What::Behaviours => behaviours(),
        What::Defects => defects(),
        What::Variants => variants(),
        What::Checks => checks(),
        What::Properties => table(
            PROPERTIES
                .iter()
                .map(|property| (property.name, property.about, property.commitment.to_string())),
        ),
    };
    print(&text)?;
    Ok(Exit::Kept)
}

fn scenarios(arguments: &Arguments) -> Result<String, Failure> {
    let library =
        library(arguments.scenarios.as_deref()).map_err(|error| Failure::usage(error.to_string()))?;
    let mut text = String::new();
    for loaded in library.iter() {
        let mut clauses: Vec<String> = loaded
            .scenario
            .checks
            .iter()
            .map(|check| format!("{} {}", check.get_ref().clause, check.get_ref().aspect))
            .collect();
        clauses.dedup();
        let _ = writeln!(text, "{}\n    {}", loaded.id, loaded.scenario.title);
        if !clauses.is_empty() {
            let _ = writeln!(text, "    checks {}", clauses.join(", "));
        }
    }
    Ok(text)
}

fn clauses() -> String {
    let register = REGISTER_V1;
    let mut text = format!("contract version {}, SHA-256 {}\n", register.contract_version, register.digest);
    for section in Section::all() {
        let _ = writeln!(text, "\n{section} {}", section.title());
        if section == Section::Commitment(2) {
            let _ = writeln!(
                text,
                "      (the contract gives it no class; it is written as a duty, so it counts as hard)"
            );
        }
        for clause in register.section(section) {
            let _ = writeln!(text, "{:<5} {:<9}{}", clause.id, clause.class, clause.obligation);
            for aspect in clause.aspects() {
                let how = clause.observation(aspect).map_or("", |seen| seen.how);
                let _ = writeln!(text, "      {aspect:<9} {how}");
            }
        }
    }
    text
}

fn behaviours() -> String {
    let rows =
        BEHAVIOURS.iter().map(|behaviour| (behaviour.name, behaviour.about, behaviour.clauses.join(", ")));
    table(rows)
}

fn defects() -> String {
    let rows = DEFECTS.iter().map(|patch| {
        let breaks = match patch.kind {
            PatchKind::Defect { breaks } => breaks,
            PatchKind::Variant => &[],
        };
        let aspects = breaks.iter().map(|(clause, aspect)| format!("{clause} {aspect}"));
        let depth = patch.hard_to_reach.then(|| "hard to reach".to_owned());
        (patch.name, patch.summary, aspects.chain(depth).collect::<Vec<_>>().join(", "))
    });
    table(rows)
}

fn variants() -> String {
    table(VARIANTS.iter().map(|patch| (patch.name, patch.summary, String::new())))
}

fn checks() -> String {
    let mut text = String::new();
    for check in CHECKS.iter().flat_map(|group| group.iter()) {
        let _ = writeln!(text, "{}\n    {}", check.name, check.about);
        for parameter in check.parameters {
            let optional = if parameter.required { "" } else { " (optional)" };
            let _ = writeln!(text, "    {:<10} {}{optional}", parameter.name, parameter.about);
        }
    }
    text
}

fn table<'a>(rows: impl Iterator<Item = (&'a str, &'a str, String)>) -> String {
    let mut text = String::new();
    for (name, about, breaks) in rows {
        let breaks = if breaks.is_empty() { String::new() } else { format!("  [{breaks}]") };
        let _ = writeln!(text, "{name}{breaks}\n    {about}");
    }
    text
}
