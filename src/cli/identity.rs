//! The way in which the peers identify themselves, as the command line and `covenant.toml` name it.

use std::borrow::Cow;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use crate::wire::generation::CallerForm;

/// The way in which peers identify themselves to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentityForm(pub(super) CallerForm);

impl IdentityForm {
    fn named(name: &str) -> Result<Self, String> {
        let known = || CallerForm::all().into_iter().map(|form| format!("`{}`", form.name()));
        CallerForm::named(name).map(Self).ok_or_else(|| {
            format!("unknown variant `{name}`, expected one of {}", known().collect::<Vec<_>>().join(", "))
        })
    }

    /// Returns the parser of the command line, which lists every form.
    pub(super) fn parser() -> impl TypedValueParser<Value = Self> {
        let forms = CallerForm::all().into_iter();
        let values = forms.map(|form| PossibleValue::new(form.name()).help(form.about()));
        PossibleValuesParser::new(values).try_map(|name| Self::named(&name))
    }
}

impl<'de> Deserialize<'de> for IdentityForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'de, str>::deserialize(deserializer)?;
        Self::named(&name).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for IdentityForm {
    fn schema_name() -> Cow<'static, str> {
        "IdentityForm".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let forms = CallerForm::all().into_iter();
        let forms = forms
            .map(|form| json_schema!({"const": form.name(), "description": form.about(), "type": "string"}));
        json_schema!({
            "description": "The way in which peers identify themselves to a target.",
            "oneOf": forms.collect::<Vec<_>>(),
        })
    }
}
