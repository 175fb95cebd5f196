//! The effect of a contract text on a planned check: the check is evaluated, left out of the plan, not applicable,
//! or unproven because the text is unknown.

use super::{CheckResult, Evaluation, PlannedCheck, Verdict, evaluate};
use covenant_model::contract::{ClauseId, HeldText, REGISTERS, Register, Section, TextRange};
use covenant_model::transcript::Trace;

/// The reason of a check that depends on a text which is not known.
const TEXT_UNKNOWN: &str = "contract text unknown: pass --contract";

/// The clause about the digests that a platform stores.
const DIGESTS_ARE_STORED: ClauseId = ClauseId { section: Section::Versioning, item: 1 };

/// Evaluates a planned check under the contract text of the run. `texts` are the texts for which the check
/// holds. Returns `None` if the text is none of them: such a check is not part of the plan.
#[must_use]
pub fn evaluate_under(
    check: &PlannedCheck,
    trace: Option<&Trace>,
    held: &HeldText,
    texts: TextRange,
) -> Option<Evaluation> {
    let Some(register) = held.register() else {
        return Some(evaluate_without_text(check, trace, held, texts));
    };
    if !texts.contains(register) {
        return None;
    }
    let evaluation = evaluate(check, trace);
    let withdrawn = register.clause(check.clause).is_some_and(|clause| clause.withdrawn);
    let result = if withdrawn { not_asked_for(register, evaluation.result) } else { evaluation.result };
    Some(Evaluation { result, ..evaluation })
}

/// Returns whether the verdict of a check depends on which of the known texts the target keeps.
#[must_use]
pub fn depends_on_text(clause: ClauseId, texts: TextRange) -> bool {
    let withdraws = |text: &&Register| text.clause(clause).is_some_and(|clause| clause.withdrawn);
    !texts.holds_for_all() || REGISTERS.iter().any(withdraws)
}

/// Returns the reason for which nobody is held to a clause that this text withdraws.
#[must_use]
pub fn not_asked_for_reason(register: &Register) -> String {
    format!("the contract text of {} does not ask for it", register.id)
}

/// Evaluates a check if the text is unknown. What holds under every text is evaluated all the same.
fn evaluate_without_text(
    check: &PlannedCheck,
    trace: Option<&Trace>,
    held: &HeldText,
    texts: TextRange,
) -> Evaluation {
    if depends_on_text(check.clause, texts) {
        let result = CheckResult::unproven(TEXT_UNKNOWN, vec![]);
        return Evaluation { check: check.clone(), result, flaky: None };
    }
    let mut evaluation = evaluate(check, trace);
    // Whether an unknown digest is that of the text can't be checked.
    let is_open = check.clause == DIGESTS_ARE_STORED && held.contract_digest.is_some();
    if is_open && evaluation.result.verdict == Verdict::Kept {
        evaluation.result.verdict = Verdict::Unproven;
        TEXT_UNKNOWN.clone_into(&mut evaluation.result.actual);
    }
    evaluation
}

/// Turns the result of a check of a withdrawn clause into `not applicable`. What was seen stays in the result,
/// so that the report shows a target that does more than the text asks for.
fn not_asked_for(register: &Register, result: CheckResult) -> CheckResult {
    let reason = not_asked_for_reason(register);
    let actual = match result.verdict {
        Verdict::Kept | Verdict::Broken => format!("{reason}; seen: {}", result.actual),
        Verdict::Unproven | Verdict::NotApplicable => reason,
    };
    CheckResult { verdict: Verdict::NotApplicable, expected: vec![], actual, evidence: result.evidence }
}

#[cfg(test)]
mod tests {
    use super::*;
    use covenant_model::clock::Clock;
    use covenant_model::contract::{Aspect, Basis, TextId, TextSource, V1_2026_05, V1_2026_06};
    use covenant_model::transcript::{Operation, Outcome, Recorder, What};
    use serde_json::json;

