//! Reads a scenario file and reports every error that can be found before the run.

use std::collections::BTreeSet;
use std::ops::Range;

use thiserror::Error;
use toml::Spanned;

use super::format::{CheckSpec, Scenario, Step};
use super::position::{Fault, of_toml};
use crate::contract::REGISTER_V1;
use crate::operator::Method;
use crate::peer::behaviours::{BEHAVIOURS, behaviour};
use crate::wire::grant::Scope;

/// The longest scenario file that is read, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// A scenario that was read and is valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The path below the scenarios folder, without its extension: `07-migration-hygiene/crash`.
    pub id: String,
    /// The whole text of the file.
    pub source: String,
    /// The parsed scenario.
    pub scenario: Scenario,
}

/// An invalid scenario file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{rendered}")]
pub struct LoadError {
    rendered: String,
}

/// The names that a scenario may use and that other modules define, which keeps this module independent of
/// them.
#[derive(Clone, Debug, Default)]
pub struct Signatures {
    /// Every check with its parameters: the name, and true if it is required.
    pub checks: Vec<(&'static str, Vec<(&'static str, bool)>)>,
}

/// Reads a scenario. `path` appears in messages.
pub fn load(id: &str, path: &str, source: &str, words: &Signatures) -> Result<Loaded, LoadError> {
    let render = |fault: &Fault| LoadError { rendered: fault.render(path, source) };
    let scenario: Scenario = toml::from_str(source).map_err(|error| render(&of_toml(&error)))?;
    match faults(&scenario, words).first() {
        Some(fault) => Err(render(fault)),
        None => Ok(Loaded { id: id.to_owned(), source: source.to_owned(), scenario }),
    }
}

/// Returns the faults of a well-formed scenario.
fn faults(scenario: &Scenario, words: &Signatures) -> Vec<Fault> {
    let whole = 0..0;
    let mut faults = Vec::new();
    let mut peers = BTreeSet::new();
    for peer in &scenario.peers {
        if !peers.insert(peer.name.as_str()) {
            faults.push(Fault::new(format!("two peers are called `{}`", peer.name), whole.clone()));
        }
        for name in peer.behaviours.iter().filter(|name| behaviour(name).is_none()) {
            let message = format!("unknown behaviour `{name}` of peer `{}`", peer.name);
            faults.push(Fault::new(message, whole.clone()).nearest(name, BEHAVIOURS.iter().map(|b| b.name)));
        }
    }
    let mut labels = BTreeSet::new();
    for step in &scenario.steps {
        for inner in step.get_ref().flatten() {
            faults.extend(fault_of_step(inner, &step.span(), &peers, &labels));
            labels.extend(inner.label());
        }
    }
    for check in &scenario.checks {
        faults.extend(faults_of_check(check, &labels, words));
    }
    faults
}

fn fault_of_step(
    step: &Step,
    span: &Range<usize>,
    peers: &BTreeSet<&str>,
    labels: &BTreeSet<&str>,
) -> Option<Fault> {
    let mut named = step.peer().into_iter().chain(step.other_peers().iter().map(String::as_str));
    if let Some(peer) = named.find(|peer| !peers.contains(peer)) {
        let fault = Fault::new(format!("no peer is called `{peer}`"), span.clone());
        return Some(fault.nearest(peer, peers.iter().copied()));
    }
    if let Some(label) = uses(step).filter(|label| !labels.contains(label)) {
        let fault = Fault::new(format!("no step before this one is called `{label}`"), span.clone());
        return Some(fault.nearest(label, labels.iter().copied()));
    }
    match step {
        Step::Operator(operator) if Method::parse(&operator.method).is_none() => {
            let fault = Fault::new(format!("unknown method `{}`", operator.method), span.clone());
            Some(fault.nearest(&operator.method, Method::ALL.iter().map(|method| method.as_str())))
        }
        Step::Grant(grant) => fault_of_scopes(&grant.scopes, span),
        Step::Hold(hold) => fault_of_scopes(&hold.scopes, span),
        _ => None,
    }
}

fn fault_of_scopes(scopes: &[String], span: &Range<usize>) -> Option<Fault> {
    let unknown = scopes.iter().find(|scope| Scope::parse(scope).is_none())?;
    let fault = Fault::new(format!("unknown scope `{unknown}`"), span.clone());
    Some(fault.nearest(unknown, Scope::ALL.iter().map(|scope| scope.as_str())))
}

/// Returns the label of the earlier step that a step uses.
fn uses(step: &Step) -> Option<&str> {
    match step {
        Step::Fetch(step) => step.grant.as_deref(),
        Step::Migrate(step) => step.grant.as_deref(),
        Step::Commit(step) | Step::ShowMigration(step) => step.grant.as_deref(),
        Step::Call(step) => step.grant.as_deref(),
        Step::TryKinds(step) => Some(&step.of),
        Step::Expect(step) => step.of.as_deref(),
        Step::Operator(step) => step.until.as_ref().map(|more| more.than.as_str()),
        _ => None,
    }
}

