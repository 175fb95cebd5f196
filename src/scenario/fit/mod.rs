//! Fits a scenario to the kinds that a platform names: its own kinds and records take the place of the suite's.
//!
//! Scenarios and properties are written with the suite's kinds (`skill`, `agent`, …) and records (`{id, name, …}`).
//! Each kind of the suite stands for one kind of the platform. Each record is filled up with the members that
//! the platform requires, and members that the platform does not store are not sent.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use toml::Spanned;

use super::format::{Scenario, Step};
use super::records::{Members, is_kind_of_suite};
use crate::operator::{Kinds, MemberRole, ResourceKind};
use crate::peer::Profile;
use crate::transcript::{Note, NoteKind};

/// The suite's kinds. A platform with fewer kinds gets the first ones that a scenario has.
pub(super) const KINDS: [&str; 8] =
    ["skill", "agent", "memory", "note", "plan", "tool_chain", "data_set", "x"];
/// The kinds that only properties use, each by itself. Without a kind of the platform, their steps are left out.
const SPARE_KINDS: [&str; 5] = ["note", "plan", "tool_chain", "data_set", "x"];
/// The kind that the suite never declares, and whose records nobody may see. A kind that is left stands for it.
const HIDDEN_KIND: &str = "vault";
/// The kinds that no platform may have.
const ABSENT_KINDS: [&str; 3] = [HIDDEN_KIND, "user", "node"];

/// A scenario, fitted to a platform.
#[derive(Debug)]
pub(super) struct Fitted {
    /// The scenario, with the kinds and records of the platform.
    pub(super) scenario: Scenario,
    /// The steps that are left out, by number.
    pub(super) unfit: BTreeMap<u32, Unfit>,
    /// The capabilities that a peer declares by default.
    pub(super) capabilities: Value,
    /// The note that records which kind stands for which.
    pub(super) note: Note,
}

/// A step for which the platform's kinds do not suffice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    /// The lack, for a person.
    pub(super) lacks: String,
    /// The step is about a kind that a scenario has to spare, so nothing is missing without it.
    pub(super) is_spare: bool,
}

/// Fits a scenario to the kinds of a platform. An error says what the kinds lack that the scenario needs.
pub(super) fn fit(scenario: &Scenario, kinds: &Kinds) -> Result<Fitted, String> {
    let steps = scenario.steps.iter().map(|step| json!(step.get_ref())).collect::<Vec<_>>();
    let fitting = Fitting::of(&steps, scenario, kinds);
    let mut fitted = Scenario { steps: Vec::new(), ..scenario.clone() };
    let mut unfit = BTreeMap::new();
    for ((number, step), written) in (1..).zip(&scenario.steps).zip(&steps) {
        let mut given = written.clone();
        let replaced = fitting.value(&mut given).and_then(|()| read(given));
        let (span, step) = (step.span(), step.get_ref());
        let step = match replaced {
            Ok(replaced) => replaced,
            Err(lacks) => {
                let is_spare = is_about_spare_kinds(written);
                // Nothing but its own label refers to a migration.
                let may_be_left_out = matches!(step, Step::Migrate(_)) && step.label().is_some();
                if !is_spare && !may_be_left_out {
                    return Err(lacks);
                }
                unfit.insert(number, Unfit { lacks, is_spare });
                step.clone()
            }
        };
        fitted.steps.push(Spanned::new(span, step));
    }
    for peer in &mut fitted.peers {
        let mut profile = Value::Object(std::mem::take(&mut peer.profile));
        fitting.value(&mut profile)?;
        if let Value::Object(members) = profile {
            peer.profile = members;
        }
    }
    Ok(Fitted { scenario: fitted, unfit, capabilities: fitting.capabilities(), note: fitting.note() })
}

/// Fits the parameters of a method to the kinds of a platform. What the kinds lack stays as it is.
pub(crate) fn fit_parameters(parameters: &mut Value, kinds: &Kinds) {
    let fitting = Fitting::of(std::slice::from_ref(parameters), &Scenario::default(), kinds);
    let mut fitted = parameters.clone();
    if fitting.value(&mut fitted).is_ok() {
        *parameters = fitted;
    }
}

fn read(step: Value) -> Result<Step, String> {
    Step::deserialize(step).map_err(|error| error.to_string())
}

/// Returns whether a step is about spare kinds alone.
fn is_about_spare_kinds(step: &Value) -> bool {
    let mut members = Members::default();
    members.read(step);
    !members.kinds.is_empty() && members.kinds.iter().all(|kind| SPARE_KINDS.contains(&kind.as_str()))
}

/// The kinds of a platform that stand for those of a scenario.
struct Fitting<'a> {
    by_suite: BTreeMap<&'static str, &'a ResourceKind>,
    kinds: &'a Kinds,
    /// The slugs that more than one record of the scenario has.
    shared_slugs: Vec<String>,
}

