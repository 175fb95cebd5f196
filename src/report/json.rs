//! The report for a program: the JSON of [`Report`], and its schema.

use serde_json::Value;

use super::Report;

/// The version of the report's form. A member may be added without raising it.
pub const SCHEMA_VERSION: u32 = 1;

/// The JSON Schema of a report.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Report).to_value()
}
