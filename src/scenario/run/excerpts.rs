//! The step in which a peer requests an excerpt of the audit.

use serde_json::Value;

use super::super::format::Excerpt;
use super::runner::ScenarioRunner;
use super::settling::Settling;
use super::{POLL_INTERVAL, StepError};
use crate::clock::Stopwatch;
use crate::peer::{Call, StepContext};
use crate::wire::path::Route;

/// The status of an excerpt that was delivered.
const DELIVERED: u16 = 200;
/// The parameter that names a promise.
const REQUEST_ID: &str = "request_id=";

impl ScenarioRunner<'_> {
    pub(super) async fn excerpt(&mut self, context: &StepContext, step: &Excerpt) -> Result<(), StepError> {
        let query = step.query.as_deref().map(|query| self.values.fill_text(query)).transpose()?;
        let query = query.and_then(|query| asked(&query));
        let call = Call { query, ..Call::route(&Route::AuditExcerpts) };
        let mut ticks = tokio::time::interval(POLL_INTERVAL);
        let looking = Stopwatch::start();
        let mut settling = Settling::start(self.poll_timeout());
        let outcome = loop {
            ticks.tick().await;
            let outcome = self.peer_named(&step.peer)?.call(context, call.clone()).await?;
            let found = entries_of(&outcome.body);
            let has_settled = settling.has_settled(found);
            let is_whole = step.until_entries.is_none_or(|entries| entries <= found && has_settled);
            let is_delivered = outcome.status == Some(DELIVERED);
            let may_be_short = || step.until_entries.is_some() && self.breaks_so_far(context);
            let is_late = looking.elapsed() >= self.poll_timeout();
            if !is_delivered || is_late || (is_whole && !may_be_short()) {
                break outcome;
            }
        };
        self.keep_outcome(context, &outcome);
        Ok(())
    }
}

/// Returns the query as it is sent. A promise is asked for by its id alone (`binding.md`, reading 38). Without a promise
/// the id is empty, and the excerpt itself is requested again.
fn asked(query: &str) -> Option<String> {
    let promise = query.split('&').find(|part| part.len() > REQUEST_ID.len() && part.starts_with(REQUEST_ID));
    if let Some(promise) = promise {
        return Some(promise.to_owned());
    }
    let window: Vec<&str> = query.split('&').filter(|part| !part.starts_with(REQUEST_ID)).collect();
    (!window.is_empty()).then(|| window.join("&"))
}

/// Returns the number of entries in the answer to a request for an excerpt, without those about excerpts: each request
/// adds one.
fn entries_of(body: &Value) -> usize {
    let entries = body["data"]["events"].as_array().into_iter().flatten();
    let is_about_excerpts = |entry: &Value| {
        let mut members =
            ["action", "event", "kind", "route", "path"].iter().filter_map(|name| entry[name].as_str());
        members.any(|text| text.contains("excerpt"))
    };
    entries.filter(|entry| !is_about_excerpts(entry)).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_asked_for_by_its_id_alone() {
        for (query, sent) in [
            ("since=a&until=b", Some("since=a&until=b")),
            ("since=a&until=b&request_id=", Some("since=a&until=b")),
            ("since=a&until=b&request_id=r", Some("request_id=r")),
            ("request_id=r", Some("request_id=r")),
            ("request_id=", None),
        ] {
            assert_eq!(asked(query).as_deref(), sent, "{query}");
        }
    }
}
