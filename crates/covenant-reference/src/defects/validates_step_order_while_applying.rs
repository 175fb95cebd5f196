//! The platform checks the order of a plan's steps while it applies them, and keeps the steps before an
//! invalid one.

use crate::Patch;
use crate::apply::{self, Failure, Outcome, Plan};
use covenant_model::contract::Aspect::Conduct;

pub(super) const PATCH: Patch = Patch::defect(
    "validates-step-order-while-applying",
    &[("7.1", Conduct)],
    "Checks the order of a plan's steps while it applies them, and keeps what came before one out of order.",
    |policy| {
        policy.migrations.orders_are_right = |_| true;
        policy.migrations.apply = apply_in_order;
    },
);

fn apply_in_order(plan: &Plan<'_>) -> Result<Outcome, Failure> {
    let steps = plan.steps_in_order();
    let orders: Vec<i64> = [-1].into_iter().chain(steps.iter().map(|step| step.step_order)).collect();
    let Some(place) = orders.windows(2).position(|pair| pair[1] <= pair[0]) else {
        return apply::apply(plan);
    };
    let mut outcome = Outcome::default();
    for step in &steps[..place] {
        (plan.tx.policy.migrations.apply_step)(plan, step, &mut outcome)?;
    }
    Err(Failure::failed("a step_order is negative, or stands twice"))
}
