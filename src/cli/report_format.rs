//! The option `--format`, from the table of report formats.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::{Exit, Failure, print};
use crate::nearest::did_you_mean;
use crate::report::{FORMATS, JSON_LINES, Report, ReportFormat, RunEvent};
use crate::runner::{FileError, refuse_special, write_private};
use crate::{private, secret};

/// The name of the default format.
pub(super) const DEFAULT: &str = FORMATS[0].name;
/// The path that stands for standard output.
const STDOUT: &str = "-";

/// A format of a report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format(&'static ReportFormat);

impl Default for Format {
    fn default() -> Self {
        Self(&FORMATS[0])
    }
}

impl Format {
    /// Returns the parser of the command line, which lists every format.
    pub(super) fn parser() -> impl TypedValueParser<Value = Self> {
        let values = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
        PossibleValuesParser::new(values)
            .try_map(|name| ReportFormat::named(&name).map(Self).ok_or("no such format"))
    }

    /// Returns its name.
    pub(super) const fn name(self) -> &'static str {
        self.0.name
    }

    /// Prints a report in this format.
    pub(super) fn print(self, report: &Report) -> Result<(), Failure> {
        print(&(self.0.render)(report))
    }
}

/// A format of a report, and where the report goes: `junit=out.xml`, or `junit` for standard output.
#[derive(Clone, Debug)]
pub(super) struct Output {
    format: Format,
    /// The file; `None` for standard output.
    file: Option<PathBuf>,
}

impl Output {
    /// Parses a value of the repeatable `--format`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (text, None),
        };
        let format = ReportFormat::named(name).map(Format).ok_or_else(|| {
            let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            let hint = did_you_mean(name, names.iter().copied());
            format!("no format is called {name:?}; the formats are {}{hint}", names.join(", "))
        })?;
        match file {
            Some("") => {
                Err(format!("{text}: the file is missing after the `=`; `{name}=-` is standard output"))
            }
            Some(STDOUT) | None => Ok(Self { format, file: None }),
            Some(file) => Ok(Self { format, file: Some(PathBuf::from(file)) }),
        }
    }

    /// Returns the help of the option: each format with its use.
    pub(super) fn help() -> String {
        let rows = FORMATS.iter().map(|format| format!("\n- {:<10}  {}", format.name, format.about));
        format!(
            "Format of the report, with its file (repeatable): junit=out.xml; `-` or no file is standard output, which \
             gets text if no format names it. The run folder gets its own files\n{}",
            rows.collect::<String>()
        )
    }
}

/// The places to which the reports of a command go.
#[derive(Debug, Default)]
pub(super) struct Outputs {
    stdout: Format,
    /// Standard output is for something else.
    is_off_stdout: bool,
    files: Vec<(Format, PathBuf)>,
    lines: Option<Arc<Lines>>,
}

impl From<Format> for Outputs {
    fn from(format: Format) -> Self {
        Self { stdout: format, ..Self::default() }
    }
}

impl Outputs {
    /// Returns the places that the command line names. Two reports for one place are refused, and so is a file whose
    /// folder is missing, before a run begins.
    pub(super) fn new(asked: &[Output]) -> Result<Self, Failure> {
        let mut on_stdout = asked.iter().filter(|output| output.file.is_none());
        let stdout = on_stdout.next().map(|output| output.format);
        if let (Some(first), Some(second)) = (stdout, on_stdout.next()) {
            let (first, second) = (first.0.name, second.format.0.name);
            return Err(Failure::usage(format!(
                "--format {first} and --format {second}: standard output takes one of them; give the other a file: \
                 --format {second}=FILE"
            )));
        }
        let files = asked.iter().filter_map(|output| Some((output.format, output.file.clone()?)));
        let files: Vec<(Format, PathBuf)> = files.collect();
        let mut taken = BTreeSet::new();
        for (format, file) in &files {
            refuse_no_place(file)?;
            if !taken.insert(place(file)) {
                let shown = file.display();
                return Err(Failure::usage(format!(
                    "--format {}={shown}: another --format has that file",
                    format.0.name
                )));
            }
        }
        Ok(Self { stdout: stdout.unwrap_or_default(), files, ..Self::default() })
    }

    /// Keeps standard output for something else than the report.
    pub(super) fn off_stdout(self) -> Self {
        Self { is_off_stdout: true, ..self }
    }

