//! The part of the suite that a run selects.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use globset::{Glob, GlobMatcher};
use thiserror::Error;

use super::property_case;
use crate::contract::{ClauseId, Section};
use crate::nearest::{did_you_mean, most_like};
use crate::peer::Behaviour;
use crate::property::{PROPERTIES, Property, property};
use crate::scenario::{Library, Loaded};

/// The part of the suite that a run selects.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    only: Vec<GlobMatcher>,
    sections: Vec<Section>,
    clauses: Vec<ClauseId>,
    properties: Vec<String>,
    /// Names of behaviours.
    behaviours: Vec<&'static str>,
    gentle: bool,
}

/// A selection that is invalid.
#[derive(Debug, Error)]
pub enum SelectionError {
    /// An invalid pattern.
    #[error(
        "the pattern {pattern} is not a glob pattern, such as '07-*/**': {why}; `[[]` stands for a bracket itself"
    )]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// Fault of it.
        why: String,
    },
    /// A pattern that fits nothing.
    #[error(
        "the pattern {pattern} selects no scenario, since none has such an id; `covenant list scenarios` lists them{hint}"
    )]
    Unmatched {
        /// The pattern as given.
        pattern: String,
        /// The nearest ids.
        hint: String,
    },
    /// An unknown property.
    #[error("no property is called {name}; `covenant list properties` lists them{hint}")]
    Property {
        /// The name as given.
        name: String,
        /// The nearest name.
        hint: String,
    },
    /// The selection is empty.
    #[error("no scenario is selected: {why}; `covenant list scenarios` lists them")]
    Nothing {
        /// The filter that leaves nothing.
        why: String,
    },
}

impl Selection {
    /// Selects the scenarios whose id matches one of the patterns and that check something of one of the sections. An
    /// empty list selects all.
    pub fn new(only: &[String], sections: &[Section]) -> Result<Self, SelectionError> {
        Ok(Self {
            only: only.iter().map(|pattern| matcher(pattern)).collect::<Result<_, _>>()?,
            sections: sections.to_vec(),
            ..Self::default()
        })
    }

    /// Keeps of the selection what checks one of these clauses. An empty list keeps all.
    #[must_use]
    pub fn with_clauses(mut self, clauses: &[ClauseId]) -> Self {
        self.clauses = clauses.to_vec();
        self
    }

    /// Keeps of the selection the scenarios in which a peer has one of these behaviours, and no property: a property
    /// draws what its peers do. An empty list keeps all.
    #[must_use]
    pub fn with_behaviours(mut self, behaviours: &[&Behaviour]) -> Self {
        self.behaviours = behaviours.iter().map(|behaviour| behaviour.name).collect();
        self
    }

    /// Selects these properties and no scenario.
    pub fn of_properties(names: &[String]) -> Result<Self, SelectionError> {
        match names.iter().find(|name| property(name).is_none()) {
            Some(unknown) => Err(SelectionError::Property {
                name: unknown.clone(),
                hint: did_you_mean(unknown, PROPERTIES.iter().map(|property| property.name)),
            }),
            None => Ok(Self { properties: names.to_vec(), ..Self::default() }),
        }
    }

    /// Returns true if the property is selected.
    #[must_use]
    pub fn takes_property(&self, property: &Property) -> bool {
        if !self.properties.is_empty() {
            return self.properties.iter().any(|name| name == property.name);
        }
        let checked = || CLAUSES_OF_PROPERTIES.get(property.name).into_iter().flatten().copied();
        self.behaviours.is_empty() && self.fits(&property.trace()) && self.asks(checked)
    }

    /// Returns true if the user selects the scenario, by its id or by what it checks.
    #[must_use]
    pub fn names(&self, loaded: &Loaded) -> bool {
        self.is_partial() && self.takes(loaded)
    }

    /// Removes every scenario that misbehaves or strains the target.
    #[must_use]
    pub fn without_intrusive(mut self) -> Self {
        self.gentle = true;
        self
    }

