//! Finds the contract text that a target keeps, before the first accept of a run.
//!
//! Three sources are asked in order, and the first that names one known text counts: `describe`,
//! `contract.list`, and the answer to an accept without a digest. The user goes before all of them
//! (`--contract`).

use std::sync::Arc;

use serde_json::{Value, json};

use super::Run;
use crate::check::{depends_on_text, digest_written, digests_listed};
use crate::clock::Seed;
use crate::contract::{HeldText, TextSource, V1_2026_05, register};
use crate::operator::platform::{Describe, Start};
use crate::operator::{
    Method, OperatorClient, OperatorError, OperatorMethod, TargetRequest, Targets, contract,
};
use crate::scenario::{CheckSpec, Loaded, RunContext, load, play_scenario};
use crate::transcript::{Trace, Transcript};

/// The scenario of the accept without a digest, and its name.
const ACCEPT: &str = include_str!("../../audits/accept-without-digest.toml");
const ACCEPT_ID: &str = "contract-text/accept-without-digest";
/// The name of the lease in which the operator plane is asked.
const OPERATOR_ID: &str = "contract-text/operator";

/// The version number that the texts share.
const VERSION: u32 = V1_2026_05.contract_version;

/// The digests that the sources name, in lower-case hex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Statements {
    /// In the description of the operator client.
    described: Vec<String>,
    /// In the target's list of contracts.
    listed: Vec<String>,
    /// In the answer to an accept without a digest.
    answered: Option<String>,
}

/// Asks the target for its contract text. A source that cannot be asked names nothing: the run itself shows
/// what is wrong with it.
pub(super) async fn find(targets: &Arc<dyn Targets>, seed: Seed, run_context: &RunContext) -> HeldText {
    let Ok(mut statements) = of_operator(targets, seed).await else {
        return HeldText::unknown(TextSource::Nothing);
    };
    if let Some(held) = statements.of_operator() {
        return held;
    }
    statements.answered = of_accept(targets, seed, run_context).await;
    statements.conclude()
}

/// Asks the operator plane.
async fn of_operator(targets: &Arc<dyn Targets>, seed: Seed) -> Result<Statements, OperatorError> {
    let request = TargetRequest { scenario: OPERATOR_ID, seed, alone: false, durable: false };
    let lease = targets.lease(request).await?;
    let operator = lease.operator.as_ref();
    let described = ask(operator, Describe::METHOD).await?;
    let described = digests_listed(&described["contract_versions"], VERSION);
    let mut statements = Statements { described, ..Statements::default() };
    if statements.of_operator().is_none() {
        operator.call(Start::METHOD, json!({"settings": {}})).await?;
        statements.listed = digests_listed(&ask(operator, contract::List::METHOD).await?, VERSION);
    }
    Ok(statements)
}

/// Calls a method that the operator client may lack.
async fn ask(operator: &dyn OperatorClient, method: Method) -> Result<Value, OperatorError> {
    match operator.call(method, json!({})).await {
        Err(OperatorError::Unsupported { .. } | OperatorError::Refused { .. }) => Ok(Value::Null),
        other => other,
    }
}

/// Sends an accept without a digest, as a peer of its own, and reads the digest in the answer.
async fn of_accept(targets: &Arc<dyn Targets>, seed: Seed, run_context: &RunContext) -> Option<String> {
    let loaded = load(ACCEPT_ID, "accept-without-digest.toml", ACCEPT).ok()?;
    let silent = RunContext { contract_digest: None, ..run_context.clone() };
    let trace = play_scenario(&loaded, targets.as_ref(), &Transcript::in_memory(), seed, &silent).await;
    named_in(&trace)
}

fn named_in(trace: &Trace) -> Option<String> {
    let mut accepts = trace.exchanges_labelled("accepted").filter(|(_, exchange)| exchange.succeeded());
    accepts.find_map(|(_, exchange)| digest_written(&exchange.data()?["contract_digest"]))
}

