//! The transcript of a simulation, which is recorded if the user names a folder.

use std::path::PathBuf;

use serde_json::json;

use super::{Federates, Simulate, SimulateError};
use crate::clock::Clock;
use crate::contract::{HeldText, TextSource};
use crate::runner::{RunFolder, announce};
use crate::transcript::Transcript;

/// The files of a recording.
#[derive(Debug)]
pub(super) struct Recording {
    transcript: PathBuf,
    /// The folder, if the recording created it.
    created: Option<PathBuf>,
}

impl Recording {
    /// Removes what a simulation that never began has written: a new start may use the folder.
    pub(super) fn discard(&self) {
        let _ = std::fs::remove_file(&self.transcript);
        if let Some(folder) = &self.created {
            // A folder with files of someone else stays.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Opens the transcript: in the folder that the user names, or in memory.
pub(super) fn open(
    settings: &Simulate,
    clock: &Clock,
) -> Result<(Transcript, Option<Recording>), SimulateError> {
    let Some(folder) = &settings.record else { return Ok((Transcript::in_memory(), None)) };
    let path = RunFolder::choose(Some(folder), settings.seed).transcript();
    if path.symlink_metadata().is_ok() {
        return Err(SimulateError::Recorded(folder.display().to_string()));
    }
    let created = (!folder.exists()).then(|| folder.clone());
    crate::private::create_folder(folder)
        .map_err(|source| SimulateError::Folder { path: folder.display().to_string(), source })?;
    let unasked = || HeldText::unknown(TextSource::Unasked);
    let target = settings.peers.iter().find_map(|peer| match &peer.federates {
        Federates::Joins { address, .. } => Some(address.base_url.to_string()),
        Federates::Accepts { .. } => None,
    });
    let target = target.unwrap_or_else(|| "whoever joins".to_owned());
    let contract = settings.contract.clone().unwrap_or_else(unasked);
    let mut start = announce(settings.seed, target, vec![], contract);
    start.settings = [("simulated".to_owned(), json!(true))].into();
    // No scenario is planned, so that nothing is ever evaluated.
    start.partial = true;
    let recording = Recording { transcript: path.clone(), created };
    match Transcript::create(&path, start, clock) {
        Ok(transcript) => Ok((transcript, Some(recording))),
        Err(error) => {
            recording.discard();
            Err(error.into())
        }
    }
}
