//! The files of a run.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Exit, Failure};
use crate::check::Verdict;
use crate::clock::{Clock, Seed};
use crate::property::of_trace;
use crate::report::{Report, json, junit, text};
use crate::transcript::{Reading, Trace};

/// The folder of a run.
pub(super) struct RunFolder(PathBuf);

impl RunFolder {
    /// Chooses the requested folder, or a new one under `reports/`. Creates nothing.
    pub(super) fn choose(asked: Option<&Path>, seed: Seed) -> Self {
        Self(asked.map_or_else(
            || {
                let now = Clock::system().now().strftime("%Y%m%dT%H%M%SZ").to_string();
                PathBuf::from("reports").join(format!("{now}-seed-{seed}"))
            },
            Path::to_owned,
        ))
    }

    /// Creates the folder.
    pub(super) fn create(&self) -> Result<(), Failure> {
        fs::create_dir_all(&self.0)
            .with_context(|| {
                format!("{}: cannot create the run folder; name another with --out", self.0.display())
            })
            .map_err(|error| Failure::new(Exit::Environment, error))
    }

    /// Returns the path of the transcript.
    pub(super) fn transcript(&self) -> PathBuf {
        self.0.join("transcript.jsonl")
    }

    /// Writes the report in each format.
    pub(super) fn write(&self, report: &Report) -> Result<(), Failure> {
        let plain = anstream::adapter::strip_str(&text(report)).to_string();
        for (name, content) in
            [("report.json", json(report)), ("report.txt", plain), ("junit.xml", junit(report))]
        {
            write_whole(&self.0.join(name), content.as_bytes())
                .map_err(|error| Failure::new(Exit::Environment, error))?;
        }
        Ok(())
    }

    /// Writes the shrunk case of each broken property as a scenario that can be run.
    pub(super) fn write_cases(&self, reading: &Reading, report: &Report) -> Result<Vec<PathBuf>, Failure> {
        let broken = |trace: &Trace| {
            let mut checks = report.checks.iter().map(|evaluated| &evaluated.evaluation);
            checks.any(|o| o.check.scenario == trace.scenario() && o.result.verdict == Verdict::Broken)
        };
        let mut written = Vec::new();
        for trace in reading.traces.iter().filter(|trace| broken(trace)) {
            let (Some(property), Some(start)) = (of_trace(trace.scenario()), trace.start()) else { continue };
            let path = self.0.join(format!("{property}.toml"));
            write_whole(&path, start.source.as_bytes())
                .map_err(|error| Failure::new(Exit::Environment, error))?;
            written.push(path);
        }
        Ok(written)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

/// Writes a temporary file and renames it to `path`, so that no reader sees a partial file.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    let context = || format!("{}: cannot write", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).with_context(context)?;
    file.write_all(content).with_context(context)?;
    readable_by_all(file.as_file()).with_context(context)?;
    file.persist(path).map_err(|unsaved| unsaved.error).with_context(context)?;
    Ok(())
}

/// Makes a file readable by all. A temporary file is readable by its owner only.
#[cfg(unix)]
fn readable_by_all(file: &fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_: &fs::File) -> std::io::Result<()> {
    Ok(())
}