    /// Returns true if only a part of the suite is selected.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        let named = self.only.is_empty() && self.properties.is_empty();
        let filtered = !(self.sections.is_empty() && self.clauses.is_empty() && self.behaviours.is_empty());
        !named || filtered
    }

    /// Returns the selected scenarios in order, without those of stages. `with_properties` if the run plays properties
    /// too.
    pub fn of<'a>(
        &self,
        library: &'a Library,
        with_properties: bool,
    ) -> Result<Vec<&'a Loaded>, SelectionError> {
        let properties = || PROPERTIES.iter().filter(|_| with_properties);
        let ids = || library.iter().map(|loaded| loaded.id.clone()).chain(properties().map(Property::trace));
        if let Some(unmatched) = self.only.iter().find(|only| !ids().any(|id| only.is_match(id))) {
            return Err(unmatched_pattern(unmatched.glob().glob(), &ids().collect::<Vec<_>>()));
        }
        let chosen: Vec<&Loaded> = library.iter().filter(|loaded| self.takes(loaded)).collect();
        if chosen.is_empty() && !properties().any(|property| self.takes_property(property)) {
            return Err(SelectionError::Nothing { why: self.why_nothing() });
        }
        Ok(chosen.into_iter().filter(|loaded| loaded.scenario.stage.is_none()).collect())
    }

    fn takes(&self, loaded: &Loaded) -> bool {
        let checked = || loaded.scenario.checks.iter().map(|check| check.get_ref().clause);
        self.properties.is_empty()
            && self.fits(&loaded.id)
            && self.asks(checked)
            && self.plays(loaded)
            && !(self.gentle && loaded.scenario.intrusive)
    }

    fn fits(&self, id: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only.is_match(id))
    }

    /// Returns whether these clauses are selected by section and by clause.
    fn asks<I: Iterator<Item = ClauseId>>(&self, checked: impl Fn() -> I) -> bool {
        let section =
            self.sections.is_empty() || checked().any(|clause| self.sections.contains(&clause.section));
        let clause = self.clauses.is_empty() || checked().any(|clause| self.clauses.contains(&clause));
        section && clause
    }

    /// Returns whether a peer of the scenario has one of the selected behaviours.
    fn plays(&self, loaded: &Loaded) -> bool {
        let mut played = loaded.scenario.peers.iter().flat_map(|peer| &peer.behaviours);
        self.behaviours.is_empty() || played.any(|name| self.behaviours.contains(&name.as_str()))
    }

    fn why_nothing(&self) -> String {
        if !self.properties.is_empty() {
            return "--cases 0 leaves no case of the properties".to_owned();
        }
        let clauses: Vec<String> = self.clauses.iter().map(ToString::to_string).collect();
        let sections: Vec<String> = self.sections.iter().map(ToString::to_string).collect();
        let filters = [("--clause", clauses), ("--commitment", sections)];
        let filters = filters.into_iter().filter(|(_, given)| !given.is_empty());
        let given: Vec<String> =
            filters.map(|(flag, given)| format!("{flag} {}", given.join(", "))).collect();
        if !self.behaviours.is_empty() {
            let names = self.behaviours.join(" or ");
            return format!("in none that the other filters leave does a peer have the behaviour {names}");
        }
        match (given.as_slice(), self.only.is_empty()) {
            ([], _) => "there is none".to_owned(),
            (_, true) => format!("none checks {}", given.join(" and ")),
            (_, false) => format!("none that fits --only checks {}", given.join(" and ")),
        }
    }
}

/// The clauses that the cases of each property check, by the name of the property.
static CLAUSES_OF_PROPERTIES: LazyLock<BTreeMap<&'static str, Vec<ClauseId>>> = LazyLock::new(|| {
    let of = |property: &Property| {
        let case = property_case(&property.trace());
        let checks = case.iter().flat_map(|case| &case.scenario.checks);
        checks.map(|check| check.get_ref().clause).collect()
    };
    PROPERTIES.iter().map(|property| (property.name, of(property))).collect()
});

fn matcher(pattern: &str) -> Result<GlobMatcher, SelectionError> {
    let wrong = |why: String| SelectionError::Pattern { pattern: pattern.to_owned(), why };
    if pattern.is_empty() {
        return Err(wrong("it is empty".to_owned()));
    }
    Glob::new(pattern).map(|glob| glob.compile_matcher()).map_err(|error| wrong(error.kind().to_string()))
}

