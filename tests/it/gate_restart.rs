//! The restart of one platform of a pair: both federate afterwards as before, or the gate names what does not.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use covenant::clock::Seed;
use covenant::gate::{Choice, PairPlay, PairTarget, Pairing, SEED, StepOutcome, Verdict, pair, play_pair};
use covenant::operator::platform::{Kill, Stop};
use covenant::operator::{
    Embedded, EmbeddedOptions, Kinds, Lease, Method, OperatorClient, OperatorError, OperatorMethod,
    TargetRequest, Targets, resource,
};
use covenant::transcript::Direction;
use serde_json::{Value, json};

const LISTEN: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Deeds of an operator client in place of some methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instead {
    /// Nothing: it is as it is.
    Nothing,
    /// It has neither `platform.kill` nor `platform.stop`.
    EndsNothing,
    /// It refuses to read after the platform was killed, as one does that lost its grants.
    ForgetsGrants,
    /// It refuses to be killed and to be stopped.
    RefusesToEnd,
    /// It is gone with its platform when it is asked to read.
    Dies,
}

/// The reference, behind an operator client of its own.
#[derive(Debug)]
struct Behind(Instead, Embedded);

struct Client(Instead, Arc<dyn OperatorClient>, AtomicBool);

#[async_trait]
impl Targets for Behind {
    async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
        let lease = self.1.lease(request).await?;
        let operator = Arc::new(Client(self.0, lease.operator.clone(), AtomicBool::new(false)));
        Ok(Lease { operator, ..lease })
    }
}

#[async_trait]
impl OperatorClient for Client {
    async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
        if self.0 == Instead::EndsNothing && [Kill::METHOD, Stop::METHOD].contains(&method) {
            return Err(OperatorError::unsupported(method));
        }
        if self.0 == Instead::RefusesToEnd && [Kill::METHOD, Stop::METHOD].contains(&method) {
            return Err(OperatorError::refused(method, -32000, "not during the day"));
        }
        if method == Kill::METHOD {
            self.2.store(true, Ordering::SeqCst);
        }
        let is_forgotten = self.0 == Instead::ForgetsGrants && self.2.load(Ordering::SeqCst);
        if is_forgotten && method == resource::Fetch::METHOD {
            return Err(OperatorError::refused(method, -32000, "no grant is held"));
        }
        if self.0 == Instead::Dies && (method == resource::Fetch::METHOD || self.2.load(Ordering::SeqCst)) {
            if !self.2.swap(true, Ordering::SeqCst) {
                self.1.call(Kill::METHOD, json!({})).await?;
            }
            return Err(OperatorError::adapter(method, "ended with exit code 3"));
        }
        self.1.call(method, parameters).await
    }

    fn settles_at_once(&self) -> bool {
        self.1.settles_at_once()
    }

    fn kinds(&self) -> Option<&Kinds> {
        self.1.kinds()
    }
}

fn targets(release: &str, instead: Instead) -> Arc<dyn Targets> {
    let settings = json!({"release": release, "last_known_good_release": format!("v{release}")});
    let options = EmbeddedOptions { listen: LISTEN, patches: vec![], settings };
    Arc::new(Behind(instead, Embedded::new(options)))
}

fn pairing(old: Instead, new: Instead) -> Pairing {
    let target = |release: &str, instead| PairTarget {
        name: release.to_owned(),
        targets: targets(release, instead),
        release: release.parse().ok(),
        is_one: false,
    };
    Pairing {
        old: target("1.4.2", old),
        new: target("1.5.0", new),
        rules: Choice::default(),
        notice: None,
        listen: LISTEN,
        seed: SEED,
    }
}

