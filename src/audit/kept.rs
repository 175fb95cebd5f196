//! Files with keys: what a watch needs to go on, and an audit to leave. Only their owner may read them.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::input;

/// The longest file that is read, in bytes.
const BYTES_MAX: u64 = 1 << 20;

/// Writes a temporary file and renames it, so that a kill leaves the old content or the new one, also if the machine
/// loses power.
pub(super) fn save(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let text = serde_json::to_vec_pretty(value).map_err(io::Error::other)?;
    let mut file = tempfile::Builder::new().prefix(&temporary(path)).tempfile_in(folder)?;
    file.write_all(&text)?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|unsaved| unsaved.error)?;
    // Not every system can do so for a folder.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// Reads a file that [`save`] wrote. The error says what is wrong with it.
pub(super) fn load<T: DeserializeOwned>(path: &Path, what: &str) -> Result<T, String> {
    let text = input::read_text(path, BYTES_MAX).map_err(|error| error.why)?;
    if text.trim_matches(['\0', ' ', '\n', '\r', '\t']).is_empty() {
        return Err("the file is empty, as a failed disk or a full one leaves it".to_owned());
    }
    serde_json::from_str(&text).map_err(|error| {
        let found =
            if error.is_eof() { "the file is cut".to_owned() } else { format!("the file is not {what}") };
        format!("{found} ({error})")
    })
}

/// Removes what a kill left while the file was written.
pub(super) fn remove_torn(path: &Path) {
    let prefix = temporary(path);
    let folder = path.parent().unwrap_or(Path::new("."));
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(&prefix) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Returns the beginning of the names of temporary files: `.watch-` for `watch.json`. A kill may leave one.
fn temporary(path: &Path) -> String {
    format!(".{}-", path.file_stem().unwrap_or_default().to_string_lossy())
}
