//! The folder of a run and its files.

use std::borrow::Cow;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::check::Verdict;
use crate::clock::{Clock, Seed};
use crate::property::{PROPERTIES, of_trace};
use crate::report::{FORMATS, Report, ReportFormat};
use crate::transcript::{Reading, StoredTrace};
use crate::{private, secret};

/// The name of the transcript in the folder of a run.
const TRANSCRIPT: &str = "transcript.jsonl";
/// The name of the report for programs in the folder of a run.
const REPORT: &str = "report.json";
/// The name of the attestation in the folder of a run. A later run into the folder is refused: it would
/// remove the files that the attestation signs.
pub(crate) const ATTESTATION: &str = "attestation.json";
/// The files of a run beside its reports and its transcript.
const OTHERS: [&str; 6] =
    ["adapter.log", "left-behind.txt", "cleanup.jsonl", "difference.txt", "difference.json", "difference.md"];
/// The file that a run holds locked while it writes the others.
pub(crate) const LOCK: &str = ".lock";
/// The file that holds the state of a watch which has not ended.
pub(crate) const WATCH: &str = "watch.json";
/// The file that holds the keys of an audit's peer which has not left the target.
pub(crate) const PEERING: &str = "peering.json";

/// A file or folder that cannot be written.
#[derive(Debug, Error)]
pub enum FileError {
    /// The folder of a run.
    #[error("{path}: cannot create the run folder; name another with --out")]
    Folder {
        /// The path of the file.
        path: String,
        /// The error of the system.
        source: io::Error,
    },
    /// Something else has the name of the folder.
    #[error("{0}: this is no folder, and a run needs one for its files; name another with --out")]
    NoFolder(String),
    /// Another run writes into the folder.
    #[error("{0}: another run writes into this folder; wait for its end, or name another with --out")]
    Locked(String),
    /// The folder holds a watch that has not ended.
    #[error(
        "{0}: this folder holds a watch that has not ended; continue it with covenant audit --watch, or name another \
         folder with --out"
    )]
    Watch(String),
    /// The folder holds the keys of a peer that has not left.
    #[error(
        "{0}: this folder holds the keys of a peer that has not left its target, and without them it cannot; let it leave with \
         covenant audit URL --clean {0}, or name another folder with --out"
    )]
    Peering(String),
    /// The folder holds an earlier run.
    #[error("{0}: this folder holds an earlier run; name a new one with --out, or replace it with --force")]
    Finished(String),
    /// The folder holds a run that was certified.
    #[error(
        "{0}: this folder holds an attestation, and a new run would remove the transcript and the report that it signs; name \
         another folder with --out"
    )]
    Certified(String),
    /// A file of an earlier run cannot be removed.
    #[error("{path}: a file of an earlier run cannot be removed; name another folder with --out")]
    Old {
        /// The path.
        path: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The folder of a file does not exist.
    #[error("{path}: the folder {folder} does not exist; create it, or name another file")]
    NoParent {
        /// The path of the file.
        path: String,
        /// The path of the folder.
        folder: String,
    },
    /// The path of a file is that of a folder.
    #[error("{0}: this is a folder; name a file in it")]
    IsFolder(String),
    /// The path is that of a device, a pipe or a socket.
    #[error("{0}: this is a device, a pipe or a socket, and none is replaced; name a file")]
    IsSpecial(String),
    /// The file exists, and holds what would be lost.
    #[error("{0}: exists, and nothing is overwritten; name another file, or replace it with --force")]
    Exists(String),
    /// A file.
    #[error("{path}: cannot write")]
    Write {
        /// The path of the file.
        path: String,
        /// The error of the system.
        source: io::Error,
    },
}

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Chooses the requested folder, or a new one under `reports/`. Creates nothing.
    #[must_use]
    pub fn choose(asked: Option<&Path>, seed: Seed) -> Self {
        Self(asked.map_or_else(
            || {
                let now = Clock::system().now().strftime("%Y%m%dT%H%M%SZ").to_string();
                PathBuf::from("reports").join(format!("{now}-seed-{seed}"))
            },
            Path::to_owned,
        ))
    }

    /// Creates the folder and locks it, so that no other run writes into it while the lock is held.
    pub fn lock(&self) -> Result<FolderLock, FileError> {
        let name = || self.0.display().to_string();
        let error = |source| FileError::Folder { path: name(), source };
        private::create_folder(&self.0).map_err(|source| {
            let is_taken = source.kind() == io::ErrorKind::AlreadyExists;
            if is_taken { FileError::NoFolder(name()) } else { error(source) }
        })?;
        let file = private::keep(&self.0.join(LOCK)).map_err(error)?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock(file)),
            Err(TryLockError::WouldBlock) => Err(FileError::Locked(name())),
            Err(TryLockError::Error(source)) => Err(error(source)),
        }
    }

    /// Prepares the folder for a new run: creates it, locks it, and removes what an earlier run left, so that no old
    /// report is taken for that of this run.
    pub fn begin(&self) -> Result<FolderLock, FileError> {
        let lock = self.lock()?;
        if self.0.join(WATCH).symlink_metadata().is_ok() {
            return Err(FileError::Watch(self.0.display().to_string()));
        }
        if self.0.join(PEERING).symlink_metadata().is_ok() {
            return Err(FileError::Peering(self.0.display().to_string()));
        }
        if self.0.join(ATTESTATION).symlink_metadata().is_ok() {
            return Err(FileError::Certified(self.0.display().to_string()));
        }
        self.remove_reports()?;
        self.remove(OTHERS.into_iter().chain([TRANSCRIPT]).map(ToOwned::to_owned))?;
        Ok(lock)
    }

    /// Returns an error if the folder holds an earlier run. `force` replaces it.
    pub fn refuse_earlier(&self, force: bool) -> Result<(), FileError> {
        if self.0.join(PEERING).symlink_metadata().is_ok() {
            return Err(FileError::Peering(self.0.display().to_string()));
        }
        if force || self.transcript().symlink_metadata().is_err() {
            return Ok(());
        }
        Err(FileError::Finished(self.0.display().to_string()))
    }

    /// Removes the reports of an earlier run, or of the part of a watch before it was interrupted. In a folder without a
    /// transcript, a file that is called like a case is the user's own.
    pub fn remove_reports(&self) -> Result<(), FileError> {
        let is_of_run = self.transcript().exists();
        let reports = FORMATS.iter().filter_map(|format| format.file).map(ToOwned::to_owned);
        let cases = PROPERTIES.iter().filter(|_| is_of_run).map(|property| case_file(property.name));
        self.remove(reports.chain(cases))
    }

    fn remove(&self, files: impl Iterator<Item = String>) -> Result<(), FileError> {
        for file in files {
            let path = self.0.join(file);
            match fs::remove_file(&path) {
                Err(source) if source.kind() != io::ErrorKind::NotFound => {
                    return Err(FileError::Old { path: path.display().to_string(), source });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Returns the path of the folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the path of the transcript.
    #[must_use]
    pub fn transcript(&self) -> PathBuf {
        self.0.join(TRANSCRIPT)
    }

    /// Returns the path of the report for programs that a user names: the file, or the folder that holds it.
    #[must_use]
    pub fn report_of(path: &Path) -> PathBuf {
        if path.is_dir() { path.join(REPORT) } else { path.to_owned() }
    }

    /// Returns the path of the transcript that a user names: the file, or the folder that holds it.
    #[must_use]
    pub fn transcript_of(path: &Path) -> PathBuf {
        if path.is_dir() { path.join(TRANSCRIPT) } else { path.to_owned() }
    }

    /// Creates the folder, and writes the report in each format of a run. The folder gets no transcript.
    pub fn write_reports(&self, report: &Report) -> Result<(), FileError> {
        let _lock = self.lock()?;
        self.write(report)
    }

    /// Writes the report in each format.
    pub fn write(&self, report: &Report) -> Result<(), FileError> {
        for format in FORMATS {
            let Some(file) = format.file else { continue };
            write_private(&self.0.join(file), plain(format, report).as_bytes())?;
        }
        Ok(())
    }

    /// Writes the shrunk case of each broken property as a scenario that can be run.
    pub fn write_cases(&self, reading: &Reading, report: &Report) -> Result<Vec<PathBuf>, FileError> {
        let broken = |trace: &&StoredTrace| {
            let mut checks = report.checks.iter().map(|evaluated| &evaluated.evaluation);
            checks.any(|o| o.check.scenario == trace.scenario() && o.result.verdict == Verdict::Broken)
        };
        let mut written = Vec::new();
        for stored in reading.stored().iter().filter(broken) {
            let Some(property) = of_trace(stored.scenario()) else { continue };
            let trace = stored.read();
            let Some(start) = trace.start() else { continue };
            let path = self.0.join(case_file(property));
            write_private(&path, secret::without_own(&start.source).as_bytes())?;
            written.push(path);
        }
        Ok(written)
    }
}

/// Returns the report for programs, as the run folder has it.
#[must_use]
pub fn report_json(report: &Report) -> String {
    let format = FORMATS.iter().find(|format| format.file == Some(REPORT));
    format.map_or_else(String::new, |format| plain(format, report))
}

/// Returns a report in one format, as a file has it.
fn plain(format: &ReportFormat, report: &Report) -> String {
    anstream::adapter::strip_str(&(format.render)(report)).to_string()
}

/// Removes the secrets that the user gave from a report, whatever path they took into it.
#[must_use]
pub fn without_secrets(report: Report) -> Report {
    let Ok(mut value) = serde_json::to_value(&report) else { return report };
    if matches!(secret::without_own(&value.to_string()), Cow::Borrowed(_)) {
        return report;
    }
    secret::mask_own(&mut value);
    // A secret that is a word of the format itself stays.
    serde_json::from_value(value).unwrap_or(report)
}

/// The lock of a folder. Dropping it, or the death of the process, releases it.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "the file is held for its lock")] File);

/// Returns the name of the file with the shrunk case of a property.
fn case_file(property: &str) -> String {
    format!("{property}.toml")
}

/// Writes a temporary file and renames it to `path`, so that no reader sees a partial file. All may read it.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write(path, content, make_readable_by_all, true)
}

/// Writes a file as [`write_whole`] does. Only its owner may read it.
pub fn write_private(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write(path, content, |_| Ok(()), true)
}

/// Writes a file as [`write_whole`] does. One of the same name is replaced by `force` alone.
pub fn write_new_whole(path: &Path, content: &[u8], force: bool) -> Result<(), FileError> {
    write(path, content, make_readable_by_all, force)
}

/// Writes a file as [`write_private`] does. One of the same name is replaced by `force` alone.
pub fn write_new_private(path: &Path, content: &[u8], force: bool) -> Result<(), FileError> {
    write(path, content, |_| Ok(()), force)
}

/// Refuses the path of a file that exists, before work is done for it. `force` replaces the file.
pub fn refuse_existing(path: &Path, force: bool) -> Result<(), FileError> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    if force {
        return refuse_special(path);
    }
    Err(FileError::Exists(path.display().to_string()))
}

/// Refuses the path of a file that could not be written in the end, before work is done for it.
pub(crate) fn refuse_unwritable(path: &Path) -> Result<(), FileError> {
    let shown = || path.display().to_string();
    let folder = existing_folder(path)?;
    if path.is_dir() {
        return Err(FileError::IsFolder(shown()));
    }
    refuse_special(path)?;
    let probe = tempfile::NamedTempFile::new_in(folder).map(drop);
    probe.map_err(|source| FileError::Write { path: shown(), source: without_temporary_name(source) })
}

/// Refuses the path of a device, a pipe or a socket, or of a link to one. A file is renamed to its path, so that whoever
/// may write in `/dev` would replace the device.
pub(crate) fn refuse_special(path: &Path) -> Result<(), FileError> {
    let found = path.metadata();
    let is_special = found.is_ok_and(|found| !found.is_file() && !found.is_dir());
    // `/dev/stdout` leads there, and from there to a file if the output goes to one.
    let leads_to = path.read_link().unwrap_or_default();
    if is_special || ["/proc", "/dev"].iter().any(|folder| leads_to.starts_with(folder)) {
        return Err(FileError::IsSpecial(path.display().to_string()));
    }
    Ok(())
}

/// Returns the folder of a file that is to be written.
fn existing_folder(path: &Path) -> Result<&Path, FileError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(FileError::NoParent { path: path.display().to_string(), folder: folder.display().to_string() })
}