impl Statements {
    /// Returns the known text that the operator plane names, if it names one.
    fn of_operator(&self) -> Option<HeldText> {
        let sources = [(&self.described, TextSource::Describe), (&self.listed, TextSource::ContractList)];
        let found = sources.into_iter().find_map(|(digests, source)| Some((only_known(digests)?, source)));
        found.map(|(digest, source)| HeldText::stated(VERSION, digest, source))
    }

    /// Returns the text that the statements name together.
    fn conclude(&self) -> HeldText {
        if let Some(held) = self.of_operator() {
            return held;
        }
        if let Some(answered) = &self.answered {
            return HeldText::stated(VERSION, answered, TextSource::Accept);
        }
        let digests = || self.described.iter().chain(&self.listed);
        if digests().any(|digest| register(VERSION, digest).is_some()) {
            return HeldText::unknown(TextSource::Several);
        }
        match (self.described.first(), self.listed.first()) {
            (_, Some(digest)) => HeldText::stated(VERSION, digest, TextSource::ContractList),
            (Some(digest), None) => HeldText::stated(VERSION, digest, TextSource::Describe),
            (None, None) => HeldText::unknown(TextSource::Nothing),
        }
    }
}

/// Returns the digest of the one known text among these; `None` if there is none, or more than one.
fn only_known(digests: &[String]) -> Option<&str> {
    let mut known = digests.iter().filter(|digest| register(VERSION, digest).is_some());
    let first = known.next()?;
    known.all(|other| other == first).then_some(first)
}

