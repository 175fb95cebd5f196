//! The file of a recording: what one release sent and accepted.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::scenarios::SCENARIOS;
use super::template::Template;
use crate::contract::HeldText;
use crate::input::{self, InputError};
use crate::wire::canonical::sha256_hex;

/// The version of the format. Since 2 the class of a placeholder is the form of what it stands for, and a
/// `Retry-After` is a number.
pub const FORMAT: u32 = 2;

/// The name of the file in the folder of a release.
pub const FILE: &str = "recording.json";

/// The longest recording that is read, in bytes. The parser limits the depth to 128.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// Messages that one release sent and accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// The version of the format: [`FORMAT`].
    pub format: u32,
    /// The version of the suite that recorded it.
    pub suite: String,
    /// SHA-256 of the scenarios that were played: the requests of the peers.
    pub scenarios_sha256: String,
    /// The recorded release.
    pub release: Version,
    /// The contract text that it keeps.
    pub contract: HeldText,
    /// The name of the target, for a person.
    pub target: String,
    /// The moment at which it was recorded.
    pub recorded_at: Timestamp,
    /// The scenarios, each with its exchanges.
    pub scenarios: Vec<Recorded>,
    /// Parts that are compared with nothing, each with the reason: scenarios that did not complete, and answers that differed
    /// between the two plays.
    pub left_out: Vec<LeftOut>,
    /// SHA-256 of the members before, so that a file that was edited or cut is noticed.
    pub sha256: String,
}

/// The exchanges of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The id of the scenario.
    pub id: String,
    /// Its exchanges, in order.
    pub exchanges: Vec<Template>,
}

/// A scenario that is not part of a recording or of a comparison.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// The id of the scenario.
    pub id: String,
    /// The reason, for a person.
    pub why: String,
}

/// A recording that cannot be used.
#[derive(Debug, Error)]
pub enum RecordingError {
    /// There is no recording.
    #[error(
        "{path}: no recording of the release before, so nothing is compared; check that release out, start it, and run \
         `covenant gate record --release VERSION --out {path}` with the options of its target"
    )]
    Missing {
        /// The folder.
        path: String,
    },
    /// A file that cannot be read.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A file that is no recording.
    #[error("{path}: not a recording of the gate; `covenant gate record --out {folder}` makes one")]
    Json {
        /// The path of the file.
        path: String,
        /// Its folder.
        folder: String,
        /// The error of the parser, with line and column.
        source: serde_json::Error,
    },
    /// A recording that was changed after it was made.
    #[error(
        "{path}: it is not as it was recorded: {what}; take back what was edited, or record the release again: `covenant \
         gate record --release {release} --out {folder}` with the options of its target"
    )]
    Changed {
        /// The path of the file.
        path: String,
        /// Its folder.
        folder: String,
        /// The recorded release.
        release: String,
        /// The part that is missing, or that should not be there.
        what: &'static str,
    },
    /// A recording of another suite.
    #[error(
        "{path}: {what}, so its requests are not those of this suite; record the release again: `covenant gate record \
         --release {release} --out {folder}` with the options of its target"
    )]
    Old {
        /// The path of the file.
        path: String,
        /// Its folder.
        folder: String,
        /// The recorded release.
        release: String,
        /// The difference to this suite.
        what: String,
    },
}

/// The members of each format that say which it is.
#[derive(Deserialize)]
struct Head {
    format: u32,
    #[serde(default)]
    suite: String,
    #[serde(default)]
    scenarios_sha256: String,
    #[serde(default = "unknown_release")]
    release: String,
}

fn unknown_release() -> String {
    "VERSION".to_owned()
}

impl Recording {
    /// Returns the path of the file that a user names by its folder or by itself.
    #[must_use]
    pub fn path(named: &Path) -> PathBuf {
        if named.extension().is_some_and(|extension| extension == "json") {
            named.to_owned()
        } else {
            named.join(FILE)
        }
    }

    /// Reads a recording whose requests are those of the scenarios with this digest.
    pub fn read(named: &Path, scenarios_sha256: &str) -> Result<Self, RecordingError> {
        let path = Self::path(named);
        // The command that records takes the folder or the file, as the user names it.
        let folder = named.display().to_string();
        let text = match input::read(&path, FILE_BYTES_MAX) {
            Err(error) if error.is_missing() => return Err(RecordingError::Missing { path: folder }),
            other => other?,
        };
        let path = path.display().to_string();
        let no_recording =
            |source| RecordingError::Json { path: path.clone(), folder: folder.clone(), source };
        let head: Head = serde_json::from_slice(&text).map_err(no_recording)?;
        if let Some(what) = head.differs(scenarios_sha256) {
            return Err(RecordingError::Old { path, folder, release: head.release, what });
        }
        let recording: Self = serde_json::from_slice(&text).map_err(no_recording)?;
        let release = recording.release.to_string();
        match recording.changed() {
            Some(what) => Err(RecordingError::Changed { path, folder, release, what }),
            None => Ok(recording),
        }
    }

    /// Returns the recording with its digest.
    #[must_use]
    pub(super) fn sealed(mut self) -> Self {
        self.sha256 = self.digest();
        self
    }

    fn digest(&self) -> String {
        let unsealed = Self { sha256: String::new(), ..self.clone() };
        sha256_hex(serde_json::to_string(&unsealed).unwrap_or_default())
    }

    /// Returns what shows that the recording is not as it was made; `None` if nothing does.
    fn changed(&self) -> Option<&'static str> {
        if self.digest() != self.sha256 {
            return Some("its digest is another");
        }
        let left_out = self.left_out.iter().map(|left_out| left_out.id.as_str());
        let present: BTreeSet<&str> =
            self.scenarios.iter().map(|scenario| scenario.id.as_str()).chain(left_out).collect();
        (present != SCENARIOS.iter().copied().collect()).then_some("it has not each scenario of the gate")
    }

    /// Returns the file's content.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

impl Head {
    fn differs(&self, scenarios_sha256: &str) -> Option<String> {
        if self.format != FORMAT {
            return Some(format!(
                "a recording of format {}, and this suite reads format {FORMAT}",
                self.format
            ));
        }
        let own = env!("CARGO_PKG_VERSION");
        if self.suite != own {
            return Some(format!("recorded by covenant {}, and this is covenant {own}", self.suite));
        }
        (self.scenarios_sha256 != scenarios_sha256)
            .then(|| "recorded with other scenarios than those of this build".to_owned())
    }
}
