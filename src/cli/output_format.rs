//! The option `--format` of commands with one text and one JSON.

use clap::ValueEnum;

/// A format of what a command prints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum OutputFormat {
    /// Text for a person
    #[default]
    Text,
    /// JSON for a program
    Json,
}