impl Run {
    /// Applies the contract text: the peers name it, and scenarios that only hold for other texts are left out.
    /// If the text is unknown, the scenarios that depend on it are planned and not played.
    pub(super) fn go_by(&mut self, held: &HeldText) {
        self.start.contract = held.clone();
        self.run_context.contract_digest = held.digest_to_send().map(ToOwned::to_owned);
        let bears = |loaded: &Loaded, bears: &dyn Fn(&CheckSpec) -> bool| {
            let checks = &loaded.scenario.checks;
            checks.is_empty() || checks.iter().any(|check| bears(check.get_ref()))
        };
        if let Some(register) = held.register() {
            let (kept, left_out): (Vec<_>, Vec<_>) = std::mem::take(&mut self.scenarios)
                .into_iter()
                .partition(|loaded| bears(loaded, &|check| check.texts().contains(register)));
            self.scenarios = kept;
            self.start.scenarios.retain(|id| left_out.iter().all(|loaded| loaded.id != *id));
        } else {
            self.scenarios
                .retain(|loaded| bears(loaded, &|check| !depends_on_text(check.clause, check.texts())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::check::Verdict;
    use crate::contract::V1_2026_06;
    use crate::operator::{Embedded, EmbeddedOptions, Lease};
    use crate::property::PROPERTIES;
    use crate::reference::{Patch, variant};
    use crate::report::Report;
    use crate::runner::{
        NoObserver, Plan, Selection, Target, assess, library, planned_with_texts, play, property_case,
        run_context,
    };
    use crate::score::Standing;
    use crate::transcript::{Exchange, Reading, Recorder, What, read};

    const FIRST: &str = V1_2026_05.digest;
    const LATER: &str = V1_2026_06.digest;

    #[test]
    fn the_first_source_that_names_one_known_text_counts() {
        use TextSource::{Accept, ContractList, Describe, Nothing, Several};
        let other = "ab".repeat(32);
        let other = other.as_str();
        for (described, listed, answered, text, source) in [
            (vec![FIRST], vec![LATER], None, Some("2026-05"), Describe),
            (vec![], vec![FIRST], None, Some("2026-05"), ContractList),
            (vec![], vec![LATER], Some(FIRST), Some("2026-06"), ContractList),
            (vec![], vec![LATER, other], None, Some("2026-06"), ContractList),
            (vec![other], vec![LATER], None, Some("2026-06"), ContractList),
            (vec![], vec![other], Some(FIRST), Some("2026-05"), Accept),
            (vec![], vec![FIRST, LATER], Some(LATER), Some("2026-06"), Accept),
            (vec![], vec![], Some(LATER), Some("2026-06"), Accept),
            (vec![], vec![], Some(other), None, Accept),
            (vec![], vec![FIRST, LATER], None, None, Several),
            (vec![], vec![other], None, None, ContractList),
            (vec![other], vec![], None, None, Describe),
            (vec![], vec![], None, None, Nothing),
        ] {
            let owned = |digests: &[&str]| digests.iter().map(|digest| (*digest).to_owned()).collect();
            let statements = Statements {
                described: owned(&described),
                listed: owned(&listed),
                answered: answered.map(ToOwned::to_owned),
            };
            let held = statements.conclude();
            let found = (held.register().map(|register| register.id), held.contract_source);
            assert_eq!(found, (text, source), "{statements:?}");
        }
    }

    #[test]
    fn an_answer_names_the_text_only_if_the_accept_succeeded() {
        let clock = crate::clock::Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp"));
        let named = |status: u16, body: Value| {
            let recorder = Recorder::in_memory("x", clock.clone());
            let accept = Exchange::to_target("asker").on("POST", "accept").answered_with(status, body);
            recorder.record(None, Some("accepted"), What::Exchange(accept));
            named_in(&recorder.trace())
        };
        let data = json!({"success": true, "data": {"contract_digest": LATER.to_uppercase()}});
        assert_eq!(named(200, data.clone()).as_deref(), Some(LATER));
        assert_eq!(named(422, data), None);
        assert_eq!(named(200, json!({"data": {"contract_digest": "no digest"}})), None);
        assert_eq!(named(200, json!({"data": {}})), None);
    }

    /// The embedded platform, behind an operator client that lacks the list of contracts.
    #[derive(Debug)]
    struct WithoutList(Embedded);

    #[async_trait::async_trait]
    impl Targets for WithoutList {
        async fn lease(&self, request: TargetRequest<'_>) -> Result<Lease, OperatorError> {
            let lease = self.0.lease(request).await?;
            Ok(Lease { operator: Arc::new(Unlisted(lease.operator)), ..lease })
        }
    }

    struct Unlisted(Arc<dyn OperatorClient>);

    #[async_trait::async_trait]
    impl OperatorClient for Unlisted {
        async fn call(&self, method: Method, parameters: Value) -> Result<Value, OperatorError> {
            if method == contract::List::METHOD {
                return Err(OperatorError::unsupported(method));
            }
            self.0.call(method, parameters).await
        }
    }

    fn later() -> Vec<&'static Patch> {
        vec![variant("keeps-contract-text-of-2026-06").expect("a variant")]
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_text_of_a_platform_is_found_in_its_list_or_in_its_answer_to_an_accept() {
        let listen = std::net::Ipv4Addr::LOCALHOST.into();
        for (patches, text) in [(vec![], "2026-05"), (later(), "2026-06")] {
            let embedded = Embedded::new(EmbeddedOptions { listen, patches, settings: json!({}) });
            let targets: [(Arc<dyn Targets>, TextSource); 2] = [
                (Arc::new(embedded.clone()), TextSource::ContractList),
                (Arc::new(WithoutList(embedded)), TextSource::Accept),
            ];
            for (targets, source) in targets {
                let held = find(&targets, Seed(1), &run_context(listen)).await;
                let found = (held.register().map(|register| register.id), held.contract_source);
                assert_eq!(found, (Some(text), source));
            }
        }
    }

    /// Plays the scenarios of these patterns and returns the transcript that was read back.
    async fn played(plan: Plan, only: &[&str]) -> Reading {
        let only: Vec<String> = only.iter().map(|pattern| (*pattern).to_owned()).collect();
        let selection = Selection::new(&only, &[]).expect("patterns");
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("transcript.jsonl");
        let (_running, stop) = tokio::sync::watch::channel(false);
        let run = Plan { selection, cases: 0, ..plan }.prepare(path.clone(), stop).expect("a run");
        play(run, Arc::new(NoObserver)).await.expect("it is written");
        read(&path).expect("a transcript")
    }

    fn at(report: &Report, standing: Standing) -> BTreeSet<String> {
        let rows = report.score.aspects.iter().filter(|row| row.standing == standing);
        rows.map(|row| format!("{} {}", row.clause, row.aspect)).collect()
    }

    const DEPENDENT: [&str; 5] =
        ["12.2 detection", "9.2 detection", "E.1 detection", "E.2 detection", "E.3 conduct"];

    #[test]
    fn the_rows_that_differ_and_no_others_depend_on_the_text() {
        let library = library(None).expect("sound scenarios");
        let properties = PROPERTIES.iter().filter_map(|property| property_case(&property.trace()));
        let every: Vec<Loaded> = library.iter().cloned().chain(properties).collect();
        let checks = every.iter().flat_map(|loaded| planned_with_texts(&loaded.id, loaded));
        let dependent = checks.filter(|(check, texts)| depends_on_text(check.clause, *texts));
        let dependent: BTreeSet<String> =
            dependent.map(|(check, _)| format!("{} {}", check.clause, check.aspect)).collect();
        assert_eq!(dependent, DEPENDENT.map(ToOwned::to_owned).into());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn with_an_unknown_digest_the_clauses_that_differ_and_the_stored_digests_are_unproven() {
        let held = HeldText::stated(VERSION, &"ab".repeat(32), TextSource::ContractList);
        let plan = Plan { contract: Some(held.clone()), ..Plan::default() };
        let reading = played(plan, &["08-*/*", "09-*/*", "12-*/mismatch-*", "E-*/*", "V-*/digests*"]).await;
        let report = assess(&reading);
        assert_eq!(
            (&report.contract, report.contract_text.as_deref(), report.void.as_deref()),
            (&held, None, None)
        );
        let unproven = DEPENDENT.iter().chain(&["V.1 conduct"]).map(|aspect| (*aspect).to_owned()).collect();
        assert_eq!(
            (at(&report, Standing::Unproven), at(&report, Standing::Broken)),
            (unproven, BTreeSet::new())
        );
        let reasons = report.score.aspects.iter().filter_map(|row| row.reason.as_deref());
        assert!(reasons.into_iter().all(|reason| reason == "contract text unknown: pass --contract"));
        assert!(at(&report, Standing::Kept).contains("8.1 detection"));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_transcript_is_evaluated_again_by_the_text_that_was_found() {
        let only = ["09-*/comp*", "E-*/*"];
        let plan = |patches| Plan { target: Target::Embedded(patches), ..Plan::default() };
        let (first, later) = (played(plan(vec![]), &only).await, played(plan(later()), &only).await);
        for (reading, text, planned) in [
            (&first, &V1_2026_05, "E-enforcement/soft-findings-are-shown"),
            (&later, &V1_2026_06, "E-enforcement/findings-of-commitment-1-are-shown"),
        ] {
            assert_eq!(reading.start.contract, HeldText::known(text, TextSource::ContractList));
            assert!(reading.start.scenarios.iter().any(|id| id == planned), "{:?}", reading.start.scenarios);
            let report = assess(reading);
            assert_eq!(report.contract_text.as_deref(), Some(text.id));
            assert!(report.checks.iter().all(|check| check.evaluation.result.verdict != Verdict::Broken));
            let suspends = if text.clause("E.2".parse().expect("a clause")).expect("a row").withdrawn {
                Standing::NotApplicable
            } else {
                Standing::Kept
            };
            assert!(at(&report, suspends).contains("E.2 detection"), "{}", text.id);
        }
        let elsewhere = |id: &str| first.start.scenarios.iter().all(|other| other != id);
        assert!(elsewhere("E-enforcement/findings-are-named-by-the-contract"));
    }

    #[test]
    fn the_scenario_of_the_accept_is_sound() {
        let loaded = load(ACCEPT_ID, "accept-without-digest.toml", ACCEPT).expect("a sound scenario");
        assert!(loaded.scenario.checks.is_empty() && !loaded.scenario.intrusive);
    }
}
