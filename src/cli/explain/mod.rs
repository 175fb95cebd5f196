//! `covenant explain`.

mod clause;

pub(super) use clause::methods_of;

use std::collections::BTreeSet;
use std::fmt::Write;

use clap::Args;

use super::exit_code::exit_with_code;
use super::{Exit, Failure, print};
use crate::certify::{PROFILES, Profile, RULES as PROFILE_RULES};
use crate::check::{check_with_id, checks};
use crate::contract::{Aspect, HeldText, REGISTERS, TextSource};
use crate::docs::parts;
use crate::gate::{self, CLAUSE, RULES, Weight};
use crate::nearest::most_like;
use crate::operator::{Form, Member, Method};
use crate::peer::behaviours::BEHAVIOURS;
use crate::peer::{self, Named};
use crate::property::PROPERTIES;
use crate::reference::{DEFECTS, PatchKind, VARIANTS, release_change, release_changes};
use crate::runner::{planned, planned_with_texts};
use crate::scenario::Loaded;
use clause::{clause, duties};

/// Arguments of `covenant explain`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Id of a clause (7.3), check, scenario, behaviour or family of behaviours, defect, variant, property or operator
    /// method, of a rule of the gate, a release change or a profile of certification, or an exit code
    id: String,
}

pub(super) fn main(arguments: &Arguments) -> Result<Exit, Failure> {
    let parts = parts().map_err(|error| Failure::new(Exit::Suite, error))?;
    let id = arguments.id.trim();
    let found: Vec<String> = SOURCES.iter().filter_map(|source| source(id, &parts)).collect();
    if found.is_empty() {
        return Err(unknown(id, &parts));
    }
    print(&found.join("\n"))?;
    Ok(Exit::Kept)
}

type Source = fn(&str, &[Loaded]) -> Option<String>;

/// The lookup functions, in the order of the printed answers. One id may match several.
const SOURCES: &[Source] =
    &[clause, check, scenario, family, behaviour, patch, rule, change, property, method, profile, exit_code];

fn check(id: &str, parts: &[Loaded]) -> Option<String> {
    let check = check_with_id(id)?;
    let mut text = format!("check {}\n  passes if:  {}\n", check.id, check.about());
    for expected in check.expected {
        let _ = writeln!(text, "  expects:    {expected}");
    }
    if let Some(control) = check.control {
        let _ = writeln!(text, "  control:    {control}");
    }
    for parameter in check.parameters() {
        let optional = if parameter.required { "" } else { " (optional)" };
        let _ = writeln!(text, "  argument:   {}{optional}: {}", parameter.name, parameter.about);
    }
    let has_check = |loaded: &&Loaded| planned(&loaded.id, loaded).iter().any(|planned| planned.check == id);
    let users: Vec<&Loaded> = parts.iter().filter(has_check).collect();
    let of = users.iter().flat_map(|loaded| planned(&loaded.id, loaded));
    let of = of.filter(|planned| planned.check == id).map(|planned| (planned.clause, planned.aspect));
    duties(&mut text, of, &users, |planned| planned.check == id);
    Some(text)
}

fn scenario(id: &str, parts: &[Loaded]) -> Option<String> {
    let loaded = parts.iter().find(|loaded| loaded.id == id)?;
    let mut text = format!("scenario {}\n  title:      {}\n", loaded.id, loaded.scenario.title);
    for (check, texts) in planned_with_texts(&loaded.id, loaded) {
        let (clause, aspect) = (check.clause, check.aspect);
        let line = format!("  check:      {clause} {aspect}  {} ({}) {texts}", check.check, check.basis);
        let _ = writeln!(text, "{}", line.trim_end());
        let _ = writeln!(text, "              {}", check.requirement);
    }
    let _ = writeln!(text, "  operator methods: {}", listed(methods_of(loaded)));
    let _ = writeln!(text, "  run it:     covenant run --only {}", loaded.id);
    let of = planned(&loaded.id, loaded).into_iter().map(|check| (check.clause, check.aspect));
    // Its checks and methods are listed above.
    duties(&mut text, of, &[], |_| false);
    Some(text)
}

fn behaviour(id: &str, parts: &[Loaded]) -> Option<String> {
    let behaviour = BEHAVIOURS.iter().find(|behaviour| behaviour.name == id)?;
    let mut text = format!("behaviour {}\n  does:       {}\n", behaviour.name, behaviour.about);
    let _ = writeln!(text, "  breaks:     {}", listed(behaviour.clauses.iter().copied()));
    let has =
        |loaded: &&Loaded| loaded.scenario.peers.iter().any(|peer| peer.behaviours.iter().any(|b| b == id));
    let players: Vec<&Loaded> = parts.iter().filter(has).collect();
    for loaded in &players {
        let _ = writeln!(text, "  played in:  {}", loaded.id);
    }
    let of = behaviour.clauses.iter().filter_map(|clause| clause.parse().ok());
    duties(&mut text, of.map(|clause| (clause, Aspect::Detection)), &players, |_| true);
    Some(text)
}