    const SINCE_LATER: TextRange = TextRange { since: Some(TextId(&V1_2026_06)), until: None };
    const UNTIL_FIRST: TextRange = TextRange { since: None, until: Some(TextId(&V1_2026_05)) };

    fn check(clause: &str, name: &str) -> PlannedCheck {
        PlannedCheck {
            id: "x#1".to_owned(),
            scenario: "x".to_owned(),
            clause: clause.parse().expect("a clause"),
            aspect: Aspect::Conduct,
            check: name.to_owned(),
            basis: Basis::Proposed,
            rests_on: vec![],
            deepens: false,
            requirement: String::new(),
            with: [("snapshot".to_owned(), json!("listed"))].into(),
        }
    }

    /// Returns a trace in which the target lists this digest for version 1.
    fn trace(digest: &str) -> Trace {
        let recorder =
            Recorder::in_memory("x", Clock::manual("2026-06-01T00:00:00Z".parse().expect("a timestamp")));
        let result = Some(json!([{"version": 1, "digest": digest}]));
        let list = Operation { method: "contract.list".into(), parameters: json!({}), result, failure: None };
        recorder.record(None, Some("listed"), What::Operation(list));
        recorder.end(Outcome::Completed)
    }

    fn result(clause: &str, held: &HeldText, texts: TextRange) -> Option<(Verdict, String)> {
        let trace = trace(held.contract_digest.as_deref().unwrap_or(V1_2026_05.digest));
        let evaluation = evaluate_under(&check(clause, "digests-are-stored"), Some(&trace), held, texts)?;
        Some((evaluation.result.verdict, evaluation.result.actual))
    }

    #[test]
    fn a_check_of_other_texts_is_left_out() {
        let held = |text| HeldText::known(text, TextSource::User);
        for (text, texts, planned) in [
            (&V1_2026_05, TextRange::default(), true),
            (&V1_2026_05, UNTIL_FIRST, true),
            (&V1_2026_05, SINCE_LATER, false),
            (&V1_2026_06, UNTIL_FIRST, false),
            (&V1_2026_06, SINCE_LATER, true),
        ] {
            assert_eq!(result("7.1", &held(text), texts).is_some(), planned, "{} {texts}", text.id);
        }
    }

    #[test]
    fn a_withdrawn_clause_is_not_applicable_and_names_what_was_seen() {
        let held = HeldText::known(&V1_2026_06, TextSource::ContractList);
        let (verdict, actual) = result("E.2", &held, TextRange::default()).expect("planned");
        assert_eq!(verdict, Verdict::NotApplicable);
        assert!(
            actual.starts_with("the contract text of 2026-06 does not ask for it; seen: 1 versions"),
            "{actual}"
        );
        let unrun = evaluate_under(&check("E.2", "digests-are-stored"), None, &held, TextRange::default());
        assert_eq!(unrun.expect("planned").result.actual, "the contract text of 2026-06 does not ask for it");
        let first = HeldText::known(&V1_2026_05, TextSource::ContractList);
        assert_eq!(result("E.2", &first, TextRange::default()).expect("planned").0, Verdict::Kept);
    }

    #[test]
    fn without_a_text_what_the_texts_agree_on_is_evaluated() {
        let nothing = HeldText::unknown(TextSource::Nothing);
        let verdict = |clause: &str, held: &HeldText, texts| result(clause, held, texts).expect("planned").0;
        assert_eq!(verdict("7.1", &nothing, TextRange::default()), Verdict::Kept);
        assert_eq!(verdict("7.1", &nothing, SINCE_LATER), Verdict::Unproven);
        assert_eq!(verdict("7.1", &nothing, UNTIL_FIRST), Verdict::Unproven);
        assert_eq!(verdict("E.2", &nothing, TextRange::default()), Verdict::Unproven);
        assert_eq!(verdict("V.1", &nothing, TextRange::default()), Verdict::Kept);
        let other = HeldText::stated(1, &"ab".repeat(32), TextSource::ContractList);
        assert_eq!(verdict("V.1", &other, TextRange::default()), Verdict::Unproven);
    }
}
