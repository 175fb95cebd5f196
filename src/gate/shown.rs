//! The exchanges of a finding, as text: the recorded one, and the one now under it.

use std::fmt::Write;

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::found::Found;
use super::template::Template;

/// The greatest number of lines of one body. A longer one is cut, and the report says so.
pub(super) const LINES_MAX: usize = 24;
/// The number of lines before the first one that differs, where a body is cut.
const BEFORE: usize = 8;
/// The greatest number of characters of one line.
const CHARACTERS_MAX: usize = 160;

/// Writes both exchanges of a finding, one under the other. A `>` stands before each line of a body that differs.
pub(super) fn exchanges(text: &mut String, found: &Found, old: &str, new: &str) {
    let (recorded, now) = (found.recorded.as_ref(), found.now.as_ref());
    if recorded.is_none() && now.is_none() {
        return;
    }
    for (title, of, other) in [(old, recorded, now), (new, now, recorded)] {
        let _ = writeln!(text, "   {title}:");
        match of {
            Some(template) => exchange(text, template, other),
            None => text.push_str("     no such exchange\n"),
        }
    }
}

/// Writes one exchange: the request line, the headers that a peer acts on, the body; and the same of the answer.
pub(super) fn exchange(text: &mut String, template: &Template, other: Option<&Template>) {
    let word = |name: &str| template.request[name].as_str().unwrap_or_default();
    let query = template.request["query"].as_object().map(|query| {
        let pairs = query.iter().map(|(name, value)| format!("{name}={}", plain(value)));
        format!("?{}", pairs.collect::<Vec<_>>().join("&"))
    });
    let line = format!("{} {}{}", word("method"), word("path"), query.unwrap_or_default());
    message(text, &line, &template.request, other.map(|other| &other.request));
    match (template.status(), template.failure) {
        (Some(status), _) => {
            message(text, &status.to_string(), &template.response, other.map(|other| &other.response));
        }
        (None, Some(failure)) => {
            let _ = writeln!(text, "     no answer: {failure}");
        }
        (None, None) => text.push_str("     no answer\n"),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn message(text: &mut String, line: &str, message: &Value, other: Option<&Value>) {
    row(text, ' ', line);
    for (name, value) in message["headers"].as_object().into_iter().flatten() {
        let is_other = other.is_some_and(|other| other["headers"][name] != *value);
        row(text, if is_other { '>' } else { ' ' }, &format!("{name}: {}", plain(value)));
    }
    let pretty = |message: &Value| match &message["body"] {
        Value::Null => String::new(),
        body => format!("{body:#}"),
    };
    let lines = marked(&pretty(message), other.map(pretty).as_deref());
    let first = lines.iter().position(|(mark, _)| *mark == '>').unwrap_or_default();
    let start = if lines.len() > LINES_MAX { first.saturating_sub(BEFORE) } else { 0 };
    if start > 0 {
        let _ = writeln!(text, "     … {start} lines before");
    }
    for (mark, line) in lines.iter().skip(start).take(LINES_MAX) {
        row(text, *mark, line);
    }
    let left = lines.len().saturating_sub(start + LINES_MAX);
    if left > 0 {
        let _ = writeln!(text, "     … {left} lines more; --format json has the whole exchange");
    }
}

/// Returns the lines of a body, each with `>` if the other body does not have it.
fn marked(body: &str, other: Option<&str>) -> Vec<(char, String)> {
    let Some(other) = other else { return body.lines().map(|line| (' ', line.to_owned())).collect() };
    let diff = TextDiff::from_lines(other, body);
    let lines = diff.iter_all_changes().filter(|change| change.tag() != ChangeTag::Delete);
    lines
        .map(|change| {
            let mark = if change.tag() == ChangeTag::Insert { '>' } else { ' ' };
            (mark, change.value().trim_end_matches('\n').to_owned())
        })
        .collect()
}

fn row(text: &mut String, mark: char, line: &str) {
    let cut = match line.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    };
    let _ = writeln!(text, "   {mark} {cut}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transcript::Direction;
    use serde_json::json;

    #[expect(clippy::needless_pass_by_value, reason = "the test writes JSON in place")]
    fn template(rows: usize, ttl: Value) -> Template {
        let rows: Vec<usize> = (0..rows).collect();
        Template {
            n: 7,
            direction: Direction::ToTarget,
            peer: "alice".to_owned(),
            route: "subscriptions".to_owned(),
            step: Some(3),
            label: None,
            request: json!({
                "method": "POST", "path": "/subscriptions", "query": {"limit": "5"},
                "headers": {"authorization": "bearer"}, "body": {"slug": "mirror"},
            }),
            response: json!({
                "status": 201, "headers": {"content-type": "application/json"}, "body": {"rows": rows, "ttl": ttl},
            }),
            failure: None,
            many: false,
            varies: vec![],
        }
    }

    #[test]
    fn an_exchange_is_whole_up_to_a_stated_length() {
        let (old, new) = (template(2, json!(60)), template(2, json!(60_000)));
        let mut text = String::new();
        exchange(&mut text, &old, Some(&new));
        let expected = [
            "     POST /subscriptions?limit=5",
            "     authorization: bearer",
            "     {",
            "       \"slug\": \"mirror\"",
            "     }",
            "     201",
            "     content-type: application/json",
            "     {",
            "       \"rows\": [",
            "         0,",
            "         1",
            "       ],",
            "   >   \"ttl\": 60",
            "     }",
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);

        let mut text = String::new();
        exchange(&mut text, &template(100, json!(60)), Some(&template(100, json!(60_000))));
        assert!(text.contains("… 95 lines before") && text.contains(">   \"ttl\": 60"), "{text}");
        let mut text = String::new();
        exchange(&mut text, &template(100, json!(60)), None);
        assert!(text.contains("lines more; --format json"), "{text}");
        assert!(text.lines().count() < 12 + LINES_MAX, "{text}");
    }
}
