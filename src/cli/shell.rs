//! `covenant completions` and `covenant man`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Arguments, Exit, Failure, message, print};

/// The name of the program in its own texts.
const PROGRAM: &str = "covenant";

/// Arguments of `covenant completions`.
#[derive(Debug, Args)]
pub(super) struct CompletionArguments {
    /// Shell to complete for
    #[arg(value_enum)]
    shell: Shell,
    /// Folder to write the script to, under the name that the shell expects [default: standard output]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Arguments of `covenant man`.
#[derive(Debug, Args)]
pub(super) struct ManArguments {
    /// Folder to write a page for each subcommand to [default: the main page alone, on standard output]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn completions(arguments: &CompletionArguments) -> Result<Exit, Failure> {
    let mut command = Arguments::command();
    if let Some(folder) = &arguments.out {
        return write_to(folder, |folder| {
            clap_complete::generate_to(arguments.shell, &mut command, PROGRAM, folder).map(drop)
        });
    }
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, PROGRAM, &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Kept)
}

pub(super) fn manual(arguments: &ManArguments) -> Result<Exit, Failure> {
    // `covenant help` has no page: each command explains itself.
    let command = Arguments::command().disable_help_subcommand(true);
    if let Some(folder) = &arguments.out {
        return write_to(folder, |folder| clap_mangen::generate_to(command, folder));
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(command).render(&mut page).map_err(|error| Failure::new(Exit::Suite, error))?;
    print(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Kept)
}

/// Creates a folder and writes generated files into it.
fn write_to(folder: &Path, write: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<Exit, Failure> {
    std::fs::create_dir_all(folder)
        .and_then(|()| write(folder))
        .with_context(|| format!("{}: cannot write", folder.display()))
        .map_err(|error| Failure::new(Exit::Environment, error))?;
    message(&format!("files: {}\n", folder.display()));
    Ok(Exit::Kept)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use super::*;

    fn shown(command: &clap::Command) -> impl Iterator<Item = &clap::Command> {
        command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set())
    }

    /// Returns the name of the page of a command and of each of its subcommands.
    fn pages(command: &clap::Command, name: &str) -> BTreeSet<String> {
        let inner = shown(command).flat_map(|sub| pages(sub, &format!("{name}-{}", sub.get_name())));
        std::iter::once(format!("{name}.1")).chain(inner).collect()
    }

    /// Returns the pages that a page names, such as `covenant-run.1`.
    fn named(page: &str) -> BTreeSet<String> {
        let text = page.replace("\\-", "-");
        let words = text.split(|letter: char| letter.is_whitespace() || letter == ',');
        // A number in brackets alone, such as an exit code, names no page.
        let names = words.filter_map(|word| word.split_once("(1)")).filter(|(name, _)| !name.is_empty());
        names.map(|(name, _)| format!("{name}.1")).collect()
    }

    #[test]
    fn each_subcommand_has_a_page_and_no_page_names_another_that_does_not_exist() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("man1");
        assert_eq!(manual(&ManArguments { out: Some(out.clone()) }).expect("written"), Exit::Kept);
        let files = fs::read_dir(&out).expect("a folder").flatten();
        let written: BTreeSet<String> =
            files.map(|file| file.file_name().to_string_lossy().into_owned()).collect();
        assert_eq!(written, pages(&Arguments::command(), PROGRAM));
        let mut mentions = BTreeSet::new();
        for page in &written {
            let named = named(&fs::read_to_string(out.join(page)).expect("a page"));
            assert!(named.is_subset(&written), "{page} names {:?}", named.difference(&written));
            mentions.extend(named);
        }
        assert!(mentions.contains("covenant-run.1") && mentions.contains("covenant-golden-diff.1"));
    }

    #[test]
    fn a_completion_script_for_each_shell_names_each_subcommand() {
        let folder = tempfile::tempdir().expect("a folder");
        for shell in <Shell as clap::ValueEnum>::value_variants() {
            let out = folder.path().join(shell.to_string());
            let arguments = CompletionArguments { shell: *shell, out: Some(out.clone()) };
            assert_eq!(completions(&arguments).expect("written"), Exit::Kept);
            let script = fs::read_dir(&out).expect("a folder").flatten().next().expect("a script");
            let script = fs::read_to_string(script.path()).expect("a text");
            for subcommand in shown(&Arguments::command()) {
                assert!(script.contains(subcommand.get_name()), "{shell}: {}", subcommand.get_name());
            }
        }
    }
}
