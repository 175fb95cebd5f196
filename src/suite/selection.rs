//! Which part of the suite a run is asked for.

use globset::{Glob, GlobSet, GlobSetBuilder};
use thiserror::Error;

use crate::contract::Section;
use crate::property::{PROPERTIES, Property, property};
use crate::scenario::{Library, Loaded};

/// Which part of the suite is asked for.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    only: Option<GlobSet>,
    commitments: Vec<u8>,
    properties: Vec<String>,
    gentle: bool,
}

/// A selection that can't be made.
#[derive(Debug, Error)]
pub enum SelectionError {
    /// A pattern that is none.
    #[error("--only {pattern}: {source}")]
    Pattern {
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// No property is called that.
    #[error("no property is called {name}; `covenant list properties` tells them")]
    Property {
        /// What was given.
        name: String,
    },
    /// No scenario is left.
    #[error("no scenario is selected: `covenant list scenarios` tells which there are")]
    Nothing,
}

impl Selection {
    /// Scenarios whose id fits one of the patterns, and whose checks are about one of the
    /// commitments; an empty list asks for all.
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

    /// Only these properties, and no scenario.
    pub fn of_properties(names: &[String]) -> Result<Self, SelectionError> {
        match names.iter().find(|name| property(name).is_none()) {
            Some(unknown) => Err(SelectionError::Property { name: unknown.clone() }),
            None => Ok(Self { properties: names.to_vec(), ..Self::default() }),
        }
    }

    /// Whether a property is asked for.
    #[must_use]
    pub fn takes_property(&self, property: &Property) -> bool {
        let named = self.properties.iter().any(|name| name == property.name);
        let commitment = self.commitments.is_empty() || self.commitments.contains(&property.commitment);
        let only = self.only.as_ref().is_none_or(|only| only.is_match(property.trace()));
        if self.properties.is_empty() { only && commitment } else { named }
    }

    /// Leaves out every scenario that misbehaves or strains the target.
    #[must_use]
    pub fn without_intrusive(mut self) -> Self {
        self.gentle = true;
        self
    }

    /// Whether a part of the suite only is asked for.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.only.is_some() || !self.commitments.is_empty() || !self.properties.is_empty()
    }

    /// The scenarios that are asked for, without the sanity one, in order.
    pub fn of<'a>(&self, library: &'a Library) -> Result<Vec<&'a Loaded>, SelectionError> {
        let chosen: Vec<&Loaded> = library.iter().filter(|loaded| self.takes(loaded)).collect();
        let some_property = PROPERTIES.iter().any(|property| self.takes_property(property));
        if chosen.is_empty() && !some_property {
            return Err(SelectionError::Nothing);
        }
        Ok(chosen.into_iter().filter(|loaded| !loaded.scenario.sanity).collect())
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