impl<'a> Fitting<'a> {
    fn of(steps: &[Value], scenario: &Scenario, kinds: &'a Kinds) -> Self {
        let mut members = Members::default();
        for step in steps {
            members.read(step);
        }
        scenario.peers.iter().for_each(|peer| members.read(&Value::Object(peer.profile.clone())));
        let is_used = |kind: &&'static str| members.kinds.contains(*kind);
        // A peer declares the first two kinds by default, if a kind is left for them.
        let declared = KINDS.into_iter().take(2).filter(|kind| !is_used(kind));
        let wanted = KINDS.into_iter().filter(is_used).chain(declared);
        // The first kind of the suite is used most, so it gets the kind that can do most.
        let mut rows: Vec<&ResourceKind> = kinds.iter().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(abilities(row)));
        let shared_slugs = members.slugs.into_iter().filter(|(_, times)| *times > 1).map(|(slug, _)| slug);
        let mut by_suite: BTreeMap<&'static str, &ResourceKind> = wanted.zip(rows.iter().copied()).collect();
        let is_free = |row: &&&ResourceKind| by_suite.values().all(|other| other.kind != row.kind);
        if let Some(hidden) = rows.iter().filter(is_free).find(|row| holds_texts_alone(row)).copied() {
            by_suite.insert(HIDDEN_KIND, hidden);
        }
        Self { by_suite, kinds, shared_slugs: shared_slugs.collect() }
    }

    /// Replaces the kinds and records in a value, wherever they are.
    fn value(&self, value: &mut Value) -> Result<(), String> {
        match value {
            Value::Array(items) => items.iter_mut().try_for_each(|item| self.value(item)),
            Value::Object(members) => self.object(members),
            _ => Ok(()),
        }
    }

    fn object(&self, members: &mut Map<String, Value>) -> Result<(), String> {
        let kind = super::records::kind_of(members).map(ToOwned::to_owned);
        let of = kind.as_deref().map(|kind| self.row(kind)).transpose()?.flatten();
        let id = ["resource_id", "id"].iter().find_map(|name| members.get(*name)?.as_str());
        let id = id.map(ToOwned::to_owned);
        for (name, member) in members.iter_mut() {
            match (of, name.as_str(), &mut *member) {
                (Some(of), "payload" | "record", Value::Object(record)) => {
                    *record = self.record(of, record, id.as_deref())?;
                }
                (Some(of), "records", Value::Array(records)) => {
                    for record in records {
                        let id = record["id"].as_str().map(ToOwned::to_owned);
                        if let Some(Value::Object(payload)) = record.get_mut("payload") {
                            *payload = self.record(of, payload, id.as_deref())?;
                        }
                    }
                }
                (Some(of), "filter", Value::Object(filter)) => *filter = filter_of(of, filter)?,
                (_, "dependencies", Value::Array(kinds)) => {
                    kinds.iter_mut().try_for_each(|kind| self.kind(kind))?;
                }
                (_, "kind" | "resource_kind" | "root_resource_kind", kind) => self.kind(kind)?,
                (_, "path", Value::String(path)) => *path = self.path(path)?,
                (_, _, other) => self.value(other)?,
            }
        }
        Ok(())
    }

    /// Returns the kind of the platform that stands for one; `None` if the kind is not one of the suite.
    fn row(&self, kind: &str) -> Result<Option<&'a ResourceKind>, String> {
        match self.by_suite.get(kind) {
            Some(row) => Ok(Some(row)),
            None if is_kind_of_suite(kind) => {
                let count = self.kinds.iter().count();
                Err(format!("it has {count} of the kinds that are needed: name one more, for `{kind}`"))
            }
            None => Ok(None),
        }
    }

    /// Replaces the name of a kind. One that no platform may have is changed if this one has it.
    fn kind(&self, name: &mut Value) -> Result<(), String> {
        let Some(text) = name.as_str() else { return Ok(()) };
        if let Some(row) = self.row(text)? {
            *name = json!(row.kind);
        } else if ABSENT_KINDS.contains(&text) && self.kinds.has(text) {
            *name = json!(format!("no_{text}"));
        }
        Ok(())
    }

    /// Replaces the kind in the path of a resource.
    fn path(&self, path: &str) -> Result<String, String> {
        const BEFORE: &str = "/resources/";
        let Some((before, after)) = path.split_once(BEFORE) else { return Ok(path.to_owned()) };
        let (kind, rest) = after.split_once('/').unwrap_or((after, ""));
        let mut kind = json!(kind);
        self.kind(&mut kind)?;
        Ok(format!("{before}{BEFORE}{}/{rest}", kind.as_str().unwrap_or_default()))
    }

    /// Returns the record of the platform that stands for one of the suite.
    fn record(
        &self,
        of: &ResourceKind,
        record: &Map<String, Value>,
        id: Option<&str>,
    ) -> Result<Map<String, Value>, String> {
        let texts = of.texts();
        let references = references_of(of, record);
        let mut fitted: Map<String, Value> = Map::new();
        let required = of.members.iter().filter(|(_, member)| member.required);
        for (name, value) in required.filter_map(|(name, _)| Some((name, of.sample.get(name)?))) {
            fitted.insert(name.clone(), value.clone());
        }
        // What has to differ from record to record has the id in it.
        let own = id.or_else(|| record.get("id")?.as_str()).unwrap_or("${id:record}");
        for name in texts.iter().copied().chain(of.slug()).filter(|name| of.members[*name].required) {
            let sample = of.sample.get(name).and_then(Value::as_str).unwrap_or("covenant");
            fitted.insert(name.to_owned(), json!(format!("{sample}-{own}")));
        }
        for (name, value) in record {
            let member = match name.as_str() {
                "id" | "account_id" | "created_at" | "updated_at" => Some(name.as_str()),
                "pin" => texts.first().copied(),
                "slug" => self.slug(of, value)?,
                "depends_on" => {
                    has_reference(of)?;
                    None
                }
                text if TEXTS.contains(&text) => text_member(of, text),
                reference if reference.ends_with("_id") => {
                    has_reference(of)?;
                    references.get(reference).copied()
                }
                other => of.with_role(MemberRole::Object).find(|object| *object == other),
            };
            if let Some(member) = member {
                fitted.insert(member.to_owned(), value.clone());
            }
        }
        Ok(fitted)
    }

    /// Returns the member for a slug. A kind without one can't show what happens to a slug that two records have.
    fn slug<'k>(&self, of: &'k ResourceKind, slug: &Value) -> Result<Option<&'k str>, String> {
        let is_shared =
            slug.as_str().is_some_and(|slug| self.shared_slugs.iter().any(|shared| shared == slug));
        match of.slug() {
            None if is_shared => Err(lacks(of, "`slug`")),
            member => Ok(member),
        }
    }

    /// Returns the capabilities that a peer declares by default, as far as there are kinds for them.
    fn capabilities(&self) -> Value {
        let mut capabilities = Profile::default().capabilities;
        if let Some(rows) = capabilities["resource_kinds"].as_array_mut() {
            rows.retain_mut(|row| self.value(row).is_ok());
        }
        capabilities
    }

    fn note(&self) -> Note {
        let stands_for: Vec<String> =
            self.by_suite.iter().map(|(suite, row)| format!("{} for {suite}", row.kind)).collect();
        let kinds: Map<String, Value> =
            self.by_suite.iter().map(|(suite, row)| ((*suite).to_owned(), json!(row.kind))).collect();
        let slugs = self.kinds.iter().filter_map(|row| Some((row.kind.clone(), json!(row.slug()?))));
        let slugs: Map<String, Value> = slugs.collect();
        Note {
            kind: NoteKind::Kinds,
            message: format!("the kinds of the target: {}", stands_for.join(", ")),
            facts: json!({ "kinds": kinds, "slugs": slugs }),
        }
    }
}

