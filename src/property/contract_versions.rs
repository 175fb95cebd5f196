//! Commitment 12: any value in the version field.

use proptest::prelude::*;
use proptest::sample::select;

use super::Property;
use super::file::File;

pub(super) const PROPERTY: Property = Property {
    name: "contract-versions",
    commitment: 12,
    about: "the target agrees to a known contract version alone, as requested, and refuses every other value",
    edge_cases: Vec::new,
    scenarios,
};

fn scenarios() -> BoxedStrategy<String> {
    let number = any::<i64>().prop_map(|number| number.to_string());
    let small = (-3..12_i64).prop_map(|number| number.to_string());
    let fraction = select(vec!["1.0", "1.9", "0.1", "-0.0", "1e0", "1e300"]).prop_map(ToOwned::to_owned);
    let text = prop_oneof![
        select(vec!["1", "1abc", "v1", "", " 1", "one", "１"]).prop_map(ToOwned::to_owned),
        "[a-z0-9. ]{0,6}",
    ];
    let text = text.prop_map(|text| format!("{text:?}"));
    let other = select(vec!["true", "false", "\"${null}\"", "[1]", "[]", "{ version = 1 }", "{}"])
        .prop_map(ToOwned::to_owned);
    prop_oneof![1 => number, 3 => small, 1 => fraction, 2 => text, 1 => other]
        .prop_map(|value| file(&value))
        .boxed()
}

fn file(value: &str) -> String {
    File::new("A generated contract version", "intrusive = true")
        .peer("whole", "")
        .peer("odd", "")
        .step("operator = { method = \"contract.list\", as = \"listed\" }")
        .step("propose = { peer = \"whole\" }")
        .step("accept = { peer = \"whole\", as = \"asked\" }")
        .step("propose = { peer = \"odd\" }")
        .step(format!(
            "accept = {{ peer = \"odd\", with = {{ contract_version = {value} }}, as = \"asked\" }}"
        ))
        .check(
            ("12.1", "conduct"),
            "agreed-version-is-requested-version",
            "the target agrees to the requested contract version, or refuses the accept",
            "call = \"asked\", contracts = \"listed\"",
        )
        .text()
}
