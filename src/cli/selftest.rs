//! `covenant selftest`: measures the suite with every defect and every variant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;

use super::number::Platforms;
use super::{Exit, Failure, block_on_unless_stopped, message, print};
use crate::clock::Seed;
use crate::input::{self, InputError};
use crate::nearest::did_you_mean;
use crate::reference::{DEFECTS, VARIANTS};
use crate::runner::{Partition, Plan, Selection, library, write_whole};
use crate::selftest::{
    Combine, CombinedTable, Platform, Row, Table, check_aspects, check_ids, combinations, compare_reports,
    platforms, probe_all, probe_combinations,
};

/// Arguments of `covenant selftest`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Defect or variant to run (repeatable) [default: all]
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Pattern of the scenarios to play, such as '07-*/**' (repeatable) [default: all]. The table in --out is renewed in
    /// what they show; a defect or variant without a row there is played whole first
    #[arg(long, value_name = "PATTERN", requires = "out", conflicts_with_all = ["goldens", "combine"])]
    scenario: Vec<String>,
    /// Partition of the defects and variants to run: the K-th of N, such as hash:2/10 [default: all]
    #[arg(long, value_name = "hash:K/N")]
    partition: Option<Partition>,
    /// Seed of every choice [default: 1]
    #[arg(long, value_name = "S")]
    seed: Option<Seed>,
    /// Number of platforms to test in parallel
    #[arg(long, value_name = "N", default_value = "2")]
    jobs: Platforms,
    /// Folder of golden reports to compare with, such as golden/reports
    #[arg(long, value_name = "DIR")]
    goldens: Option<PathBuf>,
    /// Replace each golden report that differs
    #[arg(long, requires = "goldens")]
    accept: bool,
    /// Run sets of variants instead: `pairs` for sets that hold each pair, or a number of random sets of 3 to 6.
    /// --out then takes combinations.md and combinations.json, in which runs add up
    #[arg(long, value_name = "pairs|N", conflicts_with_all = ["only", "goldens"])]
    combine: Option<Combine>,
    /// Folder for selftest.md and selftest.json. Rows of an existing table stay if their defect or variant is
    /// not run now
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Arguments {
    /// Returns the number of platforms that are tested at a time.
    fn parallel(&self) -> usize {
        usize::try_from(self.jobs.get()).unwrap_or(1)
    }
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let seed = arguments.seed.unwrap_or(Seed(1));
    message(&format!("seed: {seed}\n"));
    // The self-test needs to know that a case breaks, not the shortest one.
    let mut plan = Plan { seed, shrinks: 0, ..Plan::default() };
    if let Some(combine) = arguments.combine {
        return combined(arguments, combine, &plan);
    }
    let platforms = platforms(&arguments.only, arguments.partition).map_err(|unknown| {
        let hint = did_you_mean(&unknown, DEFECTS.iter().chain(VARIANTS).map(|patch| patch.name));
        Failure::usage(format!("no defect or variant is called {unknown}; `covenant list` shows them{hint}"))
    })?;
    if let Some(folder) = &arguments.goldens {
        // A wrong folder is refused before the half hour that a self-test takes, and so is a wrong --out.
        input::files_in(folder, "txt", false).map_err(unreadable)?;
    }
    let before = arguments.out.as_deref().map(Table::read).transpose().map_err(unreadable)?.flatten();
    if !arguments.scenario.is_empty() {
        plan.selection = selection(&arguments.scenario)?;
        has_rows(&platforms, before.as_ref())?;
    }
    let rows = block_on_unless_stopped(probe_all(&platforms, &plan, arguments.parallel()))?
        .map_err(|error| Failure::new(Exit::Environment, error))?;
    let table = table(arguments, before, rows)?;
    if let Some(folder) = &arguments.out {
        table.write(folder)?;
    }
    print(&table.markdown())?;
    let is_golden = match &arguments.goldens {
        Some(folder) => compare(&table, folder, arguments.accept)?,
        None => true,
    };
    Ok(if table.is_good() && is_golden { Exit::Kept } else { Exit::Broken })
}

/// Runs sets of variants.
fn combined(arguments: &Arguments, combine: Combine, plan: &Plan) -> Result<Exit, Failure> {
    let before = arguments.out.as_deref().map(CombinedTable::read).transpose().map_err(unreadable)?;
    let mut sets = combinations(combine, plan.seed);
    if let Some(partition) = arguments.partition {
        sets.retain(|set| partition.holds(&set.names().join(" ")));
    }
    let rows = block_on_unless_stopped(probe_combinations(&sets, plan, arguments.parallel()))?
        .map_err(|error| Failure::new(Exit::Environment, error))?;
    let table = before.unwrap_or_default().with(rows);
    if let Some(folder) = &arguments.out {
        table.write(folder)?;
    }
    print(&table.markdown())?;
    Ok(if table.is_good() { Exit::Kept } else { Exit::Broken })
}

/// Returns the selection of these scenarios. A pattern that fits none is an error.
fn selection(patterns: &[String]) -> Result<Selection, Failure> {
    let usage = |error| Failure::new(Exit::Usage, error);
    let selection = Selection::new(patterns, &[]).map_err(usage)?;
    let library = library(None).map_err(|error| Failure::new(Exit::Suite, error))?;
    selection.of(&library, true).map_err(usage)?;
    Ok(selection)
}

/// Returns an error if a platform has no row yet: scenarios alone make none.
fn has_rows(platforms: &[Platform], before: Option<&Table>) -> Result<(), Failure> {
    let rows = before.map(|table| &table.rows[..]).unwrap_or_default();
    let names = platforms.iter().map(|platform| platform.map_or("", |patch| patch.name));
    let new: Vec<&str> = names.filter(|name| rows.iter().all(|row| row.patch != *name)).collect();
    let Some(first) = new.first() else { return Ok(()) };
    let first = if first.is_empty() { "the conforming platform" } else { first };
    Err(Failure::usage(format!(
        "{} platforms have no row in --out, such as {first}: play them whole first, with --only and without --scenario",
        new.len()
    )))
}

/// Returns the table of these rows. If only a part was run, the other rows come from an earlier table.
fn table(arguments: &Arguments, before: Option<Table>, rows: Vec<Row>) -> Result<Table, Failure> {
    let in_suite = |error| Failure::new(Exit::Suite, error);
    let check_ids = check_ids().map_err(in_suite)?;
    if !arguments.scenario.is_empty() {
        let aspects = check_aspects().map_err(in_suite)?;
        return Ok(before.unwrap_or_default().with_parts(rows, &aspects, &check_ids));
    }
    if arguments.only.is_empty() && arguments.partition.is_none() {
        return Ok(Table::new(rows, &check_ids));
    }
    Ok(match before {
        Some(before) => before.with(rows, &check_ids),
        None => Table::new(rows, &BTreeSet::new()),
    })
}

fn unreadable(error: InputError) -> Failure {
    Failure::new(Exit::Usage, error)
}

/// Compares each report with its golden, and prints or accepts the differences. Returns true if none remain.
fn compare(table: &Table, folder: &Path, accept: bool) -> Result<bool, Failure> {
    let differences = compare_reports(&table.rows, folder).map_err(unreadable)?;
    for difference in &differences {
        if accept {
            write_whole(&difference.path, difference.now.as_bytes())?;
        } else {
            print(&difference.shown)?;
        }
    }
    let differing = if accept { 0 } else { differences.len() };
    print(&format!("{differing} golden reports differ\n"))?;
    Ok(differing == 0)
}
