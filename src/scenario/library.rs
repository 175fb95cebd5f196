//! The scenarios that a run chooses from: the built-in ones, or those of a folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::again::second_times;
use super::load::{FILE_BYTES_MAX, LoadError, Loaded, load, parse};
use crate::input::{self, InputError};

/// Reads a scenario by its id, its path and its text.
pub(super) type Reader = fn(&str, &str, &str) -> Result<Loaded, LoadError>;

/// The source of scenarios.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The scenarios that are built into the program, as pairs of id and text.
    BuiltIn(&'static [(&'static str, &'static str)]),
    /// A folder, or one file.
    Path(PathBuf),
}

/// Scenarios in the order of their ids.
#[derive(Clone, Debug, Default)]
pub struct Library {
    scenarios: BTreeMap<String, Loaded>,
}

/// An error that occurs when the scenarios are read.
#[derive(Debug, Error)]
pub enum LibraryError {
    /// A file or folder that can't be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// An invalid file.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A folder without scenarios.
    #[error("{path}: no scenario there: a scenario is a .toml file")]
    Empty {
        /// The path of the file.
        path: String,
    },
}

impl Library {
    /// Reads every scenario of the source.
    pub fn open(source: &Source) -> Result<Self, LibraryError> {
        let mut library = Self::default();
        match source {
            Source::BuiltIn(files) => {
                for (id, text) in *files {
                    library.add_with_second_times(id, &format!("scenarios/{id}.toml"), text, parse)?;
                }
            }
            Source::Path(path) => library.read(path)?,
        }
        Ok(library)
    }

    /// Iterates over the scenarios in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Loaded> {
        self.scenarios.values()
    }

    /// Returns the scenario with this id.
    #[must_use]
    pub fn scenario(&self, id: &str) -> Option<&Loaded> {
        self.scenarios.get(id)
    }

    /// Adds a scenario. It replaces one with the same id.
    pub fn add(&mut self, loaded: Loaded) {
        self.scenarios.insert(loaded.id.clone(), loaded);
    }

    fn add_with_second_times(
        &mut self,
        id: &str,
        path: &str,
        text: &str,
        read: Reader,
    ) -> Result<(), LoadError> {
        let loaded = read(id, path, text)?;
        let second_times = second_times(&loaded, read)?;
        std::iter::once(loaded).chain(second_times).for_each(|loaded| self.add(loaded));
        Ok(())
    }

    fn read(&mut self, root: &Path) -> Result<(), LibraryError> {
        let files = if input::is_folder(root)? {
            input::files_in(root, "toml", true)?
        } else {
            vec![root.to_owned()]
        };
        if files.is_empty() {
            return Err(LibraryError::Empty { path: root.display().to_string() });
        }
        for file in files {
            let below =
                if file == root { file.file_name().map(Path::new) } else { file.strip_prefix(root).ok() };
            let id = below.unwrap_or(&file).with_extension("").to_string_lossy().replace('\\', "/");
            let text = input::read_text(&file, FILE_BYTES_MAX)?;
            self.add_with_second_times(&id, &file.display().to_string(), &text, load)?;
        }
        Ok(())
    }
}
