//! Commitment 6: any pattern of arrivals.

use proptest::prelude::*;
use proptest::sample::select;

use super::Property;
use super::file::{File, sync};
use super::whole::whole;

pub(super) const PROPERTY: Property = Property {
    name: "arrivals",
    commitment: 6,
    about: "the target never limits a few heartbeats a minute, always limits a flood, and never limits a quiet peer because of another",
    edge_cases,
    scenarios,
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

fn scenarios() -> BoxedStrategy<String> {
    let calls = prop_oneof![48 => 1..7_u32, 11 => 7..40_u32, 1 => Just(310_u32)];
    let then = select(vec![&EACH[..0], &EACH[..0], &EACH[..1], &EACH[1..]]);
    let burst = (0..90_i64, calls, then).prop_map(|(calm, calls, then)| Burst { calm, calls, then });
    proptest::collection::vec(burst, 1..20).prop_map(|bursts| file(&bursts)).boxed()
}

/// Returns the edge cases. A flood is expensive and rare by chance, so one occurs amid a few calls, in parts,
/// each followed by another call. A few calls per minute are never too many.
fn edge_cases() -> Vec<BoxedStrategy<String>> {
    let few = |calm, calls| Burst { calm, calls, then: &[] };
    let part = |calm| Burst { calm, calls: 55, then: EACH };
    let flood = [vec![few(0, 5), part(60)], vec![part(0); 5], vec![few(60, 5)]].concat();
    [flood, vec![few(62, 6); 12]].map(|bursts| whole(bursts).prop_map(|bursts| file(&bursts)).boxed()).into()
}

fn file(bursts: &[Burst]) -> String {
    let mut file = File::new("A generated pattern of arrivals", "intrusive = true")
        .peer("quiet", "")
        .peer("busy", "")
        .declare()
        .step("federate = { peer = \"quiet\" }")
        .step("federate = { peer = \"busy\" }");
    for (number, Burst { calm, calls, then }) in bursts.iter().enumerate() {
        file = file
            .step(format!("advance = {{ seconds = {} }}", calm + 1))
            .step(format!("flood = {{ peer = \"busy\", calls = {calls}, as = \"beats\" }}"))
            .steps(then.iter().map(|then| then.step(number)))
            .step("heartbeat = { peer = \"quiet\", as = \"quiet\" }");
    }
    file.check(
        ("6.1", "detection"),
        "rate-limit-is-per-minute",
        "the target never limits up to six calls in any minute, limits three hundred, and always serves a quiet peer",
        "peer = \"busy\", probe = \"quiet\"",
    )
    .text()
}

impl Then {
    fn step(self, number: usize) -> String {
        match self {
            Self::Sync => sync("busy", &format!("batch-{number}"), &format!("record-{number}")),
            // A peer that floods may be suspended, and then gets no grant.
            Self::Grant => "operator = { method = \"grant.issue\", may_fail = true, with = { peer_id = \"${busy.id}\", \
                            remote_subject = \"busy\", resource_kind = \"skill\", permission_scopes = [\"read\"] } }"
                .to_owned(),
        }
    }
}
