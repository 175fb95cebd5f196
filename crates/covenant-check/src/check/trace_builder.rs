//! Traces for the tests of checks, built step by step.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::definition::Check;
use super::{CheckResult, Verdict, result_of};
use covenant_model::clock::Clock;
use covenant_model::transcript::{Direction, Exchange, Operation, OperationFailure, Recorder, Trace, What};

/// The time at which a trace begins.
const BEGINNING: &str = "2026-06-01T00:00:00Z";

/// A trace that is built step by step. Each labelled entry belongs to a step of its own; what the target does
/// by itself belongs to none.
pub(in crate::check) struct TraceBuilder {
    recorder: Recorder,
    clock: Clock,
    steps: u32,
}

impl TraceBuilder {
    /// Creates an empty trace.
    pub(in crate::check) fn new() -> Self {
        Self::starting_at(BEGINNING.parse().expect("a timestamp"))
    }

    /// Creates an empty trace that begins at this time.
    pub(in crate::check) fn starting_at(time: Timestamp) -> Self {
        let clock = Clock::manual(time);
        Self { recorder: Recorder::in_memory("x", clock.clone()), clock, steps: 0 }
    }

    /// Returns the present time of the trace.
    pub(in crate::check) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Adds an entry under a label, as a step of its own.
    pub(in crate::check) fn entry(mut self, label: &str, what: What) -> Self {
        self.steps += 1;
        self.recorder.record(Some(self.steps), Some(label), what);
        self
    }

    /// Adds an entry under a label that belongs to no step, such as a call in the midst of an operation.
    pub(in crate::check) fn between_steps(self, label: &str, what: What) -> Self {
        self.recorder.record(None, Some(label), what);
        self
    }

    /// Adds an entry that belongs to no step and has no label.
    pub(in crate::check) fn unlabelled(self, what: What) -> Self {
        self.recorder.record(None, None, what);
        self
    }

    /// Adds a call under a label.
    pub(in crate::check) fn call(self, label: &str, exchange: Exchange) -> Self {
        self.entry(label, What::Exchange(exchange))
    }

    /// Adds the calls that one step makes side by side, in the order of their answers, with this many seconds
    /// between them.
    pub(in crate::check) fn side_by_side(
        mut self,
        label: &str,
        seconds: i64,
        exchanges: impl IntoIterator<Item = Exchange>,
    ) -> Self {
        self.steps += 1;
        for exchange in exchanges {
            self.recorder.record(Some(self.steps), Some(label), What::Exchange(exchange));
            self.clock.advance_seconds(seconds);
        }
        self
    }

    /// Adds a call that the target makes by itself.
    pub(in crate::check) fn call_from_target(self, exchange: Exchange) -> Self {
        assert_eq!(exchange.direction, Direction::FromTarget);
        self.unlabelled(What::Exchange(exchange))
    }

    /// Adds an operation without parameters under a label.
    pub(in crate::check) fn operation(self, label: &str, method: &str, result: Value) -> Self {
        self.operation_with(label, method, json!({}), result)
    }

    /// Adds an operation under a label.
    pub(in crate::check) fn operation_with(
        self,
        label: &str,
        method: &str,
        parameters: Value,
        result: Value,
    ) -> Self {
        let operation =
            Operation { method: method.to_owned(), parameters, result: Some(result), failure: None };
        self.entry(label, What::Operation(operation))
    }

    /// Adds an operation that failed, under a label.
    pub(in crate::check) fn failed_operation(
        self,
        label: &str,
        method: &str,
        parameters: Value,
        failure: OperationFailure,
    ) -> Self {
        let operation =
            Operation { method: method.to_owned(), parameters, result: None, failure: Some(failure) };
        self.entry(label, What::Operation(operation))
    }

    /// Moves the clock.
    pub(in crate::check) fn advance(self, seconds: i64) -> Self {
        self.clock.advance_seconds(seconds);
        self.operation("", "clock.advance", json!({}))
    }

    /// Lets time pass without an operation, as a running clock does.
    pub(in crate::check) fn pass(self, seconds: i64) -> Self {
        self.clock.advance_seconds(seconds);
        self
    }

    /// Returns the trace.
    pub(in crate::check) fn trace(&self) -> Trace {
        self.recorder.trace()
    }

    /// Evaluates a check with these arguments.
    pub(in crate::check) fn result<C: Check>(&self, with: Value) -> CheckResult {
        let check: C = serde_json::from_value(with).expect("arguments of the check");
        result_of(&check, &self.trace())
    }

    /// Returns the verdict of a check with these arguments.
    pub(in crate::check) fn verdict<C: Check>(&self, with: Value) -> Verdict {
        self.result::<C>(with).verdict
    }
}
