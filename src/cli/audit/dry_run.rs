//! `covenant audit --dry-run`: what an audit would do.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;

use super::{Arguments, TOKEN};
use crate::audit::{Asked, DryRun, DryRunOf, PlannedCall, PlannedWait};
use crate::cli::target_choice::TargetArguments;
use crate::cli::{Exit, Failure, print};

/// Prints what the audit of the same command line would do. Sends nothing.
pub(super) fn main(arguments: &Arguments, asked: &TargetArguments, has_token: bool) -> Result<Exit, Failure> {
    let of = match (arguments.watch, has_token) {
        (Some(lasts), _) => {
            DryRunOf::Watch { lasts, every: arguments.every, has_grant: arguments.grant_file.is_some() }
        }
        (None, true) => DryRunOf::Peer { intrusive: arguments.intrusive },
        (None, false) => DryRunOf::AnonymousClient,
    };
    let dry = DryRun::of(&Asked {
        detects_caller: of != DryRunOf::AnonymousClient
            && asked.identity.is_none()
            && arguments.url.scheme() == "http",
        of: of.clone(),
        rate: arguments.rate(),
        poll_timeout: arguments.poll_timeout(),
    })
    .map_err(|error| Failure::new(Exit::Suite, error))?;
    let token = token(arguments, has_token);
    print(&match arguments.format.unwrap_or_default().name() {
        "text" => text(arguments, &of, &dry, token.as_deref()),
        "json" => {
            let mut value = json!(dry);
            value["target"] = json!(arguments.url);
            value["audit"] = json!(name(&of));
            value["token_from"] = json!(token);
            value["seconds_at_least"] = json!(dry.shortest().map(|time| time.as_secs_f64()));
            format!("{value:#}\n")
        }
        other => {
            return Err(Failure::usage(format!("--format {other}: a dry run is shown as text or json")));
        }
    })?;
    Ok(Exit::Kept)
}

/// Returns where the acceptance token comes from.
fn token(arguments: &Arguments, has_token: bool) -> Option<String> {
    let file = arguments.token_file.as_deref().map(|file| file.display().to_string());
    has_token.then(|| file.unwrap_or_else(|| format!("the environment variable {TOKEN}")))
}

const fn name(of: &DryRunOf) -> &'static str {
    match of {
        DryRunOf::AnonymousClient => "as an anonymous client",
        DryRunOf::Peer { intrusive: false } => "as a peer",
        DryRunOf::Peer { intrusive: true } => "as a peer, with misbehaviour",
        DryRunOf::Watch { .. } => "a watch, as a peer",
    }
}

fn text(arguments: &Arguments, of: &DryRunOf, dry: &DryRun, token: Option<&str>) -> String {
    let mut out = format!("dry run: nothing was sent\ntarget: {}\naudit: {}\n", arguments.url, name(of));
    let _ = match (dry.spends_token, token) {
        (false, _) => writeln!(out, "token: none; with --token-file the audit is that of a peer"),
        (true, Some(from)) => writeln!(out, "token: from {from}; the first accept spends it"),
        (true, None) => writeln!(out, "token: none is given; a watch that was accepted needs no more"),
    };
    out.push_str("methods of the target's operator: none is called\n");
    match (dry.calls_per_minute_at_most, dry.shortest(), of) {
        (Some(rate), _, DryRunOf::Watch { .. }) => {
            let _ = writeln!(out, "rate: {rate} calls a minute at most");
        }
        (Some(rate), Some(shortest), _) => {
            let (calls, seconds) = (dry.calls.len(), shortest.as_secs_f64());
            let _ = writeln!(
                out,
                "rate: {rate} calls a minute at most; {calls} calls take {seconds:.1} s at least, without waits"
            );
        }
        _ => {
            let _ = writeln!(out, "rate: {} calls, one after the other", dry.calls.len());
        }
    }
    out.push_str("\ncalls, in order\n");
    for (place, call) in dry.calls.iter().enumerate() {
        call_in_words(&mut out, place + 1, call);
    }
    let TargetArguments { listen, advertise, .. } = &arguments.target;
    let listen = listen.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let own = advertise.as_ref().map_or_else(|| format!("a free port of {listen}"), ToString::to_string);
    for wait in &dry.waits {
        let PlannedWait { method, path, seconds_at_most } = wait;
        let _ =
            writeln!(out, "\nwaits: {seconds_at_most} s at most for {method} {path} of the target, at {own}");
    }
    out.push_str("\nleft at the target\n");
    for left in &dry.leaves_behind {
        let _ = writeln!(out, "- {left}");
    }
    out
}

fn call_in_words(out: &mut String, place: usize, call: &PlannedCall) {
    let PlannedCall { method, path, caller, times, about, misbehaves, shows, .. } = call;
    let _ = writeln!(out, "{place:>2}. {method} {path}");
    let misbehaves = if *misbehaves { "; MISBEHAVES" } else { "" };
    let _ = writeln!(out, "    {}; {times}{misbehaves}", caller.in_words());
    let shows = if shows.is_empty() { String::new() } else { format!(" (shows {})", shows.join(", ")) };
    let _ = writeln!(out, "    {about}{shows}");
}
