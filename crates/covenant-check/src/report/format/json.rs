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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept};
    use crate::report::sample::report;
    use covenant_model::contract::Basis::{Observed, Proposed};

    #[test]
    fn a_program_reads_what_each_basis_says() {
        let report = report(&[("7.1", Observed, Kept), ("7.1", Proposed, Broken)]);
        let value: Value = serde_json::from_str(&json(&report)).expect("JSON");
        let score = &value["score"];
        assert_eq!(score["scope"]["broken_proposed_alone"], serde_json::json!(["7.1"]));
        assert_eq!(score["scope"]["broken_observed"], serde_json::json!([]));
        assert_eq!(score["overall_by_basis"]["observed"], "kept");
        assert_eq!(score["sections"][6]["conduct_by_basis"]["proposed"], "broken");
        assert_eq!(value["counts"]["by_basis"]["proposed"]["broken"], 1);
    }
}
