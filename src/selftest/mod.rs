//! The self-test: how many seeded defects the suite detects, and how many false positives it has on conforming
//! platforms.

mod combination;
mod combined;
mod file;
mod golden_report;
mod row;
mod table;

pub use combination::{Combination, Combine, combinations};
pub use combined::{CombinedRow, CombinedTable, probe_combination};
pub use golden_report::{ReportDifference, compare_reports, golden_report};
pub use row::{Row, probe};
pub use table::Table;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::property::PROPERTIES;
use crate::reference::{DEFECTS, Patch, VARIANTS};
use crate::runner::{Partition, Plan, RunError, library, planned, property_case};
use crate::scenario::{LibraryError, Loaded};

/// A platform of the self-test: a patch, or `None` for the conforming platform.
pub type Platform = Option<&'static Patch>;

/// Returns the conforming platform, then the selected defects and variants. An empty list of names selects all.
/// The error is the first unknown name.
pub fn platforms(names: &[String], partition: Option<Partition>) -> Result<Vec<Platform>, String> {
    let every = || DEFECTS.iter().chain(VARIANTS).copied();
    if let Some(unknown) = names.iter().find(|name| every().all(|patch| patch.name != **name)) {
        return Err(unknown.clone());
    }
    let in_partition = |patch: &Patch| partition.is_none_or(|partition| partition.holds(patch.name));
    let is_named = |patch: &Patch| names.is_empty() || names.iter().any(|name| name == patch.name);
    let selected = every().filter(|patch| in_partition(patch) && is_named(patch)).map(Some);
    Ok(std::iter::once(None).chain(selected).collect())
}

/// Runs the suite against each platform, `jobs` of them at a time.
pub async fn probe_all(platforms: &[Platform], plan: &Plan, jobs: usize) -> Result<Vec<Row>, RunError> {
    let rows = stream::iter(platforms.iter().map(|platform| probe(*platform, plan)));
    rows.buffered(jobs).try_collect().await
}

/// Runs the suite against each set of variants, `jobs` of them at a time.
pub async fn probe_combinations(
    sets: &[Combination],
    plan: &Plan,
    jobs: usize,
) -> Result<Vec<CombinedRow>, RunError> {
    let rows = stream::iter(sets.iter().map(|set| probe_combination(set, plan)));
    rows.buffered(jobs).try_collect().await
}

/// Returns the ids of all checks of the suite. A second time has the checks of the first.
pub fn check_ids() -> Result<BTreeSet<String>, LibraryError> {
    let first_times = every_case()?.into_iter().filter(|loaded| !loaded.second_time);
    Ok(first_times.flat_map(|loaded| planned(&loaded.id, &loaded)).map(|check| check.id).collect())
}

/// Returns the clause and aspect of each check of the suite, as `7.1 conduct`, by the id of the check.
pub fn check_aspects() -> Result<BTreeMap<String, String>, LibraryError> {
    let planned = every_case()?.into_iter().flat_map(|loaded| planned(&loaded.id, &loaded));
    Ok(planned.map(|check| (check.id, format!("{} {}", check.clause, check.aspect))).collect())
}

/// Returns every scenario, and a case of every property.
fn every_case() -> Result<Vec<Loaded>, LibraryError> {
    let properties = PROPERTIES.iter().filter_map(|property| property_case(&property.trace()));
    Ok(library(None)?.iter().cloned().chain(properties).collect())
}