fn unmatched_pattern(pattern: &str, ids: &[String]) -> SelectionError {
    let word = pattern.trim_matches(['*', '/', '?']).replace(['*', '?', '[', ']', '{', '}'], "");
    let like = most_like(&word, ids.iter().map(String::as_str));
    let hint =
        if like.is_empty() { String::new() } else { format!("\nhint: did you mean {}?", like.join(" or ")) };
    SelectionError::Unmatched { pattern: pattern.to_owned(), hint }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::FAMILIES;
    use crate::peer::behaviours::behaviour;
    use crate::runner::library;

    fn clause(id: &str) -> ClauseId {
        id.parse().expect("a clause")
    }

    #[test]
    fn a_clause_selects_each_scenario_and_property_that_checks_it_and_no_other() {
        let library = library(None).expect("scenarios");
        let selection = Selection::new(&[], &[]).expect("a selection").with_clauses(&[clause("7.3")]);
        let chosen = selection.of(&library, true).expect("some");
        let checks = |loaded: &Loaded| {
            loaded.scenario.checks.iter().any(|check| check.get_ref().clause == clause("7.3"))
        };
        let all = library.iter().filter(|loaded| loaded.scenario.stage.is_none() && checks(loaded)).count();
        assert!(!chosen.is_empty() && chosen.iter().all(|loaded| checks(loaded)));
        assert_eq!(chosen.len(), all);
        let properties = PROPERTIES.iter().filter(|property| selection.takes_property(property));
        let checks = |property: &&Property| CLAUSES_OF_PROPERTIES[property.name].contains(&clause("7.3"));
        assert_eq!(properties.count(), PROPERTIES.iter().filter(checks).count());
        assert!(PROPERTIES.iter().any(|property| checks(&property)), "a property checks it");
    }

    #[test]
    fn every_section_of_the_contract_selects_something() {
        let library = library(None).expect("scenarios");
        for section in Section::all() {
            let selection = Selection::new(&[], &[section]).expect("a selection");
            assert!(selection.of(&library, true).is_ok(), "{section}");
        }
    }

    #[test]
    fn a_family_selects_just_the_scenarios_that_play_it() {
        let library = library(None).expect("scenarios");
        for family in FAMILIES {
            let behaviours: Vec<&Behaviour> = family.behaviours().collect();
            let selection = Selection::new(&[], &[]).expect("a selection").with_behaviours(&behaviours);
            let chosen = selection.of(&library, true).expect("some");
            for name in family.names() {
                let plays = |loaded: &Loaded| {
                    loaded.scenario.peers.iter().any(|peer| peer.behaviours.iter().any(|own| own == name))
                };
                assert!(chosen.iter().any(|loaded| plays(loaded)), "{name}");
            }
            let none = |loaded: &Loaded| {
                let mut own = loaded.scenario.peers.iter().flat_map(|peer| &peer.behaviours);
                !own.any(|own| family.names().any(|name| name == own))
            };
            assert!(!chosen.iter().any(|loaded| none(loaded)), "{}", family.name);
            assert!(!PROPERTIES.iter().any(|property| selection.takes_property(property)));
            assert!(selection.is_partial());
        }
        let selection = Selection::new(&[], &[Section::Commitment(8)]).expect("a selection");
        let selection = selection.with_behaviours(&[behaviour("bogus-kind").expect("a behaviour")]);
        let error = selection.of(&library, true).expect_err("nothing").to_string();
        assert!(error.contains("a peer have the behaviour bogus-kind"), "{error}");
    }

    #[test]
    fn what_fits_nothing_is_an_error_with_the_nearest_names() {
        let library = library(None).expect("scenarios");
        let error = |only: &[&str], clauses: &[&str], with_properties| {
            let only: Vec<String> = only.iter().map(ToString::to_string).collect();
            let clauses: Vec<ClauseId> = clauses.iter().map(|id| clause(id)).collect();
            let selection = Selection::new(&only, &[]).map(|selection| selection.with_clauses(&clauses));
            let chosen = selection
                .and_then(|selection| selection.of(&library, with_properties).map(|chosen| chosen.len()));
            chosen.expect_err("nothing").to_string()
        };
        let near = error(&["07-*/**", "conflicts-are-resovled"], &[], true);
        assert!(near.contains("did you mean 07-migration-hygiene/conflicts-are-resolved"), "{near}");
        let both = error(&["03-*/**"], &["7.3"], true);
        assert!(both.contains("none that fits --only checks --clause 7.3"), "{both}");
        assert!(error(&["property/grants"], &[], false).contains("selects no scenario"));
        assert!(error(&["[abc"], &[], true).contains("unclosed character class"));
        assert!(error(&[""], &[], true).contains("empty"));
    }
}