    /// Refuses a file in the run folder, which has files of its own.
    pub(super) fn refuse_in(&self, folder: &Path) -> Result<(), Failure> {
        let Ok(folder) = folder.canonicalize() else { return Ok(()) };
        match self.files.iter().find(|(_, file)| place(file).parent() == Some(&folder)) {
            None => Ok(()),
            Some((format, file)) => Err(Failure::usage(format!(
                "--format {}={}: this is in the run folder, which gets its own files; name a file elsewhere",
                format.0.name,
                file.display()
            ))),
        }
    }

    /// Opens the places that take each event of a run as it happens. Returns where the lines go.
    pub(super) fn open_lines(&mut self) -> Result<Option<Arc<Lines>>, Failure> {
        let takes_lines = |format: &Format| format.0.name == JSON_LINES;
        let mut lines = Lines { stdout: takes_lines(&self.stdout), files: vec![] };
        for (_, path) in self.files.iter().filter(|(format, _)| takes_lines(format)) {
            let shown = path.display().to_string();
            let file = private::create(path).map_err(|source| FileError::Write { path: shown, source })?;
            lines.files.push((path.clone(), Mutex::new(file)));
        }
        self.lines = (lines.stdout || !lines.files.is_empty()).then(|| Arc::new(lines));
        Ok(self.lines.clone())
    }

    /// Writes a report to each place. Where the events of the run were written, the last of them is added.
    pub(super) fn write(&self, report: &Report) -> Result<(), Failure> {
        let is_live = |format: Format| self.lines.is_some() && format.0.name == JSON_LINES;
        if let Some(lines) = &self.lines {
            lines.write(&RunEvent::ended(report).line())?;
        }
        if !is_live(self.stdout) && !self.is_off_stdout {
            self.stdout.print(report)?;
        }
        for (format, file) in self.files.iter().filter(|(format, _)| !is_live(*format)) {
            let plain = anstream::adapter::strip_str(&(format.0.render)(report)).to_string();
            write_private(file, secret::without_own(&plain).as_bytes())?;
        }
        Ok(())
    }
}

/// Returns the path of a file by the true path of its folder, so that one file has one path.
fn place(file: &Path) -> PathBuf {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    file.file_name().map_or_else(|| folder.clone(), |name| folder.join(name))
}

fn refuse_no_place(file: &Path) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let path = file.display().to_string();
    if file.is_dir() {
        return Err(Failure::usage(format!("--format: {path}: this is a folder; name a file in it")));
    }
    if let Err(error) = refuse_special(file) {
        return Err(Failure::usage(format!("--format: {error}, or `-` for standard output")));
    }
    if !folder.is_dir() {
        let folder = folder.display().to_string();
        return Err(Failure::new(Exit::Usage, FileError::NoParent { path, folder }));
    }
    Ok(())
}

/// The places that take the events of a run as lines.
#[derive(Debug)]
pub(super) struct Lines {
    stdout: bool,
    files: Vec<(PathBuf, Mutex<File>)>,
}

impl Lines {
    /// Writes a line to each place.
    pub(super) fn write(&self, line: &str) -> Result<(), Failure> {
        for (path, file) in &self.files {
            let line = secret::without_own(line);
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            file.write_all(line.as_bytes())
                .map_err(|source| FileError::Write { path: path.display().to_string(), source })?;
        }
        if self.stdout { print(line) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(values: &[&str]) -> Result<Outputs, String> {
        let asked: Result<Vec<Output>, String> = values.iter().map(|value| Output::parse(value)).collect();
        Outputs::new(&asked?).map_err(|failure| failure.error.to_string())
    }

    #[test]
    fn a_format_has_a_file_of_its_own_or_standard_output() {
        let asked = outputs(&["junit=out.xml", "github", "markdown=summary.md"]).expect("three places");
        assert_eq!(asked.stdout.0.name, "github");
        assert_eq!(asked.files.len(), 2);
        assert_eq!(outputs(&["junit=out.xml"]).expect("a place").stdout.0.name, "text");
        assert_eq!(outputs(&["tap=-"]).expect("a place").stdout.0.name, "tap");
        assert_eq!(outputs(&[]).expect("a place").stdout.0.name, "text");
    }

    #[test]
    fn what_is_wrong_with_a_format_is_named() {
        for (values, part) in [
            (&["junti"][..], "did you mean junit?"),
            (&["xml=a"], "the formats are text, json, junit"),
            (&["junit="], "the file is missing after the `=`"),
            (&["github", "tap=-"], "standard output takes one of them"),
            (&["json=a", "junit=a"], "another --format has that file"),
            (&["json=no-such-folder/a"], "the folder no-such-folder does not exist"),
            (&["json=."], "this is a folder"),
        ] {
            let error = outputs(values).expect_err("refused");
            assert!(error.contains(part), "{values:?}: {error}");
        }
    }
}
