//! `covenant audit --clean`: lets the peers of an interrupted audit or run leave their target.

use std::fmt::Write;
use std::path::Path;

use super::{Arguments, confirm};
use crate::audit::{
    CleanError, Cleaned, Cleaning, EndedPeer, LeftBehind, RunPeer, end_peers, left_behind, left_behind_text,
    left_by_run, was_cleaned,
};
use crate::cli::target_choice::TargetArguments;
use crate::cli::{Exit, Failure, block_on_unless_stopped, message, print, unused};
use crate::clock::Seed;
use crate::operator::OperatorError;
use crate::report::terminal;
use crate::runner::{PEERING, RunFolder, Target, WATCH, write_private};
use crate::shell;
use crate::transcript::{ReadError, Reading, read};
use crate::{Blame, with_causes};

/// Cleans up what an interrupted audit or run left. The exit code is 0 if nothing is left that a call could end, and 4
/// if something is.
pub(super) fn main(arguments: &Arguments, asked: &TargetArguments, path: &Path) -> Result<Exit, Failure> {
    let shown = path.display();
    if !path.is_dir() {
        return Err(Failure::usage(format!(
            "--clean {shown}: no folder; name the folder of an audit or a run"
        )));
    }
    let folder = RunFolder::choose(Some(path), Seed(0));
    let reading = read(&folder.transcript());
    let keeps_peering = [PEERING, WATCH].iter().any(|name| path.join(name).symlink_metadata().is_ok());
    if reading.is_err() && !keeps_peering {
        let why = reading.err().map(|error: ReadError| with_causes(&error)).unwrap_or_default();
        return Err(Failure::usage(format!(
            "--clean {shown}: this is not the folder of an audit or a run: it keeps no peering, and {why}"
        )));
    }
    let _lock = folder.lock()?;
    let reading = reading.ok();
    if let Some(reading) = &reading {
        message(&format!("target, as recorded: {}\n", terminal(&shell::word(&reading.start.target))));
    }
    match reading {
        Some(reading) if !keeps_peering && !reading.start.settings.contains_key("audit") => {
            clean_run(arguments, asked, path, &reading)
        }
        reading => clean_audit(arguments, asked, path, reading.as_ref()),
    }
}

fn clean_audit(
    arguments: &Arguments,
    asked: &TargetArguments,
    path: &Path,
    reading: Option<&Reading>,
) -> Result<Exit, Failure> {
    unused::refuse_in_audit(&arguments.target)?;
    let (address, run_context) = arguments.setting(asked)?;
    let cleaning = Cleaning { folder: path.to_owned(), address, run_context, force: arguments.force };
    let cleaned = block_on_unless_stopped(cleaning.run())?.map_err(|error| match error {
        CleanError::Lost { .. } | CleanError::OtherTarget(_) => Failure::new(Exit::Usage, error),
        CleanError::Kept { .. } | CleanError::Transcript(_) | CleanError::Peer(_) => {
            Failure::new(Exit::Environment, error)
        }
    })?;
    let mut left = reading.map(left_behind).unwrap_or_default();
    for peer in &mut left {
        peer.notified_of_leave |= was_cleaned(path, &peer.peer_id);
    }
    let (text, exit) = in_words(&cleaned, &mut left);
    let left = left_behind_text(&arguments.url, &left);
    write_private(&path.join("left-behind.txt"), left.as_bytes())?;
    print(&format!("{text}{left}"))?;
    Ok(exit)
}