fn outcome<'a>(played: &'a PairPlay, name: &str) -> &'a StepOutcome {
    &played.steps.iter().find(|step| step.name == name).expect(name).outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_killed_starts_again_and_the_two_federate_on() {
    let (first, second) = (targets("1.4.2", Instead::Nothing), targets("1.5.0", Instead::Nothing));
    let played = play_pair([&*first, &*second], ["first", "second"], Seed(1), LISTEN).await.expect("a play");
    assert_eq!(outcome(&played, "the joiner: platform.kill (whose connection is cut)"), &StepOutcome::Done);
    assert_eq!(outcome(&played, "the joiner: platform.start (again)"), &StepOutcome::Done);
    let passed = |name: &str, of: usize| -> Vec<Option<u64>> {
        let step = played.steps.iter().find(|step| step.name == name).expect(name);
        let of_step = played.views[of].passed.iter().filter(|(number, _)| *number == step.number);
        let calls = of_step.filter(|(_, template)| template.direction == Direction::FromTarget);
        calls.map(|(_, template)| template.status()).collect()
    };
    // Nobody answers while it is down.
    let down = "the proposer: heartbeat.send (whose connection is cut by the end of the joiner)";
    assert_eq!(passed(down, 0), [None]);
    for (who, of) in [("the proposer", 0), ("the joiner", 1)] {
        for method in ["heartbeat.send", "resource.fetch"] {
            let name = format!("{who}: {method} (after a restart of the joiner)");
            assert_eq!(passed(&name, of), [Some(200)], "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_loses_its_grants_at_a_restart_breaks() {
    let comparison =
        pair(&pairing(Instead::Nothing, Instead::ForgetsGrants)).await.expect("a pair").comparison;
    assert_eq!(comparison.verdict, Verdict::Breaking, "{:#?}", comparison.breaking);
    let found =
        comparison.breaking.iter().find(|found| found.route.contains("after a restart of the joiner"));
    let found = found.expect("the read after the restart");
    assert!(found.rule.id == "scenario-ended" && found.text.contains("no grant is held"), "{found:#?}");
    assert!(comparison.skipped.is_empty(), "{:?}", comparison.skipped);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adapter_that_dies_breaks_nothing() {
    for (old, new) in [(Instead::Nothing, Instead::Dies), (Instead::Dies, Instead::Nothing)] {
        let comparison = pair(&pairing(old, new)).await.expect("a pair").comparison;
        assert_eq!(comparison.verdict, Verdict::Incomplete, "{:#?}", comparison.breaking);
        let why = comparison.not_compared.iter().find(|one| one.why.contains("ended with exit code 3"));
        assert!(why.is_some(), "{:?}", comparison.not_compared);
    }
}

/// Compares pairs in which both releases or one of them can't be ended, and returns the reports. Each says why no release
/// was restarted, and breaks nothing.
async fn pairs_without_a_restart(instead: Instead, reason: &str) -> Vec<String> {
    let mut reports = vec![];
    for (old, new, roles) in
        [(instead, instead, 2), (Instead::Nothing, instead, 1), (instead, Instead::Nothing, 1)]
    {
        let comparison = pair(&pairing(old, new)).await.expect("a pair").comparison;
        assert_eq!(comparison.verdict, Verdict::Compatible, "{comparison:#?}");
        assert_eq!(comparison.skipped.len(), roles, "{:?}", comparison.skipped);
        let why = &comparison.skipped[0].why;
        assert!(why.contains(reason), "{why}");
        reports.push(covenant::gate::text(&comparison));
    }
    reports
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_method_ends_a_platform_the_relay_is_closed_and_the_report_says_so() {
    let reason = "has no method platform.kill and has no method platform.stop";
    for report in pairs_without_a_restart(Instead::EndsNothing, reason).await {
        assert!(report.contains("skipped step: paired/the-new-release-"), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_refuses_to_be_killed_was_not_restarted() {
    let reason = "refuses platform.kill (not during the day) and refuses platform.stop";
    pairs_without_a_restart(Instead::RefusesToEnd, reason).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_is_held_against_no_release_that_was_never_ended() {
    for old in [Instead::EndsNothing, Instead::RefusesToEnd] {
        let comparison = pair(&pairing(old, Instead::ForgetsGrants)).await.expect("a pair").comparison;
        assert_eq!(comparison.verdict, Verdict::Compatible, "{:#?}", comparison.breaking);
        let why = comparison.not_recorded.iter().find(|one| one.why.contains("never ended"));
        assert!(
            why.is_some_and(|one| one.id == "paired/the-new-release-joins"),
            "{:?}",
            comparison.not_recorded
        );
    }
    // The old release lost its grants, and the new one was never ended: that it serves on breaks nothing.
    let comparison = pair(&pairing(Instead::ForgetsGrants, Instead::EndsNothing)).await.expect("a pair");
    let comparison = comparison.comparison;
    assert_eq!(comparison.verdict, Verdict::Compatible, "{:#?}", comparison.breaking);
    let why = comparison.not_recorded.iter().find(|one| one.why.contains("lost something"));
    assert!(why.is_some(), "{:?}", comparison.not_recorded);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_follows_an_end_that_is_left_out_was_not_compared() {
    let mut pairing = pairing(Instead::Nothing, Instead::ForgetsGrants);
    pairing.rules.except.insert("scenario-ended".to_owned());
    let comparison = pair(&pairing).await.expect("a pair").comparison;
    assert_eq!(comparison.verdict, Verdict::Incomplete, "{:#?}", comparison.breaking);
    let why = comparison.not_compared.iter().find(|one| one.why.contains("--except leaves out"));
    assert!(why.is_some_and(|one| one.id == "paired/the-new-release-joins"), "{:?}", comparison.not_compared);
}
