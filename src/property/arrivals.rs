//! Commitment 6: any pattern of arrivals.

use proptest::prelude::*;

use super::Property;
use super::file::File;
use super::whole::whole;

pub(super) const PROPERTY: Property = Property {
    name: "arrivals",
    commitment: 6,
    about: "however heartbeats arrive, a few in a minute are never limited, and a quiet peer never pays for another's",
    corners,
    scenarios,
};

fn scenarios() -> BoxedStrategy<String> {
    // Seconds of calm, then so many heartbeats at once.
    let burst = (0..90_i64, prop_oneof![48 => 1..7_u32, 11 => 7..40_u32, 1 => Just(310_u32)]);
    proptest::collection::vec(burst, 1..20).prop_map(|bursts| file(&bursts)).boxed()
}

/// A flood is dear, and comes rarely by chance: one amid a few calls. And a few calls, minute after minute,
/// are never too many.
fn corners() -> Vec<BoxedStrategy<String>> {
    let pattern = |bursts: &[(i64, u32)]| whole(bursts.to_vec()).prop_map(|bursts| file(&bursts)).boxed();
    vec![pattern(&[(0, 5), (60, 310), (60, 5)]), pattern(&[(62, 6); 12])]
}

fn file(bursts: &[(i64, u32)]) -> String {
    let mut file = File::new("A generated pattern of arrivals", "intrusive = true")
        .peer("quiet", "")
        .peer("busy", "")
        .declare()
        .step("federate = { peer = \"quiet\" }")
        .step("federate = { peer = \"busy\" }");
    for (calm, calls) in bursts {
        file = file
            .step(format!("advance = {{ seconds = {} }}", calm + 1))
            .step(format!("flood = {{ peer = \"busy\", calls = {calls}, as = \"busy\" }}"))
            .step("heartbeat = { peer = \"quiet\", as = \"quiet\" }");
    }
    file.check(
        ("6.1", "detection"),
        "limits-by-the-minute",
        "up to six calls in any minute are never limited, three hundred are, and a quiet peer is always served",
        "peer = \"busy\", call = \"busy\", probe = \"quiet\"",
    )
    .text()
}
