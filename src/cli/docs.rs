//! `covenant docs`: the generated pages of `docs/`. CI compares each with its file.

mod adapter_protocol;
mod binding;

use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Exit, Failure, print};

/// A generated page, `docs/NAME.md`.
struct Page {
    name: &'static str,
    text: fn() -> String,
}

/// The generated pages. A page is one row here and one file beside this one.
const PAGES: &[Page] = &[
    Page { name: "adapter-protocol", text: adapter_protocol::page },
    Page { name: "binding", text: binding::page },
];

/// Arguments of `covenant docs`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Page to print [default: the names of all pages]
    #[arg(value_parser = PossibleValuesParser::new(PAGES.iter().map(|page| page.name)))]
    page: Option<String>,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let wanted = |page: &&Page| arguments.page.as_deref().is_none_or(|name| name == page.name);
    for page in PAGES.iter().filter(wanted) {
        match arguments.page {
            Some(_) => print(&(page.text)())?,
            None => print(&format!("{}\n", page.name))?,
        }
    }
    Ok(Exit::Kept)
}
