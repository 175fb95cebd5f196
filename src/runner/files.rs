//! The folder of a run and its files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::check::Verdict;
use crate::clock::{Clock, Seed};
use crate::property::of_trace;
use crate::report::{FORMATS, Report};
use crate::transcript::{Reading, Trace};

/// The name of the transcript in the folder of a run.
const TRANSCRIPT: &str = "transcript.jsonl";

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

    /// Creates the folder.
    pub fn create(&self) -> Result<(), FileError> {
        let error = |source| FileError::Folder { path: self.0.display().to_string(), source };
        fs::create_dir_all(&self.0).map_err(error)
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

    /// Returns the path of the transcript that a user names: the file, or the folder that holds it.
    #[must_use]
    pub fn transcript_of(path: &Path) -> PathBuf {
        if path.is_dir() { path.join(TRANSCRIPT) } else { path.to_owned() }
    }

    /// Writes the report in each format.
    pub fn write(&self, report: &Report) -> Result<(), FileError> {
        for format in FORMATS {
            let plain = anstream::adapter::strip_str(&(format.render)(report)).to_string();
            write_whole(&self.0.join(format.file), plain.as_bytes())?;
        }
        Ok(())
    }

    /// Writes the shrunk case of each broken property as a scenario that can be run.
    pub fn write_cases(&self, reading: &Reading, report: &Report) -> Result<Vec<PathBuf>, FileError> {
        let broken = |trace: &Trace| {
            let mut checks = report.checks.iter().map(|evaluated| &evaluated.evaluation);
            checks.any(|o| o.check.scenario == trace.scenario() && o.result.verdict == Verdict::Broken)
        };
        let mut written = Vec::new();
        for trace in reading.traces.iter().filter(|trace| broken(trace)) {
            let (Some(property), Some(start)) = (of_trace(trace.scenario()), trace.start()) else { continue };
            let path = self.0.join(format!("{property}.toml"));
            write_whole(&path, start.source.as_bytes())?;
            written.push(path);
        }
        Ok(written)
    }
}

/// Writes a temporary file and renames it to `path`, so that no reader sees a partial file.
pub fn write_whole(path: &Path, content: &[u8]) -> Result<(), FileError> {
    write_and_rename(path, content)
        .map_err(|source| FileError::Write { path: path.display().to_string(), source })
}

fn write_and_rename(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(content)?;
    make_readable_by_all(file.as_file())?;
    file.persist(path).map_err(|unsaved| unsaved.error)?;
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
