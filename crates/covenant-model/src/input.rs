//! Files that other people wrote. One function opens them: it takes regular files only, so that no pipe lets the program
//! wait and no device is read without an end, and it bounds what is read.

use std::collections::BTreeSet;
use std::fs::{File, FileType, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// The number of folders below one another that are read.
const FOLDERS_DEEP_MAX: usize = 32;
/// The number of files of one folder, with those below it, that are read.
const FILES_MAX: usize = 10_000;

/// An error for a path that a user named.
#[derive(Debug, Error)]
#[error("{path}: {why}")]
pub struct InputError {
    /// The path, as the user named it.
    pub path: String,
    /// The reason, with what to do.
    pub why: String,
    /// The kind of the system's error; `Other` if the system has no objection.
    pub kind: io::ErrorKind,
}

impl InputError {
    /// Creates an error that the system has no part in.
    #[must_use]
    pub fn new(path: &Path, why: impl Into<String>) -> Self {
        let path =
            if path.as_os_str().is_empty() { "(empty path)".into() } else { path.display().to_string() };
        Self { path, why: why.into(), kind: io::ErrorKind::Other }
    }

    fn of_system(path: &Path, error: &io::Error, what: &str) -> Self {
        Self { kind: error.kind(), ..Self::new(path, in_words(path, error, what)) }
    }

    /// Returns whether nothing has this path.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        self.kind == io::ErrorKind::NotFound
    }
}

/// Says what an error of the system means for a path. The text of the system is not repeated.
fn in_words(path: &Path, error: &io::Error, what: &str) -> String {
    let is_link = path.symlink_metadata().is_ok_and(|found| found.is_symlink());
    match error.kind() {
        io::ErrorKind::NotFound if is_link => {
            format!(
                "a symbolic link to nothing: {what} was expected; name the {what} itself",
                what = bare(what)
            )
        }
        io::ErrorKind::NotFound => format!("there is none: {what} was expected; check the path"),
        io::ErrorKind::PermissionDenied => {
            "this user may not read it; change its permissions, or run as its owner".to_owned()
        }
        io::ErrorKind::NotADirectory => "a part of the path is no folder; check the path".to_owned(),
        // `ErrorKind::FilesystemLoop` is not stable.
        _ if is_link && path.canonicalize().is_err() => {
            format!("a symbolic link that leads back to itself; name the {} itself", bare(what))
        }
        _ => format!("cannot be read: {error}"),
    }
}

/// Returns the noun without its article.
fn bare(what: &str) -> &str {
    what.strip_prefix("a ").unwrap_or(what)
}

/// Opens a regular file. A folder, a pipe, a socket or a device is refused, and never waited for.
pub fn open(path: &Path) -> Result<File, InputError> {
    is_file(path, &found(path, "a file")?)?;
    let file = File::open(path).map_err(|error| InputError::of_system(path, &error, "a file"))?;
    // Something else may have taken its place.
    let opened = file.metadata().map_err(|error| InputError::of_system(path, &error, "a file"))?;
    is_file(path, &opened)?;
    Ok(file)
}

/// Reads a regular file of no more than `bytes_max` bytes.
pub fn read(path: &Path, bytes_max: u64) -> Result<Vec<u8>, InputError> {
    let mut bytes = Vec::new();
    let read = open(path)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| InputError::of_system(path, &error, "a file"))?;
    if bytes.len() as u64 > bytes_max {
        return Err(InputError::new(
            path,
            format!("longer than {bytes_max} bytes, which is the most that is read"),
        ));
    }
    Ok(bytes)
}

/// Reads a regular file of no more than `bytes_max` bytes as text.
pub fn read_text(path: &Path, bytes_max: u64) -> Result<String, InputError> {
    String::from_utf8(read(path, bytes_max)?)
        .map_err(|_| InputError::new(path, "not a text in UTF-8; check that it is the right file"))
}

/// Returns whether the path is that of a folder. A path without anything is an error.
pub fn is_folder(path: &Path) -> Result<bool, InputError> {
    let found = found(path, "a file or a folder")?;
    if !found.is_dir() {
        is_file(path, &found)?;
    }
    Ok(found.is_dir())
}

