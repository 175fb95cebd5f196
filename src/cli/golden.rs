//! `covenant golden`: compares, accepts and records golden exchanges of the reference platform.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::target_choice::patches;
use super::{Exit, Failure, block_on_unless_stopped, print};
use crate::golden::{Golden, GoldenError, Which, compare_goldens, record_golden};
use crate::runner::write_whole;
use crate::transcript::Direction;

/// Arguments of `covenant golden`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Folder of golden files
    #[arg(long, value_name = "DIR", default_value = "golden/wire", global = true)]
    folder: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the differences between the platform's exchanges and their goldens
    Diff {
        /// Defect to apply first (repeatable); see `covenant list defects`
        #[arg(long, value_name = "NAME")]
        defect: Vec<String>,
    },
    /// Replace each golden that differs by the platform's current exchange
    Accept,
    /// Record a new golden
    Record {
        /// Name of the golden file without its extension: migrations-completed
        name: String,
        /// Id of the scenario to run
        #[arg(long)]
        scenario: String,
        /// Label of the exchange; the last match is recorded
        #[arg(long, required_unless_present = "route")]
        label: Option<String>,
        /// Match a call that the target sent; such a call has no label
        #[arg(long, conflicts_with = "label")]
        from_target: bool,
        /// Route of the exchange: heartbeat, migrations/commit
        #[arg(long)]
        route: Option<String>,
        /// Peer that sent or received the call
        #[arg(long)]
        peer: Option<String>,
        /// Text that the request body contains
        #[arg(long, value_name = "TEXT")]
        says: Option<String>,
    },
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    match &arguments.command {
        Command::Diff { defect } => diff(&arguments.folder, defect),
        Command::Accept => accept(&arguments.folder),
        Command::Record { name, scenario, label, from_target, route, peer, says } => {
            let direction = from_target.then_some(Direction::FromTarget);
            let (label, route, peer, says) = (label.clone(), route.clone(), peer.clone(), says.clone());
            let which = Which { label, peer, direction, route, says };
            record(&arguments.folder, name, scenario, &which)
        }
    }
}

fn diff(folder: &Path, defects: &[String]) -> Result<Exit, Failure> {
    let patches = patches(&[], defects)?;
    let compared = block_on_unless_stopped(compare_goldens(folder, &patches))?.map_err(failure)?;
    let mut text = String::new();
    for golden in compared.iter().filter(|golden| !golden.differences.is_empty()) {
        let _ = writeln!(text, "{} ({} {})", golden.path.display(), golden.now.scenario, golden.now.which);
        for difference in &golden.differences {
            let _ = writeln!(text, "    {difference}");
        }
    }
    let differing = compared.iter().filter(|golden| !golden.differences.is_empty()).count();
    let _ = writeln!(text, "{differing} of {} goldens differ", compared.len());
    print(&text)?;
    Ok(if differing == 0 { Exit::Kept } else { Exit::Broken })
}

fn accept(folder: &Path) -> Result<Exit, Failure> {
    let compared = block_on_unless_stopped(compare_goldens(folder, &[]))?.map_err(failure)?;
    for golden in compared.iter().filter(|golden| !golden.differences.is_empty()) {
        write(&golden.path, &golden.now)?;
        print(&format!("{}\n", golden.path.display()))?;
    }
    Ok(Exit::Kept)
}

fn record(folder: &Path, name: &str, scenario: &str, which: &Which) -> Result<Exit, Failure> {
    let golden = block_on_unless_stopped(record_golden(scenario, which))?.map_err(failure)?;
    let path = folder.join(name).with_extension("json");
    write(&path, &golden)?;
    print(&format!("{}\n", path.display()))?;
    Ok(Exit::Kept)
}

fn write(path: &Path, golden: &Golden) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(golden).map_err(|error| Failure::new(Exit::Suite, error))?;
    Ok(write_whole(path, (text + "\n").as_bytes())?)
}

fn failure(error: GoldenError) -> Failure {
    let exit = match &error {
        GoldenError::Incomplete { outcome, .. } => outcome.blame().map_or(Exit::Target, Exit::from),
        _ => Exit::Usage,
    };
    Failure::new(exit, error)
}
