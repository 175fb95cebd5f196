//! The report for a program: the JSON of [`Report`], and its schema.

use serde_json::Value;

use crate::report::Report;
use covenant_model::wire::harmless::harmless_json;

/// The version of the report format. A member may be added without raising it.
pub const SCHEMA_VERSION: u32 = 2;

/// Returns the JSON Schema of a report.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Report).to_value()
}

/// Returns the report as indented JSON, with a newline at the end.
#[must_use]
pub(super) fn json(report: &Report) -> String {
    let text = serde_json::to_string_pretty(report).expect("a report has text keys only");
    harmless_json(&text) + "\n"
}
