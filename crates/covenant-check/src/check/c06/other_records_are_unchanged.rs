//! `other-records-are-unchanged`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::batches::{Comparison, rows_named_inside};
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::outcome::Outcome;
use covenant_model::transcript::Trace;

/// A record that has one id in a batch, and names another inside, changes nothing of the other.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct OtherRecordsAreUnchanged {
    /// The calls with such records.
    pub call: Labels,
    /// The list of records before the calls.
    pub before: Label,
    /// The list of records after the calls.
    pub after: Label,
    /// A valid call before the others, whose records have to be there: otherwise the target stores nothing at all.
    pub control: Option<Label>,
}

impl Check for OtherRecordsAreUnchanged {
    const ID: &'static str = "other-records-are-unchanged";
    const EXPECTED: &'static [&'static str] =
        &["the records that these calls name beside their own as they were before"];
    const CONTROL: Option<&'static str> = Some("a record of a valid call before the others is listed");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let Self { call, before, after, control } = self;
        Comparison { call, before, after, control: control.as_ref() }.evaluate(trace, rows_named_inside)
    }
}
