//! `covenant golden`: recorded exchanges against the reference platform.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::files::write_whole;
use super::target_choice::named;
use super::{Exit, Failure, block_on, print};
use crate::golden::{Golden, Which};
use crate::reference::DEFECTS;
use crate::suite::{GoldenError, compare_goldens, record_golden};
use crate::transcript::Direction;

/// Arguments of `covenant golden`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// The folder of goldens
    #[arg(long, value_name = "DIR", default_value = "golden/wire", global = true)]
    folder: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show how the platform's exchanges differ from their goldens
    Diff {
        /// Plant a defect first (repeatable)
        #[arg(long, value_name = "NAME")]
        defect: Vec<String>,
    },
    /// Take what the platform does now as golden, wherever it differs
    Accept,
    /// Record a new golden
    Record {
        /// The file's name, without its outcome: migrations-completed
        name: String,
        /// The scenario it is taken from
        #[arg(long)]
        scenario: String,
        /// The label of the exchange; the last that fits is taken
        #[arg(long, required_unless_present = "route")]
        label: Option<String>,
        /// The target itself sent it: such a call has no label
        #[arg(long)]
        from_target: bool,
        /// Its route: heartbeat, migrations/commit
        #[arg(long)]
        route: Option<String>,
        /// The peer that called, or was called
        #[arg(long)]
        peer: Option<String>,
        /// What stands in its request
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
    let patches = defects.iter().map(|name| named(DEFECTS, "defect", name)).collect::<Result<Vec<_>, _>>()?;
    let compared = block_on(compare_goldens(folder, &patches))?.map_err(failure)?;
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
    let compared = block_on(compare_goldens(folder, &[]))?.map_err(failure)?;
    for golden in compared.iter().filter(|golden| !golden.differences.is_empty()) {
        write(&golden.path, &golden.now)?;
        print(&format!("{}\n", golden.path.display()))?;
    }
    Ok(Exit::Kept)
}

fn record(folder: &Path, name: &str, scenario: &str, which: &Which) -> Result<Exit, Failure> {
    let golden = block_on(record_golden(scenario, which))?.map_err(failure)?;
    let path = folder.join(name).with_extension("json");
    write(&path, &golden)?;
    print(&format!("{}\n", path.display()))?;
    Ok(Exit::Kept)
}

fn write(path: &Path, golden: &Golden) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(golden).map_err(|error| Failure::new(Exit::Suite, error))?;
    write_whole(path, (text + "\n").as_bytes()).map_err(|error| Failure::new(Exit::Environment, error))
}

fn failure(error: GoldenError) -> Failure {
    let exit = match error {
        GoldenError::Target(_) => Exit::Environment,
        GoldenError::Halted { .. } => Exit::Target,
        _ => Exit::Usage,
    };
    Failure::new(exit, error)
}
