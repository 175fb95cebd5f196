//! `covenant selftest`: measures the suite with every defect and every variant.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::StreamExt;
use futures_util::stream;

use super::files::write_whole;
use super::partition::Partition;
use super::{Exit, Failure, block_on, print, tell};
use crate::clock::Seed;
use crate::property::PROPERTIES;
use crate::reference::{DEFECTS, Patch, VARIANTS};
use crate::scenario::Loaded;
use crate::suite::{Plan, Row, RunError, Table, difference, library, planned, probe, property_case};

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
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=16))]
    jobs: u16,
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
    tell(&format!("seed: {seed}\n"));
    let patches = patches(arguments)?;
    // The selftest needs to know that a case breaks, not the shortest one.
    let run = Plan { seed, shrinks: 0, ..Plan::default() };
    let rows = block_on(all(&patches, &run, usize::from(arguments.jobs)))?
        .map_err(|error| Failure::new(Exit::Environment, error))?;
    let whole = arguments.only.is_empty() && arguments.partition.is_none();
    let before = if whole { None } else { arguments.out.as_deref().and_then(read_table) };
    let table = match before {
        Some(before) => before.with(rows, &every_check()?),
        None => Table::new(rows, &if whole { every_check()? } else { BTreeSet::new() }),
    };
    let text = table.markdown();
    if let Some(folder) = &arguments.out {
        std::fs::create_dir_all(folder).map_err(|error| {
            Failure::new(Exit::Environment, anyhow::anyhow!("{}: {error}", folder.display()))
        })?;
        let json = serde_json::to_string_pretty(&table).map_err(|error| Failure::new(Exit::Suite, error))?;
        for (name, content) in [("selftest.md", text.clone()), ("selftest.json", json + "\n")] {
            write_whole(&folder.join(name), content.as_bytes())
                .map_err(|error| Failure::new(Exit::Environment, error))?;
        }
    }
    print(&text)?;
    let is_golden = match &arguments.goldens {
        Some(folder) => compare_reports(&table, folder, arguments.accept)?,
        None => true,
    };
    Ok(if table.is_good() && is_golden { Exit::Kept } else { Exit::Broken })
}

/// Compares each report with its golden, and prints or accepts the differences. Returns true if none remain.
fn compare_reports(table: &Table, folder: &Path, accept: bool) -> Result<bool, Failure> {
    let mut differing = 0;
    // Rows of an earlier selftest have no report.
    let run_now = table.rows.iter().filter(|row| !row.report.is_empty());
    for row in run_now.clone() {
        let name = if row.patch.is_empty() { "reference" } else { &row.patch };
        let Some(shown) = difference(folder, name, &row.report) else { continue };
        if accept {
            let path = folder.join(name).with_extension("txt");
            std::fs::create_dir_all(folder)
                .and_then(|()| write_whole(&path, row.report.as_bytes()).map_err(std::io::Error::other))
                .map_err(|error| Failure::new(Exit::Environment, error))?;
        } else {
            differing += 1;
            print(&shown)?;
        }
    }
    print(&format!("{differing} of {} golden reports differ\n", run_now.count()))?;
    Ok(differing == 0)
}

/// Reads the table of an earlier selftest. Returns `None` if there is none.
fn read_table(folder: &Path) -> Option<Table> {
    serde_json::from_slice(&std::fs::read(folder.join("selftest.json")).ok()?).ok()
}

async fn all(patches: &[Option<&'static Patch>], run: &Plan, jobs: usize) -> Result<Vec<Row>, RunError> {
    let rows: Vec<Result<Row, RunError>> =
        stream::iter(patches.iter().map(|patch| probe(*patch, run))).buffered(jobs).collect().await;
    rows.into_iter().collect()
}

/// Returns the conforming platform, then the selected defects and variants.
fn patches(arguments: &Arguments) -> Result<Vec<Option<&'static Patch>>, Failure> {
    let every = || DEFECTS.iter().chain(VARIANTS).copied();
    if let Some(unknown) = arguments.only.iter().find(|name| every().all(|patch| patch.name != **name)) {
        return Err(Failure::usage(format!("no defect or variant is called {unknown}")));
    }
    let in_part = |patch: &Patch| arguments.partition.is_none_or(|partition| partition.holds(patch.name));
    let asked =
        |patch: &Patch| arguments.only.is_empty() || arguments.only.iter().any(|name| name == patch.name);
    let chosen = every().filter(|patch| in_part(patch) && asked(patch)).map(Some);
    Ok(std::iter::once(None).chain(chosen).collect())
}

fn every_check() -> Result<BTreeSet<String>, Failure> {
    let library = library(None).map_err(|error| Failure::new(Exit::Suite, error))?;
    let properties: Vec<Loaded> = PROPERTIES.iter().filter_map(|p| property_case(&p.trace())).collect();
    let every = library.iter().chain(&properties).flat_map(|loaded| planned(&loaded.id, loaded));
    Ok(every.map(|check| check.id).collect())
}
