//! The scenarios that a run chooses from: the built-in ones, or those of a folder.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::load::{FILE_BYTES_MAX, LoadError, Loaded, load};

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
    #[error("{path}: cannot read")]
    Io {
        /// The path of the file.
        path: String,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A file that exceeds the size limit.
    #[error("{path}: longer than {FILE_BYTES_MAX} bytes")]
    TooLong {
        /// The path of the file.
        path: String,
    },
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
                    library.add(load(id, &format!("scenarios/{id}.toml"), text)?);
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

    fn read(&mut self, root: &Path) -> Result<(), LibraryError> {
        let files = files_below(root)?;
        if files.is_empty() {
            return Err(LibraryError::Empty { path: root.display().to_string() });
        }
        for file in files {
            let below =
                if file == root { file.file_name().map(Path::new) } else { file.strip_prefix(root).ok() };
            let id = below.unwrap_or(&file).with_extension("").to_string_lossy().replace('\\', "/");
            let text = read_bounded(&file)?;
            self.add(load(&id, &file.display().to_string(), &text)?);
        }
        Ok(())
    }
}

/// Returns every `.toml` file below a folder, sorted. Returns the path itself if it is a file.
fn files_below(root: &Path) -> Result<Vec<PathBuf>, LibraryError> {
    let io = |path: &Path, source| LibraryError::Io { path: path.display().to_string(), source };
    if root.is_file() {
        return Ok(vec![root.to_owned()]);
    }
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|error| io(&folder, error))? {
            let path = entry.map_err(|error| io(&folder, error))?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn read_bounded(path: &Path) -> Result<String, LibraryError> {
    let name = || path.display().to_string();
    let io = |source| LibraryError::Io { path: name(), source };
    let mut text = String::new();
    let file = fs::File::open(path).map_err(io)?;
    file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text).map_err(io)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        return Err(LibraryError::TooLong { path: name() });
    }
    Ok(text)
}
