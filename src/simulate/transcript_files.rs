//! The files of the transcript of a simulation, which it has if the user names a folder.

use std::path::PathBuf;

use serde_json::json;

use super::{Federates, Simulate, SimulateError};
use crate::clock::Clock;
use crate::contract::{HeldText, TextSource};
use crate::private;
use crate::runner::{RunFolder, announce};
use crate::transcript::Transcript;

/// The files of a transcript.
#[derive(Debug)]
pub(super) struct TranscriptFiles {
    transcript: PathBuf,
    /// The folders that were created for it, the innermost first.
    created: Vec<PathBuf>,
}

impl TranscriptFiles {
    /// Removes what a simulation that never began has written: a new start may use the folder.
    pub(super) fn discard(&self) {
        let _ = std::fs::remove_file(&self.transcript);
        for folder in &self.created {
            // A folder with files of someone else stays.
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Opens the transcript: in the folder that the user names, or in memory.
pub(super) fn open(
    settings: &Simulate,
    clock: &Clock,
) -> Result<(Transcript, Option<TranscriptFiles>), SimulateError> {
    let Some(folder) = &settings.record else { return Ok((Transcript::in_memory(), None)) };
    let path = RunFolder::choose(Some(folder), settings.seed).transcript();
    if path.symlink_metadata().is_ok() {
        return Err(SimulateError::Recorded(folder.display().to_string()));
    }
    let files = TranscriptFiles { transcript: path.clone(), created: private::missing_folders(folder) };
    if let Err(source) = private::create_folder(folder) {
        // Those above it may have been created.
        files.discard();
        return Err(SimulateError::Folder { path: folder.display().to_string(), source });
    }
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
    match Transcript::create(&path, start, clock) {
        Ok(transcript) => Ok((transcript, Some(files))),
        Err(error) => {
            files.discard();
            Err(error.into())
        }
    }
}
