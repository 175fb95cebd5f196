//! A behaviour or a family of behaviours, as the command line names it.

use crate::nearest::did_you_mean;
use crate::peer::{Behaviour, Named};

/// Choice of the command line: a behaviour or a family.
#[derive(Clone, Debug)]
pub(super) struct BehaviourChoice(Named);

impl BehaviourChoice {
    /// Returns every behaviour that the name stands for.
    pub(super) fn all(&self) -> Vec<&'static Behaviour> {
        self.0.all()
    }

    /// Returns the behaviours that one peer shows at the same time.
    pub(super) fn together(&self) -> Vec<&'static Behaviour> {
        self.0.together()
    }
}

/// Parses the name of a behaviour, of a family, or `FAMILY/BEHAVIOUR`.
pub(super) fn parse(text: &str) -> Result<BehaviourChoice, String> {
    let named = Named::find(text).ok_or_else(|| {
        let hint = did_you_mean(text, Named::names());
        format!("no behaviour and no family is called {text:?}; `covenant list behaviours` lists them{hint}")
    })?;
    Ok(BehaviourChoice(named))
}
