//! Audit log of a peer over the target's calls, and the excerpts that the target may read.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Peer;
use super::serve::{Answer, success};
use super::standing::keep_last;
use covenant_model::wire::header::inbound_subject;
use covenant_model::wire::path::Route;

/// Default window of an excerpt, in days.
const WINDOW_DAYS: i64 = 90;
/// Number of entries of an excerpt: the default, and the largest (`wire.md` §5).
const ENTRIES: usize = 1000;
const ENTRIES_MAX: usize = 5000;

/// Requested part of the log. The window includes its start; it excludes its end if one is set.
struct Window {
    since: Timestamp,
    until: Option<Timestamp>,
    limit: usize,
}

impl Window {
    fn parse(query: &str, now: Timestamp) -> Result<Self, String> {
        let since = now - SignedDuration::from_hours(24 * WINDOW_DAYS);
        let mut window = Self { since, until: None, limit: ENTRIES };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let time = || value.parse().map_err(|_| format!("{name} is no point in time"));
            match &*name {
                "since" => window.since = time()?,
                "until" => window.until = Some(time()?),
                "limit" => window.limit = value.parse().map_err(|_| "limit is no number")?,
                _ => {}
            }
        }
        window.limit = window.limit.min(ENTRIES_MAX);
        if window.until.is_some_and(|until| until <= window.since) {
            return Err("until must be after since".to_owned());
        }
        Ok(window)
    }

    fn covers(&self, at: Timestamp) -> bool {
        self.since <= at && self.until.is_none_or(|until| at < until)
    }
}

impl Peer {
    pub(super) fn on_excerpt(&self, query: &str) -> Answer {
        let now = self.0.options.clock.now();
        let window = match Window::parse(query, now) {
            Ok(window) => window,
            Err(text) => return (422, json!({"success": false, "error": text, "code": "VALIDATION_ERROR"})),
        };
        let state = self.state();
        let covered = state.audit.iter().filter(|(at, _)| window.covers(*at));
        let events: Vec<&Value> = covered.map(|(_, entry)| entry).take(window.limit).collect();
        success(&json!({
            "peer_id": state.target_row,
            "count": events.len(),
            "events": events,
            "shipments": [],
            "window": {"since": window.since.to_string(), "until": window.until.unwrap_or(now).to_string()},
        }))
    }

    /// Logs a call of the target (5.1, 5.2).
    pub(super) fn log(&self, route: &Route) {
        let now = self.0.options.clock.now();
        let mut state = self.state();
        let entry = json!({
            "id": self.0.ids.uuid().to_string(),
            "kind": format!("federation.{}", route.name().replace('/', ".")),
            "severity": "low",
            "emitted_at": now.to_string(),
            "correlation_id": self.0.ids.uuid().to_string(),
            "source": "federation",
            "payload": {
                "federation_peer_id": state.target_row,
                "remote_subject": inbound_subject(&state.target_row),
                "action": route.name(),
            },
        });
        state.audit.push((now, entry));
        if let Some(standing) = &self.0.standing {
            keep_last(&mut state.audit, standing.audit_max);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_has_its_start_and_not_its_end() {
        let time = |text: &str| text.parse::<Timestamp>().expect("a timestamp");
        let query = "since=2026-06-01T00:00:00Z&until=2026-06-02T00:00:00Z&limit=9999";
        let window = Window::parse(query, time("2026-06-03T00:00:00Z")).expect("a window");
        assert_eq!(window.limit, ENTRIES_MAX);
        assert!(window.covers(time("2026-06-01T00:00:00Z")));
        assert!(!window.covers(time("2026-05-31T23:59:59Z")));
        assert!(window.covers(time("2026-06-01T23:59:59Z")));
        assert!(!window.covers(time("2026-06-02T00:00:00Z")));
    }

    #[test]
    fn what_is_no_window_is_refused() {
        let now = "2026-06-03T00:00:00Z".parse().expect("a timestamp");
        for query in ["since=x", "until=yesterday", "limit=-1", "until=2026-01-01T00:00:00Z"] {
            assert!(Window::parse(query, now).is_err(), "{query}");
        }
    }
}
