//! `repeated-breach-suspends`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::suspension::is_suspended;
use crate::check::arguments::{Label, Labels};
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, labelled_calls, peer_shown};
use covenant_model::transcript::Trace;

/// The fifth breach of one norm has suspended the peer, and the first alone has not.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct RepeatedBreachSuspends {
    /// The breaches.
    pub call: Labels,
    /// The operator's snapshot of the peer of one breach.
    pub after_first: Label,
    /// The operator's snapshot of the peer of five breaches.
    pub after_fifth: Label,
    /// Valid calls of the peer of five breaches, made after that snapshot.
    pub probe: Label,
    /// The same calls, made before its breaches.
    pub control: Label,
}

impl Check for RepeatedBreachSuspends {
    const ID: &'static str = "repeated-breach-suspends";
    const EXPECTED: &'static [&'static str] =
        &["not suspended after one breach; suspended after five, and served no more"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let mut breaches = labelled_calls(trace, &self.call);
        if let Some(breach) = breaches.find(|breach| breach.exchange.succeeded()) {
            let actual = "the breach was not noticed as one: it was accepted";
            return Err(Stop::unproven(actual, [breach.n()]));
        }
        let snapshot = |label: &Label| peer_shown(trace, label).or_unproven("the peers were not shown");
        let (first, one) = snapshot(&self.after_first)?;
        let (fifth, five) = snapshot(&self.after_fifth)?;
        let evidence = [first, fifth];
        match (is_suspended(one), is_suspended(five)) {
            (Some(true), _) => return Err(Stop::broken("one breach alone suspended the peer", evidence)),
            (_, Some(false)) => return Err(Stop::broken("five breaches did not suspend the peer", evidence)),
            (Some(false), Some(true)) => {}
            (None, _) | (_, None) => {
                let actual = format!("a status is not known: {}, {}", one["status"], five["status"]);
                return Err(Stop::unproven(actual, evidence));
            }
        }
        self.is_served_no_more(trace, evidence)?;
        Ok(Pass::new("suspended on repetition only, and served no more", evidence))
    }
}

impl RepeatedBreachSuspends {
    /// Ends the check unless the suspended peer, which was served before, is refused.
    /// `snapshots` are the entries of both snapshots.
    fn is_served_no_more(&self, trace: &Trace, snapshots: [u64; 2]) -> Result<(), Stop> {
        let [_, fifth] = snapshots;
        let made = |label: &Label| calls(trace).labelled(label).collect::<Vec<Call<'_>>>();
        let (controls, probes) = (made(&self.control), made(&self.probe));
        if let Some(probe) = probes.iter().find(|probe| probe.exchange.succeeded()) {
            let actual = format!("the peer is shown as suspended, and served: {}", probe.summary());
            return Err(Stop::broken(actual, [fifth, probe.n()]));
        }
        let was_served = !controls.is_empty() && controls.iter().all(|control| control.exchange.succeeded());
        if probes.is_empty() || !was_served {
            return Err(Stop::unproven("the peer was not served before its breaches either", snapshots));
        }
        if let Some(probe) = probes.iter().find(|probe| !probe.exchange.was_refused()) {
            let actual = format!("neither refused nor accepted: {}", probe.summary());
            return Err(Stop::unproven(actual, [fifth, probe.n()]));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict on peers of these statuses, if the suspended one gets these answers before and
    /// after.
    fn repeated(one: &str, five: &str, before: u16, after: u16) -> Verdict {
        let call = |status: u16| {
            let call = Exchange::to_target("alice").on("POST", "accept").sending(json!({}));
            call.answered_with(status, json!({"data": {}}))
        };
        TraceBuilder::new()
            .call("control", call(before))
            .operation("after-one", "peer.show", json!({"peer": {"status": one}}))
            .operation("after-five", "peer.show", json!({"peer": {"status": five}}))
            .call("probe", call(after))
            .verdict::<RepeatedBreachSuspends>(json!({
                "call": [], "after_first": "after-one", "after_fifth": "after-five", "probe": "probe",
                "control": "control",
            }))
    }

    #[test]
    fn suspension_at_once_or_never_or_in_name_only_is_broken() {
        assert_eq!(repeated("active", "suspended", 200, 401), Kept);
        assert_eq!(repeated("suspended", "suspended", 200, 401), Broken);
        assert_eq!(repeated("active", "active", 200, 401), Broken);
        assert_eq!(repeated("active", "suspended", 200, 200), Broken);
        assert_eq!(repeated("active", "Suspended (review)", 200, 401), Kept);
        assert_eq!(repeated("active", "quarantined", 200, 401), Unproven);
        assert_eq!(repeated("active", "suspended", 401, 401), Unproven);
        assert_eq!(repeated("active", "suspended", 200, 500), Unproven);
    }
}
