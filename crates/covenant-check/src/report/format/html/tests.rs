use super::*;
use crate::report::sample::{flaky, report};
use crate::report::{MissingMethod, ShownEntry, ShownKind, ShownTrace};
use covenant_model::contract::Basis::{Observed, Proposed};

/// Text that a hostile target could send, in each place where a text of it is shown.
const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&lt;\u{202e}";

fn entry(n: u64, text: &str) -> ShownEntry {
    ShownEntry {
        n,
        at: "2026-06-01T00:00:00Z".to_owned(),
        kind: ShownKind::Exchange,
        label: Some(text.to_owned()),
        from: text.to_owned(),
        to: "target".to_owned(),
        call: format!("GET /{text}"),
        outcome: text.to_owned(),
        injected: vec![text.to_owned()],
        request: vec![text.to_owned()],
        response: vec![format!("\"conflict_log\": \"{text}\"")],
        connection: Some(text.to_owned()),
    }
}

#[test]
fn a_flaky_check_is_named_in_the_head_and_in_its_row() {
    let page = html(&flaky(&report(&[("7.3", Proposed, Verdict::Broken)])));
    assert!(
        page.contains(
            "<strong>Flaky: </strong>checks that are broken in some plays of their scenario alone: 1"
        ),
        "{page}"
    );
    assert!(page.contains("<strong>flaky</strong>") && page.contains(" of scenario retry 1"), "{page}");
    assert!(page.contains("flaky: broken in 1 of 2 plays: why"), "{page}");
}

/// Returns a report in which a hostile target named all that it can name.
fn hostile() -> Report {
    let mut report = report(&[("7.3", Proposed, Verdict::Broken), ("7.1", Observed, Verdict::Unproven)]);
    let text = || HOSTILE.to_owned();
    report.target = text();
    report.binding = text();
    report.target_arguments = vec![text()];
    report.platform.release = Some(text());
    report.platform.address = Some(text());
    report.platform.certificate_sha256 = Some(text());
    report.transcript_sha256 = text();
    report.contract.contract_digest = Some(text());
    report.missing_methods = vec![MissingMethod { method: text(), aspects: vec![text()] }];
    report.warnings = vec![crate::warning::sample()];
    report.warnings[0].text = text();
    report.shown = vec![ShownTrace {
        scenario: "scenario".to_owned(),
        entries_in_all: 9,
        entries: vec![entry(3, HOSTILE)],
    }];
    for check in &mut report.checks {
        check.replay = text();
        check.evaluation.check.requirement = text();
        check.evaluation.check.id = text();
        check.evaluation.result.actual = format!("conflict_log {HOSTILE}");
        check.evaluation.result.expected = vec![text()];
        check.evaluation.result.evidence = vec![3];
    }
    for aspect in &mut report.score.aspects {
        aspect.reason = aspect.reason.as_ref().map(|_| text());
        aspect.checks.iter_mut().for_each(|check| *check = text());
    }
    report
}

#[test]
fn nothing_that_a_target_sent_is_markup() {
    let page = html(&hostile());
    assert_eq!(page.matches("<script").count(), 1);
    assert_eq!(page.matches("<style").count(), 1);
    assert_eq!((page.matches("<img").count(), page.matches('\u{202e}').count()), (0, 0));
    assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("&amp;lt;"), "it is shown as text");
    assert!(!page.contains("onerror=alert(1)>"), "no text ends an element");
    for part in ["src=\"", "href=\"http", "javascript:", " style=", "@import", "url("] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn the_policy_names_the_digests_of_the_script_and_the_style_in_the_file() {
    let page = html(&hostile());
    let inside = |tag: &str| {
        let start = page.find(&format!("<{tag}>")).expect(tag) + tag.len() + 2;
        &page[start..start + page[start..].find(&format!("</{tag}>")).expect(tag)]
    };
    let policy = page.split("Content-Security-Policy\" content=\"").nth(1).expect("a policy");
    let policy = policy.split('"').next().expect("its end").replace("&#39;", "'");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for tag in ["script", "style"] {
        let digest = STANDARD.encode(hex::decode(sha256_hex(inside(tag))).expect("hex"));
        assert!(policy.contains(&format!("{tag}-src 'sha256-{digest}';")), "{tag}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    let at = |text: &str| page.find(text).expect(text);
    assert!(at("Content-Security-Policy") < at("<style>"), "it holds for all that follows");
}

#[test]
fn every_link_leads_to_a_place_of_the_page_and_no_place_is_there_twice() {
    let page = html(&hostile());
    let of = |name: &str| -> Vec<String> {
        let start = format!(" {name}=\"");
        let parts = page.split(&start).skip(1);
        parts.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
    };
    let ids = of("id");
    let links = of("href");
    assert!(links.len() > 8, "{links:?}");
    for link in links {
        let id = link.strip_prefix('#').expect("a link within the page");
        assert!(ids.iter().any(|known| known == id), "{link}");
    }
    let mut once: Vec<&String> = ids.iter().collect();
    once.sort();
    once.dedup();
    // Both checks of the hostile report have one id.
    assert_eq!(once.len() + 1, ids.len(), "{ids:?}");
}

#[test]
fn a_breach_shows_its_clause_the_exchange_and_the_fix() {
    let mut report = hostile();
    report.checks[0].evaluation.check.id = "scenario#1".to_owned();
    let page = html(&report);
    for part in [
        "conflict_log",
        "<svg",
        "<span class=\"named\">",
        "◆◆",
        "what usually fixes it",
        "covenant show RUN 'scenario#3'",
        "data-verdict=\"broken\"",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_void_run_shows_no_breach() {
    let page = html(&Report { void: Some("no handshake".to_owned()), ..hostile() });
    assert!(page.contains("no handshake") && !page.contains("id=\"breaches\""));
}

#[test]
fn a_page_stays_small_however_much_is_broken() {
    let mut report = hostile();
    let entries: Vec<ShownEntry> =
        (1..40).map(|n| ShownEntry { request: vec!["\"<".repeat(80); 60], ..entry(n, "x") }).collect();
    report.shown[0].entries = entries;
    let mut check = report.checks[0].clone();
    check.evaluation.result.evidence = (1..40).collect();
    check.evaluation.result.actual = "\"".repeat(5_000);
    check.evaluation.check.requirement = "\"".repeat(500);
    check.evaluation.check.id = "07-migration-hygiene/conflicts-are-resolved#2".to_owned();
    report.checks = vec![check; 2_000];
    let page = html(&report);
    assert!(page.len() < BYTES_MAX, "{}", page.len());
    assert!(
        page.contains("checks more are in report.json") && page.contains("breaches more are in the table")
    );
    assert!(page.contains("no place for the exchanges"));
}

#[test]
fn a_long_text_of_a_target_is_cut_and_a_command_is_not() {
    let mut report = hostile();
    report.checks[0].evaluation.result.actual = "a".repeat(TEXT_MAX + 1);
    report.checks[0].replay = "b".repeat(TEXT_MAX + 1);
    let page = html(&report);
    assert!(
        page.contains(&format!("{}…", "a".repeat(TEXT_MAX))) && !page.contains(&"a".repeat(TEXT_MAX + 1))
    );
    assert!(page.contains(&"b".repeat(TEXT_MAX + 1)));
}