fn family(id: &str, _: &[Loaded]) -> Option<String> {
    let family = peer::family(id)?;
    let mut text = format!("family {id} of behaviours\n  does:       {}\n", family.about);
    let _ = writeln!(text, "  breaks:     commitment {}", family.commitment);
    for behaviour in family.behaviours() {
        let together = if family.together.contains(&behaviour.name) { "together" } else { "alone" };
        let clauses = listed(behaviour.clauses.iter().copied());
        let _ = writeln!(text, "  behaviour:  {} ({clauses}; {together})", behaviour.name);
    }
    let _ = writeln!(text, "  run it:     covenant run --behaviour {id}");
    let _ = writeln!(text, "  simulate:   covenant peer --behaviour {id}");
    Some(text)
}

fn patch(id: &str, parts: &[Loaded]) -> Option<String> {
    let patch = DEFECTS.iter().chain(VARIANTS).find(|patch| patch.name == id)?;
    let PatchKind::Defect { breaks } = patch.kind else {
        let run = format!("covenant run --variant {id}");
        let conforms = "it breaks no clause, so no check may be broken";
        return Some(format!(
            "variant {id}\n  does:       {}\n  conforms:   {conforms}\n  run it:     {run}\n",
            patch.summary
        ));
    };
    let mut text = format!("defect {id}\n  does:       {}\n", patch.summary);
    let broken = breaks.iter().map(|(clause, aspect)| format!("{clause} {aspect}"));
    let _ = writeln!(text, "  breaks:     {}", listed(broken));
    if let Some(variant) = patch.on {
        let _ = writeln!(text, "  on top of:  the variant {}", variant.name);
    }
    let _ = writeln!(text, "  run it:     covenant run --defect {id}");
    let of = breaks.iter().filter_map(|(clause, aspect)| Some((clause.parse().ok()?, *aspect)));
    duties(&mut text, of, &parts.iter().collect::<Vec<_>>(), |_| true);
    Some(text)
}

fn rule(id: &str, _: &[Loaded]) -> Option<String> {
    let rule = gate::rule(id)?;
    let mut text =
        format!("rule {id} of the release gate\n  differs:    {}\n  why:        {}\n", rule.about, rule.why);
    let _ = match rule.weight {
        Weight::Breaking => {
            writeln!(text, "  breaks:     {CLAUSE}; --except {id} leaves it out")
        }
        Weight::Optional => writeln!(text, "  breaks:     nothing; with --also {id}, {CLAUSE}"),
        Weight::Addition => writeln!(text, "  breaks:     nothing"),
    };
    let seeded = release_changes().filter(|change| change.breaks == Some(id));
    let _ = writeln!(text, "  shown by:   {}", listed(seeded.map(|change| change.patch.name)));
    let _ = writeln!(text, "  documented: docs/gate-rules.md");
    Some(text)
}

fn change(id: &str, _: &[Loaded]) -> Option<String> {
    let change = release_change(id)?;
    let mut text = format!("release change {id}\n  does:       {}\n", change.patch.summary);
    let breaks =
        change.breaks.map_or("nothing: it is an addition".to_owned(), |rule| format!("the rule {rule}"));
    let _ = writeln!(text, "  breaks:     {breaks}");
    let _ = writeln!(text, "  shown in:   {}", change.scenario);
    let _ = writeln!(text, "  run it:     covenant gate --baseline DIR --defect {id}");
    Some(text)
}

fn property(id: &str, parts: &[Loaded]) -> Option<String> {
    let property = PROPERTIES.iter().find(|property| property.name == id)?;
    let mut text = format!("property {id}\n  holds:      {}\n", property.about);
    let _ = writeln!(text, "  commitment: {}", property.commitment);
    let _ = writeln!(text, "  run it:     covenant run --property {id} --cases 100");
    let cases: Vec<&Loaded> = parts.iter().filter(|loaded| loaded.id == property.trace()).collect();
    let of = cases.iter().flat_map(|loaded| planned(&loaded.id, loaded));
    duties(&mut text, of.map(|planned| (planned.clause, planned.aspect)), &cases, |_| true);
    Some(text)
}

