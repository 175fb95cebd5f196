//! Reads a scenario file and reports every error that can be found before the run.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::{Value, json};
use thiserror::Error;
use toml::Spanned;
use toml::de::DeTable;

use super::check_spec::CheckSpec;
use super::format::{AnyCall, Operator, Scenario, Step};
use super::position::{FormatFault, of_toml};
use super::references::fault_of_references;
use crate::check::{ArgumentError, CheckDef, ParameterKind, check_with_id, checks};
use crate::contract::Register;
use crate::operator::grant::Issue;
use crate::operator::{Method, MethodDef, OperatorMethod};
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
    /// The scenario is made of another one, and plays it a second time.
    pub second_time: bool,
    /// The number of the play: 0 for the first, and for each further play because a check was broken one more.
    pub retry: u32,
}

/// An invalid scenario file.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{rendered}")]
pub struct LoadError {
    rendered: String,
}

/// Reads a scenario and reports its first fault. `path` appears in messages.
pub fn load(id: &str, path: &str, source: &str) -> Result<Loaded, LoadError> {
    let loaded = parse(id, path, source)?;
    match faults(&loaded.scenario, source).first() {
        Some(fault) => Err(rendered(fault, path, source)),
        None => Ok(loaded),
    }
}

/// Reads a scenario that is known to have no fault, as each built-in one: a test loads them all.
pub(super) fn parse(id: &str, path: &str, source: &str) -> Result<Loaded, LoadError> {
    let scenario = toml::from_str(source).map_err(|error| rendered(&of_toml(&error), path, source))?;
    let (id, source) = (id.to_owned(), source.to_owned());
    Ok(Loaded { id, source, scenario, second_time: false, retry: 0 })
}

fn rendered(fault: &FormatFault, path: &str, source: &str) -> LoadError {
    LoadError { rendered: fault.render(path, source) }
}

/// Returns the faults of a well-formed scenario.
fn faults(scenario: &Scenario, source: &str) -> Vec<FormatFault> {
    let whole = 0..0;
    let mut faults = Vec::new();
    let mut peers = BTreeSet::new();
    for peer in &scenario.peers {
        if !peers.insert(peer.name.as_str()) {
            faults.push(FormatFault::new(format!("two peers are called `{}`", peer.name), whole.clone()));
        }
        for name in peer.behaviours.iter().filter(|name| behaviour(name).is_none()) {
            let message = format!("unknown behaviour `{name}` of peer `{}`", peer.name);
            faults.push(
                FormatFault::new(message, whole.clone()).nearest(name, BEHAVIOURS.iter().map(|b| b.name)),
            );
        }
    }
    let mut labels = BTreeSet::new();
    for step in &scenario.steps {
        for inner in step.get_ref().flatten() {
            faults.extend(fault_of_step(inner, &step.span(), &peers, &labels));
            labels.extend(inner.label());
        }
    }
    let names = Names { peers: &peers, labels: &labels };
    for (place, check) in scenario.checks.iter().enumerate() {
        faults.extend(faults_of_check(check, &names, &ArgumentPlaces { source, place }));
    }
    faults
}

fn fault_of_step(
    step: &Step,
    span: &Range<usize>,
    peers: &BTreeSet<&str>,
    labels: &BTreeSet<&str>,
) -> Option<FormatFault> {
    let mut named = step.peer().into_iter().chain(step.other_peers().iter().map(String::as_str));
    if let Some(peer) = named.find(|peer| !peers.contains(peer)) {
        let fault = FormatFault::new(format!("no peer is called `{peer}`"), span.clone());
        return Some(fault.nearest(peer, peers.iter().copied()));
    }
    if let Some(label) = uses(step).into_iter().flatten().find(|label| !labels.contains(label)) {
        let fault = FormatFault::new(format!("no step before this one is called `{label}`"), span.clone());
        return Some(fault.nearest(label, labels.iter().copied()));
    }
    if let Some(fault) = fault_of_references(step, span) {
        return Some(fault);
    }
    match step {
        Step::Operator(operator) => fault_of_operator(operator, span),
        Step::Grant(grant) => fault_of_scopes(&grant.scopes, span)
            .or_else(|| fault_of_names(Issue::METHOD.definition(), &grant.with, span)),
        Step::Hold(hold) => fault_of_scopes(&hold.scopes, span),
        Step::Call(call) => fault_of_certificates(call, span),
        _ => None,
    }
}

