//! `covenant audit` without a token: the audit of an anonymous client.

use super::Arguments;
use crate::audit::Outside;
use crate::cli::run::read_back;
use crate::cli::target_choice::TargetArguments;
use crate::cli::{Exit, Failure, doctor, message, print};
use crate::clock::Seed;
use crate::doctor::examine_plane;
use crate::runner::{RunFolder, assess, without_secrets, write_private};

/// Makes a few calls that the target refuses, and keeps a report. Creates nothing, and proves no clause.
pub(super) fn main(arguments: &Arguments, asked: &TargetArguments) -> Result<Exit, Failure> {
    let url = &arguments.url;
    // An anonymous client chooses nothing: the seed makes the name of the folder a new one.
    let folder = RunFolder::choose(arguments.out.as_deref(), Seed::fresh());
    folder.refuse_earlier(arguments.force)?;
    asked.callable()?;
    let ca_bundle_pem = asked.authorities()?;
    let format = arguments.format.unwrap_or_default();
    let _lock = folder.begin()?;
    let mut outside =
        Outside::begin(&folder.transcript(), url).map_err(|error| Failure::new(Exit::Environment, error))?;
    let mut subject = doctor::subject(asked);
    subject.recorder = Some(outside.recorder());
    let is_text = format.name() == "text";
    let exit = doctor::diagnose_with(
        |point| {
            outside.record(point);
            let line = doctor::line(point);
            // Standard output is for the report.
            if is_text {
                return print(&line);
            }
            message(&line);
            Ok(())
        },
        async |points| examine_plane(points, &subject, url, ca_bundle_pem.as_deref()).await,
    )?;
    outside.end();
    let report = without_secrets(assess(&read_back(&folder)?));
    folder.write(&report)?;
    write_private(&folder.path().join("left-behind.txt"), format!("created at {url}: nothing\n").as_bytes())?;
    let summary = format!(
        "\nRead-only: nothing was created at {url}, and no clause can be proved from outside.\n\
         For more, ask its operator for an acceptance token (`peer.propose`), and name it with --token-file.\n"
    );
    if is_text {
        print(&summary)?;
    } else {
        message(&summary);
        format.print(&report)?;
    }
    message(&format!("files: {}\n", folder.path().display()));
    Ok(exit)
}
