//! Commitment 12: any value in the version field.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::Property;
use super::build::{accept, check, operator, propose, titled};
use crate::contract::Aspect::Conduct;
use crate::contract::Section::Commitment;
use crate::operator::{OperatorMethod, contract};
use crate::scenario::Scenario;

pub(super) const PROPERTY: Property = Property {
    name: "contract-versions",
    commitment: 12,
    about: "the target agrees to a known contract version alone, as requested, and refuses every other value",
    edge_cases: Vec::new,
    scenarios,
    reduced: |_| None,
};

fn scenarios() -> BoxedStrategy<Scenario> {
    let number = any::<i64>().prop_map(Value::from);
    let small = (-3..12_i64).prop_map(Value::from);
    let fraction = select(vec![1.0, 1.9, 0.1, -0.0, 1e0, 1e300]).prop_map(Value::from);
    let text = prop_oneof![
        select(vec!["1", "1abc", "v1", "", " 1", "one", "１"]).prop_map(ToOwned::to_owned),
        "[a-z0-9. ]{0,6}",
    ];
    let text = text.prop_map(Value::from);
    let other = select(vec![
        json!(true),
        json!(false),
        json!("${null}"),
        json!([1]),
        json!([]),
        json!({ "version": 1 }),
        json!({}),
    ]);
    prop_oneof![1 => number, 3 => small, 1 => fraction, 2 => text, 1 => other]
        .prop_map(|version| scenario(&version))
        .boxed()
}

fn scenario(version: &Value) -> Scenario {
    Scenario { intrusive: true, ..titled("A generated contract version") }
        .peers(["whole", "odd"])
        .step(operator(contract::List::METHOD, Value::Null).labelled("listed"))
        .step(propose("whole"))
        .step(accept("whole").labelled("asked"))
        .step(propose("odd"))
        .step(accept("odd").with(json!({ "contract_version": version })).labelled("asked"))
        .check(check(
            (Commitment(12), 1, Conduct),
            "agreed-version-is-requested-version",
            "the target agrees to the requested contract version, or refuses the accept",
            json!({ "call": "asked", "contracts": "listed" }),
        ))
}
