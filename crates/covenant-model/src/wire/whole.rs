//! Whole numbers, which a platform may write with a fraction of zero: `1.0` is the integer 1.

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Number, Value};

/// Numbers beyond this have no exact neighbour as a `f64`.
const EXACT_MAX: f64 = 9_007_199_254_740_991.0;

/// Returns the whole number that a value is; `None` if it is none.
#[must_use]
pub fn whole_number(value: &Value) -> Option<i64> {
    value.as_number().and_then(of)
}

/// Reads a member that holds a whole number (`#[serde(deserialize_with)]`).
pub(super) fn whole<'de, N: TryFrom<i64>, D: Deserializer<'de>>(from: D) -> Result<N, D::Error> {
    let number = Number::deserialize(from)?;
    of(&number).ok_or_else(|| D::Error::custom(format!("a whole number was expected, found {number}")))
}

/// Reads a member that holds a whole number or null (`#[serde(deserialize_with)]`).
pub(super) fn maybe_whole<'de, N: TryFrom<i64>, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<N>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(from)? else { return Ok(None) };
    let whole = of(&number);
    whole.map(Some).ok_or_else(|| D::Error::custom(format!("a whole number was expected, found {number}")))
}

fn of<N: TryFrom<i64>>(number: &Number) -> Option<N> {
    let of_fraction = || {
        let value = number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() <= EXACT_MAX)?;
        format!("{value:.0}").parse().ok()
    };
    N::try_from(number.as_i64().or_else(of_fraction)?).ok()
}

#[cfg(test)]
mod tests {
    use crate::wire::migration::MigrationView;
    use serde_json::{from_value, json};

    #[test]
    fn a_whole_number_may_have_a_fraction_of_zero_and_no_other() {
        let view = |step: serde_json::Value, count: serde_json::Value| {
            let conflict = json!({"step_order": step, "resource_kind": "skill", "resource_id": "a", "resolution": "skipped"});
            from_value::<MigrationView>(json!({"conflict_log": [conflict], "applied_count": count}))
        };
        for (step, count) in [(json!(2), json!(0)), (json!(2.0), json!(-0.0)), (json!(2e0), json!(0.0))] {
            let view = view(step, count).expect("a report");
            assert_eq!((view.conflict_log.expect("a log")[0].step_order, view.applied_count), (2, Some(0)));
        }
        assert_eq!(view(json!(1), json!(null)).expect("a report").applied_count, None);
        for (step, count) in
            [(json!(1.5), json!(1)), (json!(1e300), json!(1)), (json!("1"), json!(1)), (json!(1), json!(-1))]
        {
            assert!(view(step.clone(), count).is_err(), "{step}");
        }
    }
}