/// The members of the suite with text, in the order in which they get a text member of the platform.
const TEXTS: [&str; 4] = ["name", "team", "tier", "motto"];

fn text_member<'k>(of: &'k ResourceKind, name: &str) -> Option<&'k str> {
    let place = TEXTS.iter().position(|text| *text == name)?;
    of.texts().get(place).copied()
}

fn filter_of(of: &ResourceKind, filter: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let member = |(name, value): (&String, &Value)| match text_member(of, name) {
        Some(member) => Ok((member.to_owned(), value.clone())),
        None => Err(lacks(of, "`text` beside its name, to filter by")),
    };
    filter.iter().map(member).collect()
}

/// Returns the member for each reference of a record, the parent first. References beyond those of the kind have none.
fn references_of<'k>(of: &'k ResourceKind, record: &'k Map<String, Value>) -> BTreeMap<&'k str, &'k str> {
    let mut given: Vec<&str> =
        record.keys().map(String::as_str).filter(|name| name.ends_with("_id")).collect();
    given.retain(|name| *name != "account_id");
    given.sort_by_key(|name| *name != "parent_id");
    given.into_iter().zip(of.references()).collect()
}

/// Returns an error if no member of a kind can refer to another record of it.
fn has_reference(of: &ResourceKind) -> Result<(), String> {
    let mut references = of.references();
    references.next().map(drop).ok_or_else(|| lacks(of, "`reference`, to a record of its own kind"))
}

fn lacks(of: &ResourceKind, what: &str) -> String {
    format!("the kind `{}` has no member with the role {what}", of.kind)
}

/// Returns what the records of a kind can show: a slug, a reference, and texts to filter by.
fn abilities(row: &ResourceKind) -> usize {
    usize::from(row.slug().is_some())
        + usize::from(row.references().next().is_some())
        + row.texts().len().min(TEXTS.len())
}

/// Returns whether all that a record of the kind must have differs from record to record, so that it shows where
/// it leaks.
fn holds_texts_alone(row: &ResourceKind) -> bool {
    row.members.values().all(|member| !member.required || member.role == MemberRole::Text)
}

#[cfg(test)]
mod tests;