fn method(id: &str, parts: &[Loaded]) -> Option<String> {
    let row = Method::parse(id)?.definition();
    let mut text = format!("operator method {}\n", row.name);
    let need = if row.required { "required" } else { "optional" };
    let paragraphs: Vec<String> = row.about().split("\n\n").map(|part| part.replace('\n', " ")).collect();
    let _ = writeln!(text, "  does:       {}", paragraphs.join("\n              "));
    let _ = writeln!(text, "  protocol:   {need}, since version {}, {}", row.since, row.basis);
    members(&mut text, "parameter:", &row.parameters());
    members(&mut text, "result:", &row.result());
    let prompt = row.prompt.unwrap_or("none: only a program can do it in time");
    let _ = writeln!(text, "  prompt:     {prompt}");
    let _ = writeln!(text, "  example:    {} gives {}", row.example.parameters(), row.example.result());
    let mut needed = BTreeSet::new();
    for loaded in parts.iter().filter(|loaded| methods_of(loaded).any(|name| name == row.name)) {
        let _ = writeln!(text, "  called in:  {}", loaded.id);
        needed.extend(planned(&loaded.id, loaded).into_iter().map(|check| (check.clause, check.aspect)));
    }
    let needed = needed.into_iter().map(|(clause, aspect)| format!("{clause} {aspect}"));
    let _ = writeln!(text, "  needed for: {}", listed(needed));
    let _ = writeln!(text, "  documented: docs/adapter-protocol.md");
    Some(text)
}

/// Adds a line for each member of the parameters or the result of a method.
fn members(text: &mut String, title: &str, form: &Form) {
    if form.members.is_empty() {
        let _ = writeln!(text, "  {title:<11} none");
    }
    for Member { name, kind, required, about, .. } in &form.members {
        let optional = if *required { "" } else { ", optional" };
        let _ = writeln!(text, "  {title:<11} {name} ({kind}{optional}): {}", about.replace('\n', " "));
    }
    if form.may_be_bare {
        let _ = writeln!(text, "  {title:<11} or the list alone");
    }
}

fn profile(id: &str, _parts: &[Loaded]) -> Option<String> {
    let profile = Profile::named(id)?;
    let Profile { about, kept, attested, not_exercised, .. } = profile;
    let mut text = format!("profile {id}\n  covers:     {about}\n  must be kept:           {kept}\n");
    let _ = writeln!(text, "  may be attested:        {attested}\n  named as not exercised: {not_exercised}");
    for rule in PROFILE_RULES {
        let _ = writeln!(text, "  rule:       {rule}");
    }
    for register in REGISTERS {
        let asked = profile.aspects(&HeldText::known(register, TextSource::User)).ok()?;
        let _ = writeln!(text, "  text {}: {} aspects: {}", register.id, asked.len(), asked.join(", "));
    }
    let _ = writeln!(text, "  certify:    covenant certify --profile {id} --key FILE");
    Some(text)
}

fn exit_code(id: &str, _parts: &[Loaded]) -> Option<String> {
    let row = exit_with_code(id.parse().ok()?)?;
    let (code, meaning, next) = (row.exit as u8, row.meaning, row.next);
    Some(format!("exit code {code}\n  meaning:    {meaning}\n  what to do: {next}\n"))
}

fn listed<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.as_ref().to_owned()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn unknown(id: &str, parts: &[Loaded]) -> Failure {
    let clauses = REGISTERS.iter().flat_map(|register| register.aspects());
    let clauses = clauses.map(|(clause, _)| clause.to_string());
    let checks = checks().map(|check| check.id.to_owned());
    let scenarios = parts.iter().map(|loaded| loaded.id.clone());
    let behaviours = Named::names().map(ToOwned::to_owned);
    let patches = DEFECTS.iter().chain(VARIANTS).map(|patch| patch.name.to_owned());
    let properties = PROPERTIES.iter().map(|property| property.name.to_owned());
    let methods = Method::all().map(|method| method.to_string());
    let all = clauses.chain(checks).chain(scenarios).chain(behaviours).chain(patches);
    let rules = RULES.iter().map(|rule| rule.id.to_owned());
    let changes = release_changes().map(|change| change.patch.name.to_owned());
    let profiles = PROFILES.iter().map(|profile| profile.name.to_owned());
    let all = all.chain(properties).chain(methods).chain(rules).chain(changes).chain(profiles);
    let all: Vec<String> = all.collect();
    let nearest = most_like(id, all.iter().map(String::as_str)).first().copied();
    let hint = nearest.map_or_else(String::new, |name| format!("; did you mean {name}?"));
    Failure::usage(format!("nothing is called {id}{hint} (`covenant list` shows the ids)"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stage;

    /// Without the handshake nothing is evaluated, so an adapter cannot lack a method that it calls.
    #[test]
    fn the_handshake_calls_required_methods_alone() {
        let parts = parts().expect("the built-in scenarios");
        let handshake =
            parts.iter().find(|loaded| loaded.scenario.stage == Some(Stage::Handshake)).expect("it exists");
        let called: BTreeSet<&str> = methods_of(handshake).collect();
        assert!(called.contains("peer.propose"), "{called:?}");
        for name in called {
            assert!(Method::parse(name).expect("a method").definition().required, "{name}");
        }
    }
}
