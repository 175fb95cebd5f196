//! `covenant schema`.

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::config::Config;
use super::{Exit, Failure, print};

/// Arguments of `covenant schema`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// File format to describe
    #[arg(value_enum)]
    what: What,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum What {
    /// Scenario file
    Scenario,
    /// The report.json of a run
    Report,
    /// The covenant.toml file
    Config,
    /// A message of the adapter protocol
    Adapter,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let schema = match arguments.what {
        What::Scenario => crate::scenario::schema(),
        What::Config => schemars::schema_for!(Config).to_value(),
        What::Report => crate::report::schema(),
        What::Adapter => crate::operator::schema(),
    };
    print(&pretty(&schema)?)?;
    Ok(Exit::Kept)
}

fn pretty(schema: &Value) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(schema).map_err(|error| Failure::new(Exit::Suite, error))?;
    Ok(text + "\n")
}