fn faults_of_check(check: &Spanned<CheckSpec>, labels: &BTreeSet<&str>, words: &Signatures) -> Vec<Fault> {
    let span = check.span();
    let check = check.get_ref();
    let mut faults = Vec::new();
    let known =
        REGISTER_V1.clause(check.clause).is_some_and(|clause| clause.aspects().any(|f| f == check.aspect));
    if !known {
        faults.push(Fault::new(
            format!("clause {} has no aspect `{}`", check.clause, check.aspect),
            span.clone(),
        ));
    }
    let Some(mut parameters) = parameters_of(&check.check, words) else {
        let fault = Fault::new(format!("unknown check `{}`", check.check), span);
        faults.push(fault.nearest(&check.check, words.checks.iter().map(|(name, _)| *name)));
        return faults;
    };
    // A check that runs another check also takes the parameters of that check.
    if let Some(other) = check.with.get("check").and_then(|name| parameters_of(name.as_str()?, words)) {
        parameters.extend(other);
    }
    for name in check.with.keys().filter(|name| parameters.iter().all(|(known, _)| known != name)) {
        let fault = Fault::new(format!("check `{}` has no parameter `{name}`", check.check), span.clone());
        faults.push(fault.nearest(name, parameters.iter().map(|(name, _)| *name)));
    }
    for (name, required) in parameters {
        if required && !check.with.contains_key(name) {
            faults.push(Fault::new(format!("check `{}` needs `{name}`", check.check), span.clone()));
        }
    }
    // An argument of a label parameter must be a label. A misspelt label would leave the check unproven
    // without a visible reason.
    for (name, value) in check.with.iter().filter(|(name, _)| LABEL_PARAMETERS.contains(&name.as_str())) {
        let values = value.as_array().map_or_else(|| vec![value], |list| list.iter().collect());
        for label in
            values.into_iter().filter_map(|value| value.as_str()).filter(|label| !labels.contains(label))
        {
            let fault =
                Fault::new(format!("`{name}` names `{label}`, and no step is called that"), span.clone());
            faults.push(fault.nearest(label, labels.iter().copied()));
        }
    }
    faults
}

/// Returns the parameters of a check: the name, and true if it is required.
fn parameters_of<'a>(check: &str, words: &'a Signatures) -> Option<Vec<(&'a str, bool)>> {
    let (_, parameters) = words.checks.iter().find(|(name, _)| *name == check)?;
    Some(parameters.iter().map(|(name, required)| (*name, *required)).collect())
}

/// The parameters of checks whose arguments are labels.
const LABEL_PARAMETERS: [&str; 17] = [
    "call",
    "control",
    "probe",
    "before",
    "after",
    "plan",
    "record",
    "shown",
    "about",
    "revoke",
    "start",
    "migration",
    "open",
    "late",
    "first",
    "default",
    "fifth",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Signatures {
        Signatures { checks: vec![("accepted", vec![("call", true)])] }
    }

    fn error(source: &str) -> String {
        load("x", "x.toml", source, &words()).expect_err("it is not sound").to_string()
    }

    const HEAD: &str = "title = \"t\"\n[[peer]]\nname = \"alice\"\n";

    #[test]
    fn a_sound_file_is_read() {
        let source = format!(
            "{HEAD}[[step]]\nheartbeat = {{ peer = \"alice\", as = \"hb\" }}\n[[check]]\nclause = \"7.1\"\n\
             aspect = \"conduct\"\ncheck = \"accepted\"\nrequirement = \"r\"\nwith = {{ call = \"hb\" }}\n"
        );
        let loaded = load("x", "x.toml", &source, &words()).expect("sound");
        assert_eq!(loaded.scenario.steps.len(), 1);
        let again = toml::to_string(&loaded.scenario).expect("it can be written");
        assert_eq!(
            load("x", "x.toml", &again, &words()).expect("sound").scenario.peers,
            loaded.scenario.peers
        );
    }

    #[test]
    fn every_mistake_names_its_place_and_the_nearest_word() {
        let step = |step: &str| format!("{HEAD}[[step]]\n{step}\n");
        let check = |check: &str| format!("{}[[check]]\n{check}\n", step("advance = { seconds = 1 }"));
        for (source, place, hint) in [
            (step("hartbeat = { peer = \"alice\" }"), "x.toml:5:1", "`heartbeat`"),
            (step("heartbeat = { per = \"alice\" }"), "x.toml:5:15", "`peer`"),
            (step("heartbeat = { peer = \"alise\" }"), "x.toml:5", "`alice`"),
            (step("operator = { method = \"peer.revok\" }"), "x.toml:5", "`peer.revoke`"),
            (
                step("fetch = { peer = \"alice\", kind = \"a\", id = \"b\", grant = \"g\" }"),
                "x.toml:5",
                "`g`",
            ),
            (
                check("clause = \"7.1\"\naspect = \"conduct\"\ncheck = \"acepted\"\nrequirement = \"\""),
                "x.toml:",
                "`accepted`",
            ),
            (
                check("clause = \"7.1\"\naspect = \"conduct\"\ncheck = \"accepted\"\nrequirement = \"\""),
                "x.toml:",
                "needs `call`",
            ),
            (
                check("clause = \"77.1\"\naspect = \"conduct\"\ncheck = \"accepted\"\nrequirement = \"\""),
                "x.toml:7:10",
                "no clause",
            ),
            ("title = ".to_owned(), "x.toml:1:", ""),
        ] {
            let text = error(&source);
            assert!(text.starts_with(place), "{text}");
            assert!(text.contains(hint), "{text}");
        }
    }
}
