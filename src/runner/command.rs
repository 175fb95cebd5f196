//! The command that replays a check, as a report shows it.
//!
//! A transcript may come from anyone, and a person copies the command. From a transcript it takes the scenario, the
//! seed and the settings, each quoted for a shell. The target is named by the one who runs it.

use serde_json::Value;

use super::evaluate::attested;
use super::plan::POLL_TIMEOUT_SECONDS;
use crate::contract::TextSource;
use crate::property::of_trace;
use crate::reference::{DEFECTS, VARIANTS};
use crate::shell::flag;
use crate::transcript::RunStart;

/// The word for the arguments that name a target which is not the embedded reference. No program accepts it, so that
/// a command that is run as it is printed does not try another target.
const TARGET: &str = "TARGET";

/// The settings with a flag of their own that differ from the defaults.
const FLAGS: [(&str, &str); 4] = [
    ("--max-wait", "max_wait_seconds"),
    ("--release", "release"),
    ("--request-timeout", "request_timeout_seconds"),
    ("--scenarios", "scenarios"),
];

/// Returns the command that replays a scenario of a run.
pub(crate) fn replay(start: &RunStart, scenario: &str) -> String {
    let is_set = |name: &str| start.settings.get(name) == Some(&Value::Bool(true));
    let mut words = if is_set("audit") {
        // The replay needs a new token, because the old one is used up.
        vec!["covenant audit URL --token-file FILE".to_owned()]
    } else {
        vec!["covenant run".to_owned(), scenario_arguments(start, scenario)]
    };
    words.push(format!("--seed {}", start.seed));
    words.extend(target(start));
    words.extend(settings(start));
    words.extend(is_set("intrusive").then(|| "--intrusive".to_owned()));
    words.extend(is_set("way_back_open").then(|| "--way-back-open".to_owned()));
    words.join(" ")
}

/// Returns the arguments that select the scenario or the property.
fn scenario_arguments(start: &RunStart, scenario: &str) -> String {
    let scenario = scenario.trim_end_matches(" again");
    match of_trace(scenario) {
        Some(property) => {
            let cases = start.settings.get("cases").and_then(Value::as_u64);
            let cases = cases.map_or_else(String::new, |cases| format!(" --cases {cases}"));
            format!("{}{cases}", flag("--property", property))
        }
        None => flag("--only", scenario),
    }
}

/// Returns the arguments that name the embedded reference, or the place of those that name another target.
fn target(start: &RunStart) -> Vec<String> {
    match &start.reference {
        Some(names) => names
            .iter()
            .map(|name| {
                let is_variant = VARIANTS.iter().any(|variant| variant.name == name);
                let is_defect = DEFECTS.iter().any(|defect| defect.name == name);
                flag(if is_variant && !is_defect { "--variant" } else { "--defect" }, name)
            })
            .collect(),
        None if start.settings.contains_key("audit") => vec![],
        None => vec![TARGET.to_owned()],
    }
}

/// Returns the arguments of the settings that differ from the defaults.
fn settings(start: &RunStart) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let is_audit = start.settings.contains_key("audit");
    let poll_timeout = start.settings.get("poll_timeout_seconds").and_then(Value::as_u64);
    let poll_timeout = poll_timeout.filter(|seconds| !is_audit && *seconds != POLL_TIMEOUT_SECONDS);
    let named = (start.contract.contract_source == TextSource::User).then(|| start.contract.name()).flatten();
    let flags =
        FLAGS.iter().filter_map(|(name, setting)| Some(flag(name, text(start.settings.get(*setting)?))));
    let attested = attested(start).into_iter();
    poll_timeout
        .map(|seconds| flag("--poll-timeout", seconds))
        .into_iter()
        .chain(flags)
        .chain(named.map(|name| flag("--contract", name)))
        .chain(attested.map(|(clause, statement)| flag("--attest", format!("{clause}={statement}"))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Seed;
    use crate::contract::{HeldText, V1_2026_06};
    use crate::runner::announce;
    use serde_json::json;

    fn start(reference: Option<&[&str]>) -> RunStart {
        let words = vec!["--adapter".to_owned(), "touch PWNED".to_owned()];
        let held = HeldText::unknown(TextSource::Nothing);
        let reference = reference.map(|names| names.iter().map(ToString::to_string).collect());
        RunStart { reference, ..announce(Seed(1), "x".to_owned(), words, held) }
    }

    #[test]
    fn a_replay_repeats_the_settings_that_differ_from_the_defaults() {
        let mut start = start(Some(&[]));
        start.settings = [("poll_timeout_seconds".to_owned(), json!(POLL_TIMEOUT_SECONDS))].into();
        assert_eq!(replay(&start, "01-a/b again"), "covenant run --only 01-a/b --seed 1");
        let given = [
            ("poll_timeout_seconds", json!(3)),
            ("attested", json!({"4.4": "by phone"})),
            ("request_timeout_seconds", json!(5)),
            ("release", json!("2.0.0")),
            ("scenarios", json!("my scenarios")),
        ];
        start.settings = given.map(|(name, value)| (name.to_owned(), value)).into();
        start.contract = HeldText::known(&V1_2026_06, TextSource::User);
        assert_eq!(
            replay(&start, "01-a/b"),
            "covenant run --only 01-a/b --seed 1 --poll-timeout 3 --release 2.0.0 --request-timeout 5 \
             --scenarios 'my scenarios' --contract 2026-06 --attest '4.4=by phone'"
        );
    }

    #[test]
    fn a_command_names_no_target_of_a_transcript_but_the_embedded_reference() {
        assert_eq!(replay(&start(None), "01-a/b"), "covenant run --only 01-a/b --seed 1 TARGET");
        let mut audit = start(None);
        audit.settings = [("audit".to_owned(), json!(true)), ("intrusive".to_owned(), json!(true))].into();
        assert_eq!(
            replay(&audit, "audit/intrusive"),
            "covenant audit URL --token-file FILE --seed 1 --intrusive"
        );
        let patches = [DEFECTS[0].name, VARIANTS[0].name];
        let expected = format!(
            "covenant run --only 01-a/b --seed 1 --defect {} --variant {}",
            DEFECTS[0].name, VARIANTS[0].name
        );
        assert_eq!(replay(&start(Some(&patches)), "01-a/b"), expected);
    }

    #[test]
    fn nothing_of_a_transcript_is_run_by_a_shell() {
        let hostile = "x; touch PWNED; $(id) `id` 'q' \"q\"\n#";
        let mut start = start(Some(&[hostile]));
        start.settings = FLAGS.map(|(_, setting)| (setting.to_owned(), json!(hostile))).into();
        start.settings.insert("attested".to_owned(), json!({"4.4": hostile}));
        start.settings.insert("cases".to_owned(), json!(hostile));
        let words = shlex::split(&replay(&start, hostile)).expect("a command line");
        assert_eq!(words.iter().filter(|word| word.contains("PWNED")).count(), 7, "{words:?}");
        assert_eq!(words[..4], ["covenant", "run", "--only", hostile]);
    }
}
