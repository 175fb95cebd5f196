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
use crate::runner::{Plan, write_whole};
use crate::selftest::{Partition, Row, Table, check_ids, compare_reports, platforms, probe_all};

/// Arguments of `covenant selftest`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Defect or variant to run (repeatable) [default: all]
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
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
    /// Folder for selftest.md and selftest.json. Rows of an existing table stay if their defect or variant is
    /// not run now
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let seed = arguments.seed.unwrap_or(Seed(1));
    message(&format!("seed: {seed}\n"));
    let platforms = platforms(&arguments.only, arguments.partition).map_err(|unknown| {
        let hint = did_you_mean(&unknown, DEFECTS.iter().chain(VARIANTS).map(|patch| patch.name));
        Failure::usage(format!("no defect or variant is called {unknown}; `covenant list` shows them{hint}"))
    })?;
    if let Some(folder) = &arguments.goldens {
        // A wrong folder is refused before the half hour that a self-test takes, and so is a wrong --out.
        input::files_in(folder, "txt", false).map_err(unreadable)?;
    }
    let before = arguments.out.as_deref().map(Table::read).transpose().map_err(unreadable)?.flatten();
    // The self-test needs to know that a case breaks, not the shortest one.
    let plan = Plan { seed, shrinks: 0, ..Plan::default() };
    let rows = block_on_unless_stopped(probe_all(
        &platforms,
        &plan,
        usize::try_from(arguments.jobs.get()).unwrap_or(1),
    ))?
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

/// Returns the table of these rows. If only a part was run, the other rows come from an earlier table.
fn table(arguments: &Arguments, before: Option<Table>, rows: Vec<Row>) -> Result<Table, Failure> {
    let check_ids = check_ids().map_err(|error| Failure::new(Exit::Suite, error))?;
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
