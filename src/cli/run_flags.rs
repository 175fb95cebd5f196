//! Every option of `covenant run`, and how the replay command of a breach repeats it.

use std::collections::BTreeSet;

use clap::{CommandFactory, FromArgMatches, Parser};
use tokio::sync::watch;

use super::*;
use crate::runner::replay_command;

/// A short scenario, and a property.
const SCENARIO: &str = "03-truthful-capabilities/declared-kinds-are-served";
const PROPERTY: &str = "property/grants";
/// A target other than the embedded reference. It is never started here.
const ADAPTER: [&str; 2] = ["--adapter", "true"];

/// How a replay command repeats an option.
enum Repeated {
    /// The arguments of a run, and the text that its replay command of the scenario has for them.
    As(&'static [&'static str], &'static str),
    /// As above, for a property.
    OfProperty(&'static [&'static str], &'static str),
    /// As above, where the target is an external one.
    OfExternal(&'static [&'static str], &'static str),
    /// Not at all, for this reason.
    Not(&'static str),
    /// By the word `TARGET`: whoever replays names the target, since a transcript may come from anyone.
    ByTarget,
}

use Repeated::{As, ByTarget, Not, OfExternal, OfProperty};

const NARROWER: &str = "the command names the one scenario";
const AFTER: &str = "it changes what is made of the verdicts, and nothing that is played";
const WHEN: &str = "it ends a run early, or plays a part of it; the command plays one scenario to its end";
const MACHINE: &str = "it is of the machine and its network; whoever replays has another";

const FLAGS: &[(&str, Repeated)] = &[
    ("only", As(&["--only", "03-*/**"], "--only 03-truthful-capabilities/declared-kinds-are-served")),
    ("commitment", Not(NARROWER)),
    ("clause", Not(NARROWER)),
    ("property", OfProperty(&["--property", "grants"], "--property grants")),
    ("behaviour", Not(NARROWER)),
    ("cases", OfProperty(&["--cases", "3"], "--cases 3")),
    ("seed", As(&["--seed", "9"], "--seed 9")),
    ("jobs", Not("a scenario has its own target and peers, however many run beside it")),
    ("poll_timeout", As(&["--poll-timeout", "3"], "--poll-timeout 3")),
    ("format", Not(AFTER)),
    ("out", Not(AFTER)),
    ("scenarios", As(&["--scenarios", "scenarios"], "--scenarios scenarios")),
    ("attest", As(&["--attest", "4.4=by phone"], "--attest '4.4=by phone'")),
    ("strict", Not(AFTER)),
    ("min_proved", Not(AFTER)),
    ("known", Not(AFTER)),
    ("deadline", Not(WHEN)),
    ("retries", Not("it plays again what breaks; the command plays the scenario once")),
    ("partition", Not(WHEN)),
    ("basis", Not(AFTER)),
    ("fail_fast", Not(WHEN)),
    ("quiet", Not(AFTER)),
    ("defect", As(&["--defect", "rejects-declared-kind"], "--defect rejects-declared-kind")),
    ("variant", As(&["--variant", "ipv6"], "--variant ipv6")),
    ("adapter", ByTarget),
    ("adapter_env", ByTarget),
    ("operator", ByTarget),
    ("credentials", ByTarget),
    ("adapter_timeout", ByTarget),
    ("target", ByTarget),
    ("ca", ByTarget),
    ("system_roots", ByTarget),
    ("identity", ByTarget),
    ("records", ByTarget),
    ("plain_http", ByTarget),
    ("contract", As(&["--contract", "2026-06"], "--contract 2026-06")),
    ("request_timeout", As(&["--request-timeout", "5"], "--request-timeout 5")),
    ("release", As(&["--release", "2.0.0"], "--release 2.0.0")),
    ("way_back_open", OfExternal(&["--way-back-open"], "--way-back-open")),
    ("max_wait", OfExternal(&["--max-wait", "420"], "--max-wait 420")),
    ("advertise", Not(MACHINE)),
    ("listen", Not(MACHINE)),
    ("peer_certificate", Not(MACHINE)),
    ("peer_key", Not(MACHINE)),
    ("config", Not("each of its options is repeated as the option of the same name")),
];

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    run: Arguments,
}

/// Returns the replay command of a scenario of the run that these arguments ask for.
fn replay_of(given: &[&str], scenario: &str) -> String {
    let words = ["run"].iter().chain(given).copied();
    let matches = Line::command().try_get_matches_from(words).expect("valid arguments");
    let arguments = Line::from_arg_matches(&matches).expect("valid arguments").run;
    let seed = arguments.seed.unwrap_or(Seed(1));
    let plan = plan(&arguments, &Config::default(), &arguments.target, seed, Path::new("out"));
    let (_running, stop) = watch::channel(false);
    let plan = plan.unwrap_or_else(|failure| panic!("{given:?}: {}", failure.error));
    let mut run = plan.prepare("transcript.jsonl".into(), stop).expect("a run");
    // The text that a user names is recorded when it is found.
    if let Some(held) = plan.contract {
        run.start.contract = held;
    }
    replay_command(&run.start, scenario)
}

#[test]
fn every_option_of_a_run_is_in_the_table() {
    let options: BTreeSet<String> = Line::command()
        .get_arguments()
        .map(|argument| argument.get_id().to_string())
        .filter(|id| id != "help")
        .collect();
    let rows: BTreeSet<String> = FLAGS.iter().map(|(id, _)| (*id).to_owned()).collect();
    assert_eq!(rows, options);
    assert_eq!(rows.len(), FLAGS.len(), "an option has two rows");
}

#[test]
fn a_replay_command_repeats_each_option_that_changes_what_is_played() {
    for (id, repeated) in FLAGS {
        let (command, expected) = match repeated {
            As(given, expected) => (replay_of(given, SCENARIO), *expected),
            OfProperty(given, expected) => (replay_of(given, PROPERTY), *expected),
            OfExternal(given, expected) => (replay_of(&[&ADAPTER, *given].concat(), SCENARIO), *expected),
            Not(why) => {
                assert!(!why.is_empty(), "{id}");
                continue;
            }
            ByTarget => (replay_of(&ADAPTER, SCENARIO), "TARGET"),
        };
        let words = format!("{command} ");
        assert!(words.contains(&format!(" {expected} ")), "{id}: {expected} in {command}");
    }
}

#[test]
fn a_replay_command_is_one_that_the_program_takes() {
    let given: Vec<&str> = FLAGS
        .iter()
        .filter(|(id, _)| !["only", "property", "scenarios"].contains(id))
        .filter_map(|(_, repeated)| match repeated {
            As(given, _) | OfProperty(given, _) => Some(*given),
            _ => None,
        })
        .flatten()
        .copied()
        .collect();
    let command = replay_of(&given, SCENARIO);
    let words = shlex::split(&command).expect("a command line");
    assert_eq!(words[..2], ["covenant", "run"]);
    let again: Vec<&str> = words[2..].iter().map(String::as_str).collect();
    assert_eq!(replay_of(&again, SCENARIO), command);
}
