//! Entries of the trace about the target's calls.

use serde_json::{Value, json};

use super::Peer;
use super::recording_budget::Recording;
use covenant_model::transcript::{Body, Direction, Exchange, Message, Note, NoteKind, What};
use covenant_net::net::{Inbound, Outbound, RejectedByLimit};

impl Peer {
    pub(super) fn record_answer(&self, request: &Inbound, answer: &Outbound, injected: Vec<String>) -> u64 {
        let path = match &request.query {
            Some(query) => format!("{}?{query}", request.path),
            None => request.path.clone(),
        };
        let exchange = Exchange {
            peer: self.name().to_owned(),
            direction: Direction::FromTarget,
            request: Message {
                method: Some(request.method.clone()),
                path: Some(path),
                headers: request.headers.clone(),
                body: Body::capture(&request.body),
                ..Message::default()
            },
            response: Some(Message {
                status: Some(answer.status),
                headers: answer.headers.clone(),
                body: Body::capture(&answer.body),
                ..Message::default()
            }),
            failure: None,
            tls: request.tls.clone(),
            protocol: Some(request.protocol.to_owned()),
            source: None,
            injected,
        };
        self.0.options.recorder.record(None, None, What::Exchange(exchange))
    }

    /// Records a call that a limit rejected. It may be the one that a check looks for.
    pub(super) fn record_rejected_by_limit(
        &self,
        RejectedByLimit { request, status, reason }: &RejectedByLimit,
    ) {
        let at = self.0.options.clock.now();
        let no_body = (&Value::Null, 0);
        if self.state().recording_budget.take(None, no_body, status.unwrap_or_default(), at)
            != Recording::Recorded
        {
            return;
        }
        let name = self.name();
        let answer = status.map(|status| format!("{status}, ")).unwrap_or_default();
        let message = format!("a call of the target to {name} was rejected by a limit: {answer}{reason}");
        let (method, path) = request.clone().unzip();
        let facts = json!({"peer": name, "reason": reason, "status": status, "method": method, "path": path});
        let note = Note { kind: NoteKind::RejectedByLimit, message, facts };
        self.0.options.recorder.record(None, None, What::Note(note));
    }

    pub(super) fn record_flood(&self) {
        let name = self.name();
        let message = format!("a flood of heartbeats to {name}, not all of them recorded");
        let note = Note { kind: NoteKind::Flood, message, facts: json!({"peer": name}) };
        self.0.options.recorder.record(None, None, What::Note(note));
    }
}
