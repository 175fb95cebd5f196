//! Commitment 6: any pattern of arrivals.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use super::Property;
use super::build::{advance, check, declare, federate, flood, heartbeat, operator, sync, titled};
use super::whole::whole;
use crate::contract::Aspect::Detection;
use crate::contract::Section::Commitment;
use crate::operator::{OperatorMethod, grant};
use crate::scenario::{Scenario, Step};

pub(super) const PROPERTY: Property = Property {
    name: "arrivals",
    commitment: 6,
    about: "the target never limits a few heartbeats a minute, always limits a flood, and never limits a quiet peer because of another",
    edge_cases,
    scenarios,
    reduced: |_| None,
};

/// A burst: heartbeats at once after some seconds of calm, then a call that is no heartbeat.
#[derive(Clone, Copy, Debug)]
struct Burst {
    calm: i64,
    calls: u32,
    then: &'static [Then],
}

#[derive(Clone, Copy, Debug)]
enum Then {
    /// The busy peer sends a batch.
    Sync,
    /// The busy peer gets a grant.
    Grant,
}

const EACH: &[Then] = &[Then::Sync, Then::Grant];

fn scenarios() -> BoxedStrategy<Scenario> {
    let calls = prop_oneof![48 => 1..7_u32, 11 => 7..40_u32, 1 => Just(310_u32)];
    let then = select(vec![&EACH[..0], &EACH[..0], &EACH[..1], &EACH[1..]]);
    let burst = (0..90_i64, calls, then).prop_map(|(calm, calls, then)| Burst { calm, calls, then });
    proptest::collection::vec(burst, 1..20).prop_map(|bursts| scenario(&bursts)).boxed()
}

/// Returns the edge cases. A flood is expensive and rare by chance, so one occurs amid a few calls, in parts,
/// each followed by another call. A few calls per minute are never too many.
fn edge_cases() -> Vec<BoxedStrategy<Scenario>> {
    let few = |calm, calls| Burst { calm, calls, then: &[] };
    let part = |calm| Burst { calm, calls: 55, then: EACH };
    let flood = [vec![few(0, 5), part(60)], vec![part(0); 5], vec![few(60, 5)]].concat();
    [flood, vec![few(62, 6); 12]]
        .map(|bursts| whole(bursts).prop_map(|bursts| scenario(&bursts)).boxed())
        .into()
}

fn scenario(bursts: &[Burst]) -> Scenario {
    let mut scenario = Scenario { intrusive: true, ..titled("A generated pattern of arrivals") }
        .peers(["quiet", "busy"])
        .step(declare("skill"))
        .steps(["quiet", "busy"].map(federate));
    for (number, Burst { calm, calls, then }) in bursts.iter().enumerate() {
        scenario = scenario
            .step(advance(calm + 1))
            .step(flood("busy", *calls).labelled("beats"))
            .steps(then.iter().map(|then| then.step(number)))
            .step(heartbeat("quiet").labelled("quiet"));
    }
    scenario.check(check(
        (Commitment(6), 1, Detection),
        "rate-limit-is-per-minute",
        "the target never limits up to six calls in any minute, limits three hundred, and always serves a quiet peer",
        json!({ "peer": "busy", "probe": "quiet" }),
    ))
}

impl Then {
    fn step(self, number: usize) -> Step {
        match self {
            Self::Sync => sync("busy", &format!("record-{number}")).labelled(format!("batch-{number}")),
            // A peer that floods may be suspended, and then gets no grant.
            Self::Grant => {
                let with = json!({
                    "peer_id": "${busy.id}", "remote_subject": "busy", "resource_kind": "skill",
                    "permission_scopes": ["read"],
                });
                operator(grant::Issue::METHOD, with).may_fail()
            }
        }
    }
}
