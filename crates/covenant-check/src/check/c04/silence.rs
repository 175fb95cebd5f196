//! Checks that a silent peer is marked (4.1).

use crate::check::common::{finding_raised, peer_shown};
use crate::check::legacy::Arguments;
use crate::check::{CheckResult, Verdict};
use covenant_model::transcript::Trace;

pub(super) fn silence_is_marked(trace: &Trace, with: Arguments<'_>) -> CheckResult {
    let expect = |result: CheckResult| {
        result.expecting("a new finding about the peer, or another state than that of one who is there")
    };
    let reported = finding_raised(trace, with);
    let status = |name: &str| {
        let (n, peer) = peer_shown(trace, with.text(name))?;
        Some((n, peer.get("status")?.as_str()?))
    };
    match (reported.verdict, status("shown"), status("default")) {
        (Verdict::Kept, ..) => expect(reported),
        (_, Some((shown_n, shown)), Some((default_n, default))) if shown != default => {
            expect(CheckResult::kept(format!("the peer is shown as {shown}"), vec![shown_n, default_n]))
        }
        (_, Some(_), Some(_)) => expect(reported),
        _ => expect(CheckResult::unproven("how the peers stand could not be read", vec![])),
    }
}