/// Returns a fault if a call names more than one certificate to present.
fn fault_of_certificates(call: &AnyCall, span: &Range<usize>) -> Option<FormatFault> {
    let named = [
        ("certificate", call.certificate.is_some()),
        ("issuer", call.issuer.is_some()),
        ("without_certificate", call.without_certificate),
    ];
    let named: Vec<&str> =
        named.into_iter().filter_map(|(name, is_named)| is_named.then_some(name)).collect();
    let [first, second, ..] = named[..] else { return None };
    Some(FormatFault::new(
        format!("`{first}` beside `{second}`: a call presents one of the two"),
        span.clone(),
    ))
}

/// Checks the method of an operator step and the type of its parameters. A `${…}` can become a value of any
/// type, so the value of the method's example replaces it; an optional one is left out.
fn fault_of_operator(step: &Operator, span: &Range<usize>) -> Option<FormatFault> {
    let Some(method) = Method::parse(&step.method).map(Method::definition) else {
        let fault = FormatFault::new(format!("unknown method `{}`", step.method), span.clone());
        return Some(fault.nearest(&step.method, Method::all().map(Method::name)));
    };
    if let Some(fault) = fault_of_names(method, &step.with, span) {
        return Some(fault);
    }
    let mut given = if step.with.is_null() { json!({}) } else { step.with.clone() };
    let example = method.example.parameters();
    let is_open = |value: &Value| value.to_string().contains("${");
    if let Some(members) = given.as_object_mut() {
        members.retain(|name, value| !is_open(value) || example.get(name).is_some());
        for (name, value) in members.iter_mut().filter(|(_, value)| is_open(value)) {
            *value = example[name].clone();
        }
    }
    let error = method.check_parameters(given).err()?;
    Some(FormatFault::new(format!("method `{}`: {error}", method.name), span.clone()))
}

/// Returns a fault if a parameter is unknown to the method.
fn fault_of_names(method: &MethodDef, with: &Value, span: &Range<usize>) -> Option<FormatFault> {
    let known = method.parameters().members;
    let mut names = with.as_object().into_iter().flatten().map(|(name, _)| name);
    let unknown = names.find(|name| known.iter().all(|member| member.name != **name))?;
    let fault =
        FormatFault::new(format!("method `{}` has no parameter `{unknown}`", method.name), span.clone());
    Some(fault.nearest(unknown, known.iter().map(|member| &*member.name)))
}

fn fault_of_scopes(scopes: &[String], span: &Range<usize>) -> Option<FormatFault> {
    let unknown = scopes.iter().find(|scope| Scope::parse(scope).is_none())?;
    let fault = FormatFault::new(format!("unknown scope `{unknown}`"), span.clone());
    Some(fault.nearest(unknown, Scope::ALL.iter().map(|scope| scope.as_str())))
}

/// Returns the labels of the earlier steps that a step uses.
fn uses(step: &Step) -> [Option<&str>; 2] {
    let label = match step {
        Step::Fetch(step) => step.grant.as_deref(),
        Step::InjectOnConnect(step) => step.read.as_ref().map(|read| read.grant.as_str()),
        Step::Migrate(step) => step.grant.as_deref(),
        Step::Commit(step) | Step::ShowMigration(step) => step.grant.as_deref(),
        Step::Call(step) => step.grant.as_deref(),
        Step::TryKinds(step) => Some(step.of.as_str()),
        Step::TryMigrations(step) => return [Some(&step.of), Some(&step.listed)],
        Step::Expect(step) => step.of.as_deref(),
        Step::Operator(step) => step.until.as_ref().map(|more| more.than.as_str()),
        _ => None,
    };
    [label, None]
}

/// The names that a check may refer to.
struct Names<'a> {
    peers: &'a BTreeSet<&'a str>,
    labels: &'a BTreeSet<&'a str>,
}