fn write(
    path: &Path,
    content: &[u8],
    mode: fn(&File) -> io::Result<()>,
    replace: bool,
) -> Result<(), FileError> {
    let shown = path.display().to_string();
    let folder = existing_folder(path)?;
    refuse_special(path)?;
    write_and_rename(path, folder, content, mode, replace).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists if !replace => FileError::Exists(shown),
        _ => FileError::Write { path: shown, source: without_temporary_name(source) },
    })
}

/// Returns the error of the system alone: the name of the temporary file says nothing to the user.
fn without_temporary_name(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.split_once(" at path ") {
        Some((system, _)) => io::Error::new(error.kind(), system.to_owned()),
        None => error,
    }
}

/// A temporary file is readable by its owner only.
fn write_and_rename(
    path: &Path,
    folder: &Path,
    content: &[u8],
    mode: fn(&File) -> io::Result<()>,
    replace: bool,
) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    mode(file.as_file())?;
    let renamed = if replace { file.persist(path) } else { file.persist_noclobber(path) };
    renamed.map_err(|unsaved| unsaved.error)?;
    Ok(())
}

/// Makes a file readable by all. A temporary file is readable by its owner only.
#[cfg(unix)]
fn make_readable_by_all(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable_by_all(_: &File) -> io::Result<()> {
    Ok(())
}
