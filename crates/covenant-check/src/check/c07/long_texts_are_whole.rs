//! `long-texts-are-whole`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::arguments::Label;
use crate::check::definition::Check;
use crate::check::outcome::{OrUnproven, Outcome, Pass, Stop};
use crate::check::query::{CallQuery, calls};
use covenant_model::transcript::Trace;

/// The characters from which on a text is long: more than a short column of a store holds.
const LONG: usize = 256;

/// A migrated record that counts as applied has its long texts whole. A target may refuse the plan.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct LongTextsAreWhole {
    /// The migration of one record with a long text.
    pub plan: Label,
    /// The `resource.get` of that record.
    pub read: Label,
    /// The `resource.put` of another record with a text as long.
    pub put: Label,
    /// The `resource.get` of the record that was put. It shows whether the operator reads long texts whole.
    pub control: Label,
}

impl Check for LongTextsAreWhole {
    const ID: &'static str = "long-texts-are-whole";
    const EXPECTED: &'static [&'static str] = &["each long text as it was sent", "a refusal of the plan"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let call = calls(trace).labelled(&self.plan).next().or_unproven("the plan was not sent")?;
        let claimed = call.exchange.data().filter(|_| call.exchange.succeeded());
        let claimed = claimed.filter(|data| data["status"] == "completed" && data["applied_count"] == 1);
        let data = claimed.or_unproven_at("the record does not count as applied", &[call.n()])?;
        if data["conflict_log"].as_array().is_some_and(|log| !log.is_empty()) {
            return Err(Stop::unproven("the answer logs a conflict", [call.n()]));
        }
        let payload = call.exchange.sent().map(|plan| &plan["steps"][0]["payload"]);
        let (read, stored) = read_back(trace, &self.read).or_unproven("the record was not read back")?;
        let evidence = [call.n(), read];
        let texts: Vec<(&str, &str)> = payload.into_iter().flat_map(long_texts).collect();
        if texts.is_empty() {
            return Err(Stop::unproven("the plan has no long text", evidence));
        }
        let is_whole = |(name, text): &&(&str, &str)| stored[*name] == **text;
        let Some((name, text)) = texts.iter().find(|text| !is_whole(text)) else {
            return Ok(Pass::new(format!("{} long texts were read back whole", texts.len()), evidence));
        };
        let is_cut = stored[*name].as_str().is_some_and(|read| is_part(read, text));
        if !is_cut {
            return Err(Stop::unproven(format!("{name:?} was read back in another form"), evidence));
        }
        let answer = call.exchange.response.as_ref().and_then(|answer| answer.body.json());
        if answer.is_some_and(|answer| answer.to_string().contains(*name)) {
            return Err(Stop::unproven(
                format!("the answer names {name:?}, of which a part is stored"),
                evidence,
            ));
        }
        let put = trace.operation(&self.put).filter(|(_, put)| put.failure.is_none());
        let put = put.map(|(_, put)| &put.parameters["record"]);
        let control = read_back(trace, &self.control).filter(|(_, record)| {
            let mut own = put.into_iter().flat_map(long_texts).peekable();
            own.peek().is_some() && own.all(|(name, text)| record[name] == *text)
        });
        let (control, _) = control.or_unproven_at("the operator reads no long text whole", &evidence)?;
        let length = stored[*name].as_str().map_or(0, |read| read.chars().count());
        let actual = format!("{length} of the {} characters of {name:?} are stored", text.chars().count());
        Err(Stop::broken(actual, evidence.into_iter().chain([control])))
    }
}

/// Returns the entry and the record that a `resource.get` read.
fn read_back<'a>(trace: &'a Trace, label: &str) -> Option<(u64, &'a Value)> {
    let (n, get) = trace.operation(label)?;
    let record = get.result.as_ref()?.get("record")?;
    record.is_object().then_some((n, record))
}

/// Returns the long texts of a record, by name.
fn long_texts(record: &Value) -> impl Iterator<Item = (&str, &str)> {
    let members = record.as_object().into_iter().flatten();
    let texts = members.filter_map(|(name, member)| Some((name.as_str(), member.as_str()?)));
    texts.filter(|(_, text)| text.chars().count() >= LONG)
}

/// Returns whether a text is the beginning of another one, with or without dots for the rest.
fn is_part(read: &str, text: &str) -> bool {
    let read = read.trim_end_matches(['.', '…']).trim_end();
    !read.is_empty() && read.len() < text.len() && text.starts_with(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{self, Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::Exchange;
    use serde_json::json;

    /// Returns the verdict on a plan with this answer, whose text, and the text of the control, are read back like this.
    fn verdict(status: u16, data: &Value, read: &Value, own: &str) -> Verdict {
        let long = "x".repeat(300);
        let payload = json!({"id": "a", "name": "a", "motto": long});
        let plan = json!({"steps": [{"resource_id": "a", "payload": payload}]});
        let call = Exchange::to_target("alice").on("POST", "migrations").sending(plan);
        let get = |id: &str| json!({"kind": "skill", "id": id});
        let put = json!({"kind": "skill", "id": "o", "record": {"id": "o", "motto": long}});
        TraceBuilder::new()
            .operation_with("own", "resource.put", put, json!({}))
            .operation_with(
                "own-read",
                "resource.get",
                get("o"),
                json!({"record": {"id": "o", "motto": own}}),
            )
            .call("plan", call.answered_with(status, json!({ "data": data })))
            .operation_with("read", "resource.get", get("a"), json!({"record": {"id": "a", "motto": read}}))
            .verdict::<LongTextsAreWhole>(
                json!({"plan": "plan", "read": "read", "put": "own", "control": "own-read"}),
            )
    }

    #[test]
    fn a_text_of_which_a_part_is_stored_is_broken_where_the_record_counts_as_applied() {
        let done = json!({"status": "completed", "applied_count": 1, "skipped_count": 0});
        let (long, cut) = ("x".repeat(300), json!("x".repeat(255)));
        assert_eq!(verdict(201, &done, &json!(long), &long), Kept);
        assert_eq!(verdict(201, &done, &json!(long), "x"), Kept);
        assert_eq!(verdict(201, &done, &cut, &long), Broken);
        assert_eq!(verdict(201, &done, &json!(format!("{}…", "x".repeat(250))), &long), Broken);
        assert_eq!(verdict(201, &done, &cut, "x"), Unproven, "the operator reads no text whole");
        assert_eq!(verdict(201, &done, &json!("y"), &long), Unproven, "in another form");
        assert_eq!(verdict(201, &done, &json!(null), &long), Unproven, "a member that is not stored");
        let skipped = json!({"status": "completed", "applied_count": 0, "skipped_count": 1});
        assert_eq!(verdict(201, &skipped, &cut, &long), Unproven);
        assert_eq!(verdict(422, &json!({}), &cut, &long), Unproven);
        let logged = json!({"status": "completed", "applied_count": 1, "conflict_log": [{"step_order": 1}]});
        assert_eq!(verdict(201, &logged, &cut, &long), Unproven, "it says so");
        let mut warned = done.clone();
        warned["warnings"] = json!(["motto was cut to 255"]);
        assert_eq!(verdict(201, &warned, &cut, &long), Unproven, "it claims no whole success");
        assert_eq!(verdict(201, &warned, &json!(long), &long), Kept);
    }
}
