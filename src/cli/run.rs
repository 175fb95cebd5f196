//! `covenant run`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::json;
use tokio::sync::watch;

use super::files::RunFolder;
use super::progress::Progress;
use super::{Exit, Failure, block_on, print, tell};
use crate::clock::Seed;
use crate::contract::{BINDING_VERSION, REGISTER_V1};
use crate::net::Limits;
use crate::operator::{Embedded, EmbeddedOptions};
use crate::reference::{DEFECTS, Patch, VARIANTS};
use crate::report::{Report, junit, text};
use crate::scenario::{Loaded, Surroundings};
use crate::suite::{Fault, Run, Selection, assess, library, play};
use crate::transcript::{FORMAT, RunStart, read};

/// Arguments of `covenant run`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Plant a defect in the embedded reference platform (repeatable); `covenant list defects`
    #[arg(long, value_name = "NAME")]
    defect: Vec<String>,
    /// Make the embedded reference platform different in a lawful way (repeatable)
    #[arg(long, value_name = "NAME")]
    variant: Vec<String>,
    /// Play only the scenarios whose id fits this pattern (repeatable): '07-*/**'
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Judge only this commitment (repeatable)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=12))]
    commitment: Vec<u8>,
    /// Fix every choice of the run: the same seed does the same again
    #[arg(long, value_name = "S")]
    seed: Option<Seed>,
    /// Play so many scenarios side by side
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// What standard output gets; the run's folder gets all of them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The run's folder, instead of a new one under reports/
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Scenarios of your own: a folder of .toml files, or one file
    #[arg(long, value_name = "PATH")]
    scenarios: Option<PathBuf>,
    /// Fail also where something could not be proved
    #[arg(long)]
    strict: bool,
    /// The address that the target and the simulated peers listen on
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1")]
    listen: IpAddr,
    /// No progress on the terminal
    #[arg(long, short)]
    quiet: bool,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a person
    Text,
    /// For a program; `covenant schema report`
    Json,
    /// For a CI server
    Junit,
}

/// How long something that is due is waited for (`binding.md`, "Numbers").
const PATIENCE_SECONDS: u64 = 10;

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let seed = arguments.seed.unwrap_or_else(Seed::fresh);
    tell(&format!("seed: {seed}\n"));
    let patches = patches(arguments)?;
    let (sanity, scenarios, partial) = scenarios(arguments)?;
    let folder = RunFolder::create(arguments.out.as_deref(), seed)?;
    let start = RunStart {
        format: FORMAT,
        covenant: env!("CARGO_PKG_VERSION").to_owned(),
        seed,
        contract_version: REGISTER_V1.contract_version,
        contract_digest: REGISTER_V1.digest.to_owned(),
        binding: BINDING_VERSION.to_owned(),
        target: target_in_words(&patches),
        target_arguments: target_arguments(arguments),
        settings: BTreeMap::from([("patience_seconds".to_owned(), json!(PATIENCE_SECONDS))]),
        scenarios: scenarios.iter().map(|loaded| loaded.id.clone()).collect(),
        partial,
    };
    let targets = Embedded::new(EmbeddedOptions { listen: arguments.listen, patches, settings: json!({}) });
    let surroundings = Surroundings {
        listen: arguments.listen,
        advertise: None,
        patience: Duration::from_secs(PATIENCE_SECONDS),
        limits: Limits::default(),
        variation: None,
    };
    let (stopper, stop) = watch::channel(false);
    let run = Run {
        start,
        sanity,
        scenarios,
        targets: Arc::new(targets),
        surroundings,
        jobs: usize::from(arguments.jobs),
        transcript: folder.transcript(),
        stop,
    };
    let quiet = arguments.quiet;
    block_on(async move {
        let progress = Arc::new(Progress::new(quiet));
        let interrupted = async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                stopper.send_replace(true);
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = play(run, progress) => ended.map(|_| ()),
            () = interrupted => Ok(()),
        }
    })?
    .map_err(|fault: Fault| Failure::new(Exit::Environment, fault))?;

    let reading = read(&folder.transcript()).map_err(|error| Failure::new(Exit::Suite, error))?;
    let report = assess(&reading);
    folder.write(&report)?;
    show(&report, arguments.format)?;
    tell(&format!("files: {}\n", folder.path().display()));
    Ok(Exit::of(&report, arguments.strict))
}

/// Prints a report in the form that was asked for.
pub(super) fn show(report: &Report, format: Format) -> Result<(), Failure> {
    match format {
        Format::Text => print(&text(report)),
        Format::Junit => print(&junit(report)),
        Format::Json => {
            let json =
                serde_json::to_string_pretty(report).map_err(|error| Failure::new(Exit::Suite, error))?;
            print(&(json + "\n"))
        }
    }
}

fn scenarios(arguments: &Arguments) -> Result<(Loaded, Vec<Loaded>, bool), Failure> {
    let usage = |error: String| Failure::usage(error);
    let built_in = library(None).map_err(|error| Failure::new(Exit::Suite, error))?;
    let sanity = built_in.iter().find(|loaded| loaded.scenario.sanity).cloned();
    let sanity = sanity.ok_or_else(|| Failure::new(Exit::Suite, anyhow::anyhow!("no sanity scenario")))?;
    let library = match &arguments.scenarios {
        Some(path) => library(Some(path)).map_err(|error| usage(error.to_string()))?,
        None => built_in,
    };
    let selection =
        Selection::new(&arguments.only, &arguments.commitment).map_err(|error| usage(error.to_string()))?;
    let chosen = selection.of(&library).map_err(|error| usage(error.to_string()))?;
    let partial = selection.is_partial() || arguments.scenarios.is_some();
    Ok((sanity, chosen.into_iter().cloned().collect(), partial))
}

/// The defects and variants that were asked for.
fn patches(arguments: &Arguments) -> Result<Vec<&'static Patch>, Failure> {
    let defects = arguments.defect.iter().map(|name| named(DEFECTS, "defect", name));
    let variants = arguments.variant.iter().map(|name| named(VARIANTS, "variant", name));
    defects.chain(variants).collect()
}

/// The patch of that name, or an error with the nearest one.
pub(super) fn named(
    patches: &'static [&'static Patch],
    what: &str,
    name: &str,
) -> Result<&'static Patch, Failure> {
    patches.iter().copied().find(|patch| patch.name == name).ok_or_else(|| {
        let near = patches.iter().min_by_key(|patch| strsim::damerau_levenshtein(patch.name, name));
        let hint = near.map_or_else(String::new, |near| format!("\nhint: did you mean {}?", near.name));
        Failure::usage(format!("no {what} is called {name}; `covenant list {what}s` tells them{hint}"))
    })
}

fn target_in_words(patches: &[&'static Patch]) -> String {
    let names: Vec<&str> = patches.iter().map(|patch| patch.name).collect();
    match names.as_slice() {
        [] => "the embedded reference platform".to_owned(),
        names => format!("the embedded reference platform with {}", names.join(", ")),
    }
}

fn target_arguments(arguments: &Arguments) -> Vec<String> {
    let defects = arguments.defect.iter().map(|name| format!("--defect {name}"));
    let variants = arguments.variant.iter().map(|name| format!("--variant {name}"));
    let scenarios = arguments.scenarios.iter().map(|path| format!("--scenarios '{}'", path.display()));
    defects.chain(variants).chain(scenarios).collect()
}
