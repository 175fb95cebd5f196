//! `rejections-leak-no-records`.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::check::arguments::Labels;
use crate::check::definition::Check;
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, labelled_calls};
use covenant_model::transcript::{Body, Trace};

/// No answer to an enumeration holds anything of the records that it tries to read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct RejectionsLeakNoRecords {
    /// The calls of the enumeration.
    pub call: Labels,
    /// The operations that put the records that the enumeration tries to read.
    pub record: Labels,
}

impl Check for RejectionsLeakNoRecords {
    const ID: &'static str = "rejections-leak-no-records";
    const EXPECTED: &'static [&'static str] = &["answers without anything of those records"];
    const CONTROL: Option<&'static str> =
        Some("the operator put the records, and a call of the enumeration got an answer with a body");

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let secrets = self.secrets(trace);
        let made: Vec<Call<'_>> = labelled_calls(trace, &self.call).collect();
        if secrets.is_empty() || made.is_empty() {
            return Err(Stop::unproven("there was no enumeration, or no record that it could find", []));
        }
        for call in &made {
            let text = match call.exchange.response.as_ref().map(|answer| &answer.body) {
                None | Some(Body::Empty) => continue,
                Some(Body::Json(body)) => body.to_string(),
                Some(Body::Text(text) | Body::Cut { beginning: text, .. }) => text.clone(),
            };
            if let Some(secret) = secrets.iter().find(|secret| text.contains(**secret)) {
                return Err(Stop::final_breach(
                    format!("{} with {secret:?} in it", call.summary()),
                    [call.n()],
                ));
            }
        }
        let has_body = |call: &Call<'_>| {
            let answer = call.exchange.response.as_ref().filter(|_| !call.exchange.was_put_off());
            answer.is_some_and(|answer| !matches!(answer.body, Body::Empty))
        };
        if !made.iter().any(has_body) {
            let actual = "no call of the enumeration got an answer with a body, or each was put off";
            return Err(Stop::unproven(actual, made.iter().map(Call::n)));
        }
        let actual = format!("{} answers, none with anything of it", made.len());
        Ok(Pass::new(actual, made.iter().map(Call::n)))
    }
}

impl RejectionsLeakNoRecords {
    /// Returns the texts inside those records, except their ids: a refusal may name the requested record.
    fn secrets<'a>(&self, trace: &'a Trace) -> Vec<&'a str> {
        // If the target keeps no such records, there is nothing to leak.
        let puts = self.record.iter().filter_map(|label| Some(trace.operation(label)?.1));
        let records =
            puts.filter(|put| put.failure.is_none()).filter_map(|put| put.parameters["record"].as_object());
        let members = records.flatten().filter(|(name, _)| *name != "id");
        members.filter_map(|(_, value)| value.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Verdict::{Broken, Kept, Unproven};
    use crate::check::trace_builder::TraceBuilder;
    use covenant_model::transcript::{Exchange, OperationFailure};
    use serde_json::json;

    #[test]
    fn an_answer_with_the_record_in_it_leaks() {
        let refused = OperationFailure::Refused { code: -32004, message: "no vaults here".into() };
        for (answer, failure, expected) in [
            (json!({"error": "no vault/a"}), None, Kept),
            (json!({"record": {"pin": "melon"}}), None, Broken),
            (json!({"error": "no vault/a"}), Some(refused), Unproven),
        ] {
            let put = json!({"kind": "vault", "id": "a", "record": {"id": "a", "pin": "melon"}});
            let builder = TraceBuilder::new();
            let builder = match failure {
                None => builder.operation_with("secret", "resource.put", put, json!(null)),
                Some(failure) => builder.failed_operation("secret", "resource.put", put, failure),
            };
            let call = Exchange::to_target("alice").on("GET", "x").sending(json!({}));
            let verdict = builder
                .call("enumerated", call.answered_with(404, answer))
                .verdict::<RejectionsLeakNoRecords>(json!({"call": "enumerated", "record": "secret"}));
            assert_eq!(verdict, expected);
        }
    }

    #[test]
    fn an_enumeration_without_answers_leaks_nothing_and_proves_nothing() {
        let put = json!({"kind": "vault", "id": "a", "record": {"id": "a", "pin": "melon"}});
        let call = || Exchange::to_target("alice").on("GET", "x").sending(json!({}));
        let verdict = |calls: &[Exchange]| {
            let builder =
                TraceBuilder::new().operation_with("secret", "resource.put", put.clone(), json!(null));
            let made = calls.iter().fold(builder, |builder, call| builder.call("enumerated", call.clone()));
            made.verdict::<RejectionsLeakNoRecords>(json!({"call": "enumerated", "record": "secret"}))
        };
        assert_eq!(verdict(&[call()]), Unproven);
        let answered = |status, body| call().answered_with(status, body);
        let put_off = [429, 503].map(|status| answered(status, json!({"error": "later"})));
        assert_eq!(verdict(&put_off), Unproven);
        assert_eq!(verdict(&[put_off[0].clone(), answered(404, json!({"error": "no"}))]), Kept);
        assert_eq!(verdict(&[answered(429, json!({"error": "no melon"}))]), Broken);
    }
}
