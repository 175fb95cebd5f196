//! `covenant completions` and `covenant man`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Exit, Failure, print};

/// Arguments of `covenant completions`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Shell to complete for
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions(arguments: &Arguments) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "covenant", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Kept)
}

pub(super) fn manual() -> Result<Exit, Failure> {
    let mut page = Vec::new();
    clap_mangen::Man::new(super::Arguments::command())
        .render(&mut page)
        .map_err(|error| Failure::new(Exit::Suite, error))?;
    print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Kept)
}