/// Returns the files of a folder with this extension, sorted. `deep` takes those of the folders below too. A folder that
/// links to itself is read once.
pub fn files_in(folder: &Path, extension: &str, deep: bool) -> Result<Vec<PathBuf>, InputError> {
    if !found(folder, "a folder")?.is_dir() {
        return Err(InputError::new(
            folder,
            "not a folder, which was expected; name the folder that holds it",
        ));
    }
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let failed = |error: &io::Error| InputError::of_system(&folder, error, "a folder");
        if !seen.insert(folder.canonicalize().map_err(|error| failed(&error))?) {
            continue;
        }
        for entry in std::fs::read_dir(&folder).map_err(|error| failed(&error))? {
            let path = entry.map_err(|error| failed(&error))?.path();
            if path.is_dir() {
                if deep && depth == FOLDERS_DEEP_MAX {
                    return Err(InputError::new(&path, format!("more than {FOLDERS_DEEP_MAX} folders deep")));
                }
                folders.extend(deep.then_some((path, depth + 1)));
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
            if files.len() > FILES_MAX {
                return Err(InputError::new(
                    &folder,
                    format!("more than {FILES_MAX} files; name a smaller folder"),
                ));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn found(path: &Path, what: &str) -> Result<Metadata, InputError> {
    if path.as_os_str().is_empty() {
        return Err(InputError::new(path, format!("{what} was expected")));
    }
    std::fs::metadata(path).map_err(|error| InputError::of_system(path, &error, what))
}

fn is_file(path: &Path, found: &Metadata) -> Result<(), InputError> {
    if found.is_file() {
        return Ok(());
    }
    let (kind, hint) = kind_of(found.file_type());
    Err(InputError::new(path, format!("{kind}, and a regular file was expected; {hint}")))
}

#[cfg(unix)]
fn kind_of(kind: FileType) -> (&'static str, &'static str) {
    use std::os::unix::fs::FileTypeExt;
    let copy = "write its content into a file, and name that";
    if kind.is_fifo() {
        ("a pipe", copy)
    } else if kind.is_socket() {
        ("a socket", copy)
    } else if kind.is_char_device() || kind.is_block_device() {
        ("a device", copy)
    } else {
        ("a folder", "name the file in it")
    }
}

#[cfg(not(unix))]
fn kind_of(kind: FileType) -> (&'static str, &'static str) {
    if kind.is_dir() { ("a folder", "name the file in it") } else { ("no regular file", "name another") }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn what_is_no_regular_file_is_refused_with_its_kind_and_never_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let pipe = std::process::Command::new("mkfifo").arg(at("pipe")).status();
        assert!(pipe.expect("mkfifo starts").success());
        std::os::unix::net::UnixListener::bind(at("socket")).expect("bound");
        symlink(at("loop"), at("loop")).expect("linked");
        symlink(at("nothing"), at("dangling")).expect("linked");
        std::fs::write(at("long"), [b'x'; 9]).expect("written");
        std::fs::write(at("latin"), [0xe4]).expect("written");
        for (path, part) in [
            (at("pipe"), "a pipe"),
            (at("socket"), "a socket"),
            (folder.path().to_owned(), "a folder"),
            (at("loop"), "leads back to itself"),
            (at("dangling"), "link to nothing"),
            (at("missing"), "there is none"),
            (at("long/below"), "is no folder"),
            (at("long"), "longer than 8 bytes"),
            (at("latin"), "UTF-8"),
            (PathBuf::from("/dev/null"), "a device"),
            (PathBuf::from("/dev/zero"), "a device"),
            (PathBuf::from("/proc/self/mem"), "cannot be read"),
            (PathBuf::new(), "was expected"),
        ] {
            let message = read_text(&path, 8).expect_err(part).to_string();
            assert!(message.contains(part) && !message.contains("No such file"), "{message}");
        }
    }

    #[test]
    fn a_folder_that_links_to_itself_is_read_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let below = folder.path().join("below");
        std::fs::create_dir(&below).expect("created");
        symlink(folder.path(), below.join("again")).expect("linked");
        symlink(folder.path(), below.join("again.toml")).expect("linked");
        std::fs::write(below.join("one.toml"), "").expect("written");
        std::fs::write(folder.path().join("other.txt"), "").expect("written");
        assert_eq!(files_in(folder.path(), "toml", true).expect("read"), [below.join("one.toml")]);
        assert!(files_in(folder.path(), "toml", false).expect("read").is_empty());
        let message = files_in(&below.join("one.toml"), "toml", true).expect_err("a file").to_string();
        assert!(message.contains("not a folder"), "{message}");
    }
}
