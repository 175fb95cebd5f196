//! Tests of known breaches.

use super::*;
use crate::check::PlannedCheck;
use crate::contract::Basis::Observed;
use crate::contract::{ClauseId, TextId, V1_2026_05, V1_2026_06};
use crate::sample::report;
use Verdict::{Broken, Kept, NotApplicable, Unproven};

const TODAY: Date = jiff::civil::date(2026, 5, 4);

fn checks() -> Vec<(PlannedCheck, TextRange)> {
    let every = report(&[("7.1", Observed, Kept), ("7.2", Observed, Kept), ("7.3", Observed, Kept)]);
    let checks = every.checks.into_iter().map(|check| check.evaluation.check);
    checks.map(|check| (check, TextRange::default())).collect()
}

fn file(text: &str) -> Result<KnownFile, String> {
    KnownFile::parse(text, "known.toml", &checks()).map_err(|error| error.to_string())
}

fn entry(clause: &str, more: &str) -> String {
    format!(
        "[[breach]]\ncheck = \"scenario/{clause}#*\"\nclause = \"{clause}\"\nreason = \"we fix it\"\n{more}\n"
    )
}

/// Returns the report with the file applied.
fn applied(text: &str, verdict: Verdict) -> Report {
    let mut report = report(&[("7.1", Observed, verdict)]);
    apply(&file(text).expect("it reads"), &mut report, TODAY);
    report
}

#[test]
fn a_breach_is_known_until_its_entry_expires() {
    let known = applied(&entry("7.1", "link = \"https://a.example\"\nexpires = 2026-05-04"), Broken);
    let why = known.checks[0].known.as_ref().expect("it is known").to_string();
    assert_eq!(why, "we fix it (https://a.example), until 2026-05-04");
    assert!(known.is_all_known() && known.known_faults.is_empty());
    assert!(known.headline().ends_with("; known: 1 of 1 broken checks"), "{}", known.headline());
    let expired = applied(&entry("7.1", "expires = \"2026-05-03\""), Broken);
    assert!(expired.checks[0].known.is_none());
    let fault = expired.known_faults[0].to_string();
    assert!(
        fault.starts_with("known.toml:1: the known breach of 7.1 by scenario/7.1#* has expired"),
        "{fault}"
    );
}

#[test]
fn an_entry_whose_breach_no_longer_happens_fails_the_run() {
    for verdict in [Kept, NotApplicable] {
        let over = applied(&entry("7.1", ""), verdict);
        assert!(over.known_faults[0].why.starts_with("no longer happens"), "{:?}", over.known_faults);
    }
    assert_eq!(applied(&entry("7.1", ""), Unproven).known_faults, []);
    assert_eq!(applied(&entry("7.2", ""), Kept).known_faults, [], "7.2 was not played");
}

/// Returns a report of two checks of one clause, of which the entry names both, with the file applied.
fn applied_to_two(verdicts: [Verdict; 2], texts: [TextRange; 2]) -> Report {
    let [one, other] = verdicts;
    let mut report = report(&[("7.1", Observed, one), ("7.1", Observed, other)]);
    report.checks[1].evaluation.check.id = "scenario/7.1#2".to_owned();
    let named =
        report.checks.iter().map(|check| check.evaluation.check.clone()).zip(texts).collect::<Vec<_>>();
    let is_asked_for = |texts: &TextRange| texts.contains(&V1_2026_05);
    let played = named.iter().filter(|(_, texts)| is_asked_for(texts)).map(|(check, _)| check.id.clone());
    let played: Vec<String> = played.collect();
    report.checks.retain(|check| played.contains(&check.evaluation.check.id));
    let known = KnownFile::parse(&entry("7.1", ""), "known.toml", &named).expect("it reads");
    apply(&known, &mut report, TODAY);
    report
}

