//! `rejected-records-are-not-stored`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::batches::{Comparison, rows};
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::outcome::Outcome;
use covenant_model::transcript::Trace;

/// The target stores no record of a call that it has to refuse.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct RejectedRecordsAreNotStored {
    /// The calls that have to be refused.
    pub call: Labels,
    /// The list of records before the calls.
    pub before: Label,
    /// The list of records after the calls.
    pub after: Label,
    /// A valid call before the others, whose records have to be there: otherwise the target stores nothing at all.
    pub control: Option<Label>,
}

impl Check for RejectedRecordsAreNotStored {
    const ID: &'static str = "rejected-records-are-not-stored";
    const EXPECTED: &'static [&'static str] = &["the records of these calls as they were before"];
    const CONTROL: Option<&'static str> = Some("a record of a valid call before the others is listed");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let Self { call, before, after, control } = self;
        Comparison { call, before, after, control: control.as_ref() }.evaluate(trace, rows)
    }
}
