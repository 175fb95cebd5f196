//! The two files of a table: JSON, which a later run reads, and Markdown for a person.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::input::{self, InputError};
use crate::runner::{FileError, write_whole};

/// The longest table that is read, in bytes.
const BYTES_MAX: u64 = 64 << 20;

/// Reads the table that an earlier self-test wrote into this folder. Returns `None` if there is none.
pub(super) fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Option<T>, InputError> {
    let path = folder.join(format!("{name}.json"));
    let text = match input::read(&path, BYTES_MAX) {
        Err(error) if error.is_missing() => return Ok(None),
        text => text?,
    };
    let wrong = |error| InputError::new(&path, format!("not the table of a self-test ({error}); remove it"));
    serde_json::from_slice(&text).map(Some).map_err(wrong)
}

/// Writes a table into a folder, as Markdown and as JSON.
pub(super) fn write<T: Serialize>(
    folder: &Path,
    name: &str,
    table: &T,
    markdown: &str,
) -> Result<(), FileError> {
    let json = serde_json::to_string_pretty(table).expect("a table has text keys only");
    std::fs::create_dir_all(folder)
        .map_err(|source| FileError::Write { path: folder.display().to_string(), source })?;
    write_whole(&folder.join(format!("{name}.md")), markdown.as_bytes())?;
    write_whole(&folder.join(format!("{name}.json")), (json + "\n").as_bytes())
}