#[test]
fn an_entry_is_over_only_if_none_of_its_checks_is_broken() {
    let all = [TextRange::default(); 2];
    for (verdicts, known, faults) in [
        ([Kept, Broken], 1, 0),
        ([Broken, NotApplicable], 1, 0),
        ([Broken, Broken], 2, 0),
        ([Kept, Unproven], 0, 0),
        ([Kept, Kept], 0, 1),
    ] {
        let report = applied_to_two(verdicts, all);
        assert_eq!((report.known_breaches(), report.known_faults.len()), (known, faults), "{verdicts:?}");
    }
}

#[test]
fn an_entry_is_over_although_another_text_asks_for_more_checks() {
    let later = TextRange { since: Some(TextId(&V1_2026_06)), until: None };
    let report = applied_to_two([Kept, Kept], [TextRange::default(), later]);
    assert_eq!((report.checks.len(), report.known_faults.len()), (1, 1));
    assert_eq!(applied_to_two([Kept, Kept], [later; 2]).known_faults, [], "it is of another text");
}

#[test]
fn a_void_run_says_nothing_of_an_entry() {
    let mut void = report(&[("7.1", Observed, Kept)]);
    void.void = Some("no handshake".to_owned());
    apply(&file(&entry("7.1", "")).expect("it reads"), &mut void, TODAY);
    assert_eq!(void.known_faults, []);
}

#[test]
fn what_is_wrong_with_a_file_is_shown_with_its_place_and_the_nearest_word() {
    for (text, place, part) in [
        (entry("7.1", "expire = 2026-01-01"), ":5:1", "did you mean `expires`?"),
        (entry("7.1", "expires = \"soon\""), ":5:11", "a date was expected"),
        (entry("7.1", "").replace("clause = \"7.1\"", "clause = \"7.1x\""), ":3:10", "no clause is called"),
        (
            entry("7.1", "").replace("scenario/7.1#*", "scenraio/7.1#1"),
            ":2:9",
            "did you mean `scenario/7.1#1`?",
        ),
        (entry("7.1", "").replace("clause = \"7.1\"", "clause = \"7.2\""), ":3:10", "they are about 7.1"),
        (entry("7.1", "").replace("we fix it", " "), ":4:10", "the reason is empty"),
        ("[[breaches]]\n".to_owned(), ":1:3", "did you mean `breach`?"),
        (
            "[[breach]]\ncheck = \"scenario/7.1#1\"\nclause = \"7.1\"\n".to_owned(),
            ":2:1",
            "missing field `reason`",
        ),
    ] {
        let error = file(&text).expect_err(&text);
        assert!(error.starts_with(&format!("known.toml{place}: ")), "{error}");
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_update_keeps_what_stays_takes_out_what_is_over_and_adds_what_is_new() {
    let before =
        [entry("7.1", "expires = 2026-01-01"), entry("7.2", "link = \"https://b.example\"")].concat();
    let now = report(&[("7.1", Observed, Broken), ("7.2", Observed, Kept), ("7.3", Observed, Broken)]);
    let (text, update) = updated(&file(&before).expect("it reads"), &now, TODAY);
    assert_eq!(update, Update { kept: 1, added: 1, removed: 1 });
    let renewed = file(&text).expect("it reads");
    let rows: Vec<(String, ClauseId, String)> = renewed
        .entries
        .iter()
        .map(|entry| (entry.check.clone(), entry.clause, entry.known.to_string()))
        .collect();
    let clause = |id: &str| id.parse::<ClauseId>().expect("a clause");
    assert_eq!(
        rows,
        [
            ("scenario/7.1#*".to_owned(), clause("7.1"), "we fix it, until 2026-01-01".to_owned()),
            ("scenario/7.3#1".to_owned(), clause("7.3"), "not examined yet, until 2026-05-04".to_owned()),
        ]
    );
    let (again, update) = updated(&renewed, &now, TODAY);
    assert_eq!((again, update), (text, Update { kept: 2, ..Update::default() }));
}
