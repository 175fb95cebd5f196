//! `covenant docs`: the generated pages of `docs/`. CI compares each with its file.

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Exit, Failure, print};
use crate::docs::{PAGES, parts};

/// Arguments of `covenant docs`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Page to print [default: the names of all pages]
    #[arg(value_parser = PossibleValuesParser::new(PAGES.iter().map(|page| page.name)))]
    page: Option<String>,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let Some(name) = arguments.page.as_deref() else {
        let names: Vec<&str> = PAGES.iter().map(|page| page.name).collect();
        print(&(names.join("\n") + "\n"))?;
        return Ok(Exit::Kept);
    };
    let parts = parts().map_err(|error| Failure::new(Exit::Suite, error))?;
    if let Some(page) = PAGES.iter().find(|page| page.name == name) {
        print(&(page.write)(&parts))?;
    }
    Ok(Exit::Kept)
}