fn faults_of_check(
    check: &Spanned<CheckSpec>,
    names: &Names<'_>,
    places: &ArgumentPlaces<'_>,
) -> Vec<FormatFault> {
    let span = check.span();
    let check = check.get_ref();
    let mut faults = Vec::new();
    let mut texts = check.texts().texts().peekable();
    if texts.peek().is_none() {
        let message = format!("no contract text is {}: `since` is after `until`", check.texts());
        faults.push(FormatFault::new(message, span.clone()));
    }
    let has_aspect = |register: &Register| {
        register.clause(check.clause).is_some_and(|clause| clause.aspects().any(|f| f == check.aspect))
    };
    if !texts.all(has_aspect) {
        faults.push(FormatFault::new(
            format!("clause {} has no aspect `{}`", check.clause, check.aspect),
            span.clone(),
        ));
    }
    let Some(definition) = check_with_id(&check.check) else {
        let fault = FormatFault::new(format!("unknown check `{}`", check.check), span);
        faults.push(fault.nearest(&check.check, checks().map(|check| check.id)));
        return faults;
    };
    if let Err(error) = definition.check_arguments(&check.with) {
        let place = error.argument.as_deref().and_then(|name| places.of(name));
        faults.push(of_arguments(definition, &error, place.unwrap_or(span)));
        return faults;
    }
    for parameter in definition.parameters() {
        let Some(value) = check.with.get(&parameter.name) else { continue };
        let place = || places.of(&parameter.name).unwrap_or(span.clone());
        let referred = value.as_array().map_or_else(|| vec![value], |list| list.iter().collect());
        let referred = referred.into_iter().filter_map(|value| value.as_str());
        faults.extend(referred.filter_map(|name| fault_of_reference(parameter.kind, name, names, &place)));
    }
    faults
}

/// Returns the fault of an argument that its check does not take.
fn of_arguments(definition: &CheckDef, error: &ArgumentError, span: Range<usize>) -> FormatFault {
    let message = format!("check `{}`: {}", definition.id, error.message);
    let unknown = error.argument.as_deref().filter(|_| error.message.starts_with("unknown field"));
    let fault = FormatFault::new(message, span);
    match unknown {
        Some(name) => {
            let parameters = definition.parameters();
            fault.nearest(name, parameters.iter().map(|parameter| parameter.name.as_str()))
        }
        None => fault,
    }
}

/// Returns the fault of an argument that refers to nothing. A misspelt label would leave the check unproven
/// without a visible reason.
fn fault_of_reference(
    kind: ParameterKind,
    name: &str,
    names: &Names<'_>,
    place: &dyn Fn() -> Range<usize>,
) -> Option<FormatFault> {
    let (what, known): (&str, Vec<&str>) = match kind {
        ParameterKind::Value => return None,
        ParameterKind::Labels => ("no step is called", names.labels.iter().copied().collect()),
        ParameterKind::Peer => ("no peer is called", names.peers.iter().copied().collect()),
        ParameterKind::PeerOrJoin => {
            ("no peer and no step is called", names.peers.union(names.labels).copied().collect())
        }
    };
    if known.contains(&name) {
        return None;
    }
    Some(FormatFault::new(format!("{what} `{name}`"), place()).nearest(name, known))
}

/// The places of the arguments of one check in its file.
struct ArgumentPlaces<'a> {
    source: &'a str,
    /// The number of the check in the file, from 0.
    place: usize,
}

