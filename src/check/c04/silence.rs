//! Whether a peer that falls silent is marked (4.1).

use crate::check::common::{finding_raised, peer_shown};
use crate::check::{Arguments, Judgement, Verdict};
use crate::transcript::Story;

pub(super) fn silence_is_marked(story: &Story, with: Arguments<'_>) -> Judgement {
    let expect = |judgement: Judgement| {
        judgement.expecting("a new finding about the peer, or another state than that of one who is there")
    };
    let reported = finding_raised(story, with);
    let status = |name: &str| {
        let (n, peer) = peer_shown(story, with.text(name))?;
        Some((n, peer.get("status")?.as_str()?))
    };
    match (reported.verdict, status("shown"), status("usual")) {
        (Verdict::Kept, ..) => expect(reported),
        (_, Some((shown_n, shown)), Some((usual_n, usual))) if shown != usual => {
            expect(Judgement::kept(format!("the peer is shown as {shown}"), vec![shown_n, usual_n]))
        }
        (_, Some(_), Some(_)) => expect(reported),
        _ => expect(Judgement::unproven("how the peers stand could not be read", vec![])),
    }
}