/// Says what was cleaned up and what was not, with what the target's operator has to do.
fn in_words(cleaned: &Cleaned, left: &mut Vec<LeftBehind>) -> (String, Exit) {
    let find = |left: &mut Vec<LeftBehind>, peer_id: &str, notified_of_leave: bool| {
        // A kill may have come before the transcript had the answer, which the keys show.
        left.retain(|peer| peer.is_certain);
        match left.iter_mut().find(|peer| peer.peer_id == peer_id) {
            Some(peer) => peer.notified_of_leave |= notified_of_leave,
            None => left.push(LeftBehind {
                peer_id: peer_id.to_owned(),
                is_certain: true,
                notified_of_leave,
                entry: 0,
            }),
        }
    };
    match cleaned {
        Cleaned::Left { peer_id } => {
            find(left, peer_id, true);
            (
                format!("cleaned up: peer {} has left, and its keys are removed\n", terminal(peer_id)),
                Exit::Kept,
            )
        }
        Cleaned::NotNotified { peer_id, why, keys } => {
            find(left, peer_id, false);
            let text = format!(
                "not cleaned up: the target was not notified that peer {} leaves: {}\nthe keys stay in {}; try again once the \
                 target answers, or remove the file when its operator has revoked the peer\n",
                terminal(peer_id),
                terminal(why),
                keys.display()
            );
            (text, Exit::Target)
        }
        Cleaned::NoCertificate { peer_url } => {
            let url = terminal(peer_url);
            let text = format!(
                "not cleaned up: the audit was killed while the target accepted its peer, so there is no certificate to leave with\n\
                 the operator of the target has to look for a peer at {url} and revoke it (peer.revoke)\n"
            );
            (text, Exit::Target)
        }
        Cleaned::NothingKept if left.iter().all(|peer| peer.notified_of_leave) => {
            ("nothing to clean up: no peer of this audit is left that has not left\n".to_owned(), Exit::Kept)
        }
        Cleaned::NothingKept => {
            let text = "not cleaned up: the folder keeps no keys of these peers, so only the target's operator can end them\n";
            (text.to_owned(), Exit::Target)
        }
    }
}

/// Revokes the peers of a run through the operator client of the command line. Their ids are those that the transcript
/// has, which anyone may have written: they are shown before anything is done.
fn clean_run(
    arguments: &Arguments,
    asked: &TargetArguments,
    path: &Path,
    reading: &Reading,
) -> Result<Exit, Failure> {
    if reading.start.reference.is_some() {
        print("nothing to clean up: the run was of the embedded reference platform, which ended with it\n")?;
        return Ok(Exit::Kept);
    }
    let peers = left_by_run(reading);
    if peers.is_empty() {
        print("nothing to clean up: the transcript shows no peer that the run made and did not revoke\n")?;
        return Ok(Exit::Kept);
    }
    message(&format!("peers that the run may have left, as recorded:\n{}", listed(&peers)));
    if asked.adapter.is_none() && asked.operator.is_none() {
        return Err(Failure::usage(format!(
            "--clean {}: the operator of the target revokes the peers of a run; name an operator client with --adapter or \
             --operator",
            path.display()
        )));
    }
    let Target::ExternalTarget(target) = asked.target(None)? else {
        return Err(Failure::usage("--clean: name an operator client with --adapter or --operator"));
    };
    confirm(&arguments.url, "--clean revokes these peers at the target")?;
    let mut text = String::new();
    let mut failed = 0;
    let ended = block_on_unless_stopped(async {
        let ended = end_peers(&*target.targets, &peers, |peer, ended| {
            failed += usize::from(matches!(ended, EndedPeer::Failed(_)));
            let _ = writeln!(text, "- peer {}: {}", terminal(&peer.peer_id), became(ended));
        })
        .await;
        target.targets.close().await;
        ended
    })?;
    print(&text)?;
    ended.map_err(|error| match error {
        OperatorError::Fault(fault) => Failure::from(fault),
        other => Failure::new(Exit::from(Blame::Adapter), other),
    })?;
    Ok(if failed == 0 { Exit::Kept } else { Exit::Target })
}

fn listed(peers: &[RunPeer]) -> String {
    let line = |peer: &RunPeer| {
        format!("- peer {} (entry {} of {})\n", terminal(&peer.peer_id), peer.entry, terminal(&peer.scenario))
    };
    peers.iter().map(line).collect()
}

fn became(ended: &EndedPeer) -> String {
    match ended {
        EndedPeer::Revoked => "revoked".to_owned(),
        EndedPeer::WasRevoked => "was revoked before".to_owned(),
        EndedPeer::Unknown(why) => format!("the target does not show it ({})", terminal(why)),
        EndedPeer::Failed(why) => format!("NOT revoked: {}; revoke it by hand", terminal(why)),
    }
}