impl ArgumentPlaces<'_> {
    /// Returns the place of an argument: of its name and its value. Parses the whole file, so it is for faults alone.
    fn of(&self, name: &str) -> Option<Range<usize>> {
        let document = DeTable::parse(self.source).ok()?;
        let checks = document.get_ref().get("check")?.get_ref();
        let with = checks.get(self.place)?.get_ref().get("with")?.get_ref().as_table()?;
        let (key, value) = with.get_key_value(name)?;
        Some(key.span().start..value.span().end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::write;

    fn error(source: &str) -> String {
        load("x", "x.toml", source).expect_err("it is not sound").to_string()
    }

    const HEAD: &str = "title = \"t\"\n[[peer]]\nname = \"alice\"\n";

    #[test]
    fn a_sound_file_is_read() {
        let source = format!(
            "{HEAD}[[step]]\nheartbeat = {{ peer = \"alice\", as = \"hb\" }}\n[[check]]\nclause = \"7.1\"\n\
             aspect = \"conduct\"\ncheck = \"accepted\"\nrequirement = \"r\"\nwith = {{ call = \"hb\" }}\n"
        );
        let loaded = load("x", "x.toml", &source).expect("sound");
        assert_eq!(loaded.scenario.steps.len(), 1);
        let again = write(&loaded.scenario).expect("it can be written");
        assert_eq!(load("x", "x.toml", &again).expect("sound").scenario.peers, loaded.scenario.peers);
    }

    #[test]
    fn a_parameter_with_a_reference_can_have_any_type() {
        for step in [
            r#"{ method = "clock.advance", with = { seconds = "${alice.wait}" } }"#,
            r#"{ method = "capability.declare", with = { resource_kind = "skill", schema_version = 1,
                direction = "bidirectional", policy = "manual", dependencies = "${alice.kinds}" } }"#,
        ] {
            let source = format!("{HEAD}[[step]]\noperator = {step}\n");
            assert_eq!(load("x", "x.toml", &source).map(drop), Ok(()));
        }
    }

    #[test]
    fn a_wrong_argument_of_a_check_is_an_error_at_its_place() {
        let accepted = |with: &str| {
            let step = format!("{HEAD}[[step]]\nheartbeat = {{ peer = \"alice\", as = \"hb\" }}\n");
            format!(
                "{step}[[check]]\nclause = \"7.1\"\naspect = \"conduct\"\ncheck = \"accepted\"\n\
                 requirement = \"r\"\n{with}\n"
            )
        };
        for (source, place, hint) in [
            (accepted("with = { cal = \"hb\" }"), "x.toml:11:10", "did you mean `call`"),
            (accepted("with = { call = 1 }"), "x.toml:11:10", "check `accepted`"),
            (accepted("with = { call = \"bh\" }"), "x.toml:11:10", "did you mean `hb`"),
            (accepted("with = { call = [\"hb\", \"h\"] }"), "x.toml:11:10", "no step is called `h`"),
        ] {
            let text = error(&source);
            assert!(text.starts_with(place), "{text}");
            assert!(text.contains(hint), "{text}");
        }
    }

    #[test]
    fn a_call_presents_one_certificate() {
        let with = |more: &str| {
            format!("{HEAD}[[step]]\ncall = {{ peer = \"alice\", method = \"GET\", path = \"/\", {more} }}\n")
        };
        for more in [
            "certificate = \"ended\", issuer = \"alice\"",
            "certificate = \"ended\", without_certificate = true",
            "issuer = \"alice\", without_certificate = true",
        ] {
            let text = error(&with(more));
            assert!(
                text.starts_with("x.toml:5") && text.contains("a call presents one of the two"),
                "{text}"
            );
        }
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
                step("operator = { method = \"peer.revoke\", with = { per_id = \"x\" } }"),
                "x.toml:5",
                "did you mean `peer_id`?",
            ),
            (step("operator = { method = \"peer.revoke\" }"), "x.toml:5", "missing field `peer_id`"),
            (
                step("operator = { method = \"clock.advance\", with = { seconds = \"many\" } }"),
                "x.toml:5",
                "expected i64",
            ),
            (
                step(
                    "grant = { peer = \"alice\", kind = \"a\", scopes = [], as = \"g\", with = { ttl = 7 } }",
                ),
                "x.toml:5",
                "has no parameter `ttl`",
            ),
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
                "missing field `call`",
            ),
            (
                check(
                    "clause = \"7.1\"\naspect = \"conduct\"\ncheck = \"accepted\"\nrequirement = \"\"\nsince = \"2026-7\"",
                ),
                "x.toml:11:9",
                "`2026-06`",
            ),
            (
                check(
                    "clause = \"7.1\"\naspect = \"conduct\"\ncheck = \"accepted\"\nrequirement = \"\"\n\
                     since = \"2026-06\"\nuntil = \"2026-05\"",
                ),
                "x.toml:7",
                "`since` is after `until`",
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
