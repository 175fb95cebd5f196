//! The part of the suite that a run selects.

use globset::{Glob, GlobSet, GlobSetBuilder};
use thiserror::Error;

use crate::contract::Section;
use crate::property::{PROPERTIES, Property, property};
use crate::scenario::{Library, Loaded};

/// The part of the suite that a run selects.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    only: Option<GlobSet>,
    commitments: Vec<u8>,
    properties: Vec<String>,
    gentle: bool,
}

/// A selection that is invalid.
#[derive(Debug, Error)]
pub enum SelectionError {
    /// An invalid pattern.
    #[error("--only {pattern}: not a glob pattern")]
    Pattern {
        /// The pattern as given.
        pattern: String,
        /// The error of the parser.
        source: globset::Error,
    },
    /// An unknown property.
    #[error("no property is called {name}; `covenant list properties` lists them")]
    Property {
        /// The name as given.
        name: String,
    },
    /// The selection is empty.
    #[error("no scenario is selected: `covenant list scenarios` lists them")]
    Nothing,
}

impl Selection {
    /// Selects the scenarios whose id matches one of the patterns and whose checks concern one of the
    /// commitments. An empty list selects all.
    pub fn new(only: &[String], commitments: &[u8]) -> Result<Self, SelectionError> {
        let mut patterns = GlobSetBuilder::new();
        for pattern in only {
            let glob = Glob::new(pattern)
                .map_err(|source| SelectionError::Pattern { pattern: pattern.clone(), source })?;
            patterns.add(glob);
        }
        let set =
            patterns.build().map_err(|source| SelectionError::Pattern { pattern: only.join(" "), source })?;
        Ok(Self {
            only: (!only.is_empty()).then_some(set),
            commitments: commitments.to_vec(),
            ..Self::default()
        })
    }

    /// Selects these properties and no scenario.
    pub fn of_properties(names: &[String]) -> Result<Self, SelectionError> {
        match names.iter().find(|name| property(name).is_none()) {
            Some(unknown) => Err(SelectionError::Property { name: unknown.clone() }),
            None => Ok(Self { properties: names.to_vec(), ..Self::default() }),
        }
    }

    /// Returns true if the property is selected.
    #[must_use]
    pub fn takes_property(&self, property: &Property) -> bool {
        let named = self.properties.iter().any(|name| name == property.name);
        let commitment = self.commitments.is_empty() || self.commitments.contains(&property.commitment);
        let only = self.only.as_ref().is_none_or(|only| only.is_match(property.trace()));
        if self.properties.is_empty() { only && commitment } else { named }
    }

    /// Returns true if a pattern of the user matches the id of the scenario.
    #[must_use]
    pub fn names(&self, loaded: &Loaded) -> bool {
        self.only.as_ref().is_some_and(|only| only.is_match(&loaded.id))
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
        self.only.is_some() || !self.commitments.is_empty() || !self.properties.is_empty()
    }

    /// Returns the selected scenarios in order, without those of stages.
    pub fn of<'a>(&self, library: &'a Library) -> Result<Vec<&'a Loaded>, SelectionError> {
        let chosen: Vec<&Loaded> = library.iter().filter(|loaded| self.takes(loaded)).collect();
        let some_property = PROPERTIES.iter().any(|property| self.takes_property(property));
        if chosen.is_empty() && !some_property {
            return Err(SelectionError::Nothing);
        }
        Ok(chosen.into_iter().filter(|loaded| loaded.scenario.stage.is_none()).collect())
    }

    fn takes(&self, loaded: &Loaded) -> bool {
        if !self.properties.is_empty() {
            return false;
        }
        let only = self.only.as_ref().is_none_or(|only| only.is_match(&loaded.id));
        let about = |section: Section| matches!(section, Section::Commitment(number) if self.commitments.contains(&number));
        let commitment = self.commitments.is_empty()
            || loaded.scenario.checks.iter().any(|check| about(check.get_ref().clause.section));
        only && commitment && !(self.gentle && loaded.scenario.intrusive)
    }
}
