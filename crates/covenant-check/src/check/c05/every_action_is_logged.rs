//! `every-action-is-logged`.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::audit_entry::{AuditEntry, MatchStrength, has_peer_id, has_peer_id_elsewhere};
use super::audit_window::AuditWindow;
use super::matching::assign;
use crate::check::arguments::{Label, Labels, PeerName};
use crate::check::c02::unless_ended_with_notice;
use crate::check::definition::Check;
use crate::check::general::{is_rejected, reply_summary};
use crate::check::outcome::{Outcome, Pass, Stop};
use crate::check::query::{Call, CallQuery, calls, labelled_calls};
use covenant_model::transcript::{Direction, Exchange, Trace};
use covenant_model::wire::state::PeerStatus;

/// Each call has an audit entry with the peer's id: none is missing, and none is there twice.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::check) struct EveryActionIsLogged {
    /// The calls that the peer made between the two snapshots.
    pub call: Labels,
    /// The snapshot of the audit before the calls. Without one, nothing was logged before.
    pub before: Option<Label>,
    /// The snapshot of the audit after the calls: what the operator sees, or the excerpt that the peer gets. What
    /// only the excerpt lacks is no matter of the log.
    pub after: Label,
    /// The peer that made the calls.
    pub peer: PeerName,
    /// The refused calls among them that show that refused calls are logged. If one of these has no entry that names it, beside those
    /// of the accepted calls, a missing entry is unproven here.
    pub control: Option<Labels>,
    /// The calls among them about whose refusal the requirement is. If one of these is not refused, the check is not kept.
    pub rejected: Option<Labels>,
    /// The invalid calls among them, made without a certificate. Unless each of these was answered 401 or 403, a target may read
    /// the body before it identifies the caller: an invalid call that has no entry then reached nobody's account.
    pub anonymous: Option<Labels>,
    /// `true` if the calls of `rejected` are refused because the peer is suspended. Then an entry is owed for them only where each
    /// refusal says so: a target may not know a caller that is suspended. An entry has to name its call, because the suspension has
    /// entries too.
    #[serde(default)]
    pub suspended: bool,
    /// The labels of calls of which one has to have been accepted each. Else their entries show nothing about such calls.
    pub accepted: Option<Labels>,
    /// The route of which the target made calls of its own, such as `migrations`: these require an entry. Without it, one entry for any of
    /// its own calls will do.
    pub own_route: Option<String>,
    /// `true` if the operator did something after which a target may end the peering with a notice. Then a breach counts only where no
    /// notice came, and one could have arrived.
    #[serde(default)]
    pub may_end_with_notice: bool,
}

impl Check for EveryActionIsLogged {
    const ID: &'static str = "every-action-is-logged";
    const EXPECTED: &'static [&'static str] = &["one new entry for each call, with the peer's id"];

    fn evaluate(&self, trace: &Trace) -> Outcome {
        let outcome = self.logged(trace);
        if self.may_end_with_notice {
            return unless_ended_with_notice(outcome, trace, &self.peer);
        }
        outcome
    }
}

impl EveryActionIsLogged {
    fn logged(&self, trace: &Trace) -> Outcome {
        let mut window = AuditWindow::read(trace, &self.peer, &self.call, self.before.as_ref(), &self.after)?;
        if let Some(route) = &self.own_route {
            window.require_own_on(route)?;
        }
        let has_id = |entry: &&Value| has_peer_id(entry, &window.peer_id);
        let named: Vec<AuditEntry<'_>> = window.new.iter().filter(has_id).map(AuditEntry::read).collect();
        let owed = window.owed().len();
        if let Some(missing) = without_entry(&window, &named) {
            let has_id_anywhere =
                |entry: &&Value| has_id(entry) || has_peer_id_elsewhere(entry, &window.peer_id);
            let all: Vec<_> = window.new.iter().filter(has_id_anywhere).map(AuditEntry::read).collect();
            let Some(missing_anywhere) = without_entry(&window, &all) else {
                let actual = "the entries name the peer, though not as federation_peer_id";
                return Err(Stop::unproven(actual, window.evidence));
            };
            let summed = window.new.iter().chain(window.summed()).filter(has_id);
            let summed: Vec<_> = summed.map(AuditEntry::read).collect();
            if without_entry(&window, &summed).is_none() {
                let actual = format!("no entry for {missing} alone: an entry sums up several calls");
                return Err(Stop::unproven(actual, window.evidence));
            }
            let listed = window.seen_by_operator.iter().flatten().map(AuditEntry::read).collect::<Vec<_>>();
            if window.seen_by_operator.is_some() && without_entry(&window, &listed).is_none() {
                let actual = format!("the excerpt has no entry for {missing}, and the audit has one");
                return Err(Stop::unproven(actual, window.evidence));
            }
            if self.control.as_ref().is_some_and(|control| !self.are_logged(trace, control)) {
                return Err(Stop::unproven("no other refused call is logged", window.evidence));
            }
            if !self.knows_rejected(trace) {
                let actual = format!("no entry for {missing}; the target may not have known the caller");
                return Err(Stop::unproven(actual, window.evidence));
            }
            if self.may_be_unidentified(trace, &window, &named) {
                let actual = format!(
                    "no entry for {missing}; the target may read a body before it identifies the caller"
                );
                return Err(Stop::unproven(actual, window.evidence));
            }
            let actual = format!(
                "{} entries with the peer's id for {owed} calls: none for {missing_anywhere}",
                all.len()
            );
            return Err(Stop::broken(actual, window.evidence));
        }
        if self.own_route.is_some() && without_own_entry(&window, &named) {
            let actual = "an entry may be of another call that the target made to the peer";
            return Err(Stop::unproven(actual, window.evidence));
        }
        if let Some((name, entries, calls)) = window.doubled(&named) {
            return Err(Stop::broken(
                format!("{entries} entries of {name:?} for {calls} calls"),
                window.evidence,
            ));
        }
        // Without an earlier snapshot, entries of other actions of the handshake are new too, and so are those of a suspension.
        if let Some(doubtful) = (self.before.is_none() || self.suspended)
            .then(|| without_certain_entry(&window, &named))
            .flatten()
        {
            let actual = format!("no entry names {doubtful}; one of another action may be counted for it");
            return Err(Stop::unproven(actual, window.evidence));
        }
        if let Some(lacking) = self.without_outcome(trace, &window) {
            return Err(Stop::unproven(lacking, window.evidence));
        }
        Ok(Pass::new(format!("{} entries for {owed} calls", named.len()), window.evidence))
    }

    /// Returns, in words, a call that had to be refused or accepted for the entries to show something about such calls, and was not.
    fn without_outcome(&self, trace: &Trace, window: &AuditWindow<'_>) -> Option<String> {
        let mut rejected = self.rejected.iter().flat_map(|labels| labelled_calls(trace, labels));
        let is_owed = |call: &Call<'_>| window.calls.iter().any(|owed| std::ptr::eq(*owed, call.exchange));
        if let Some(call) = rejected.find(|call| !is_rejected(call.exchange) || !is_owed(call)) {
            return Some(format!("not refused, or refused before it was seen: {}", call.summary()));
        }
        let is_accepted = |label: &&str| calls(trace).labelled(label).accepted().next().is_some();
        let label = self.accepted.iter().flat_map(Labels::iter).find(|label| !is_accepted(label))?;
        Some(format!("no call {label:?} was accepted"))
    }

    /// Returns whether each of these calls was refused, and has an entry with the peer's id that names it, beside those of the
    /// accepted calls: an entry without a status may belong to either.
    fn are_logged(&self, trace: &Trace, controls: &Labels) -> bool {
        let read = AuditWindow::read(trace, &self.peer, &self.call, self.before.as_ref(), &self.after);
        let Ok(mut window) = read else { return false };
        let controls: Vec<&Exchange> = labelled_calls(trace, controls).map(|call| call.exchange).collect();
        let is_control = |call: &Exchange| controls.iter().any(|control| std::ptr::eq(*control, call));
        window.calls.retain(|call| call.succeeded() || is_control(call));
        let named = window.new.iter().filter(|entry| has_peer_id(entry, &window.peer_id));
        let named: Vec<AuditEntry<'_>> = named.map(AuditEntry::read).collect();
        let is_owed = |call: &Exchange| window.calls.iter().any(|owed| std::ptr::eq(*owed, call));
        controls.iter().all(|call| is_rejected(call) && is_owed(call))
            && without_certain_entry(&window, &named).is_none()
    }
}

impl EveryActionIsLogged {
    /// Returns whether the target may not have known the caller of any call without an entry.
    fn may_be_unidentified(
        &self,
        trace: &Trace,
        window: &AuditWindow<'_>,
        entries: &[AuditEntry<'_>],
    ) -> bool {
        const UNIDENTIFIED: [u16; 2] = [401, 403];
        let Some(anonymous) = &self.anonymous else { return false };
        let has_status = |call: &Exchange, statuses: &[u16]| {
            call.status().is_some_and(|status| statuses.contains(&status))
        };
        let mut made = labelled_calls(trace, anonymous).peekable();
        let caller_comes_first =
            made.peek().is_some() && made.all(|call| has_status(call.exchange, &UNIDENTIFIED));
        let mut owed = window.owed();
        owed.retain(|calls| !calls.iter().any(|call| has_status(call, &INVALID)));
        !caller_comes_first && unassigned_of(&owed, window, entries, MatchStrength::Possible).is_none()
    }
}

impl EveryActionIsLogged {
    /// Returns whether each refusal of the rejected calls shows that the target knew the peer, where the check asks for that.
    fn knows_rejected(&self, trace: &Trace) -> bool {
        let says_so = |call: &Call<'_>| {
            let body = call.exchange.response.as_ref().and_then(|response| response.body.json());
            body.is_some_and(|body| PeerStatus::means_suspended(&body.to_string()))
        };
        !self.suspended
            || self
                .rejected
                .iter()
                .flat_map(|labels| labelled_calls(trace, labels))
                .all(|call| says_so(&call))
    }
}

/// The statuses by which a call is answered that cannot be used.
const INVALID: [u16; 2] = [400, 422];

/// Returns a call that requires an entry and that none of these entries fits, in words.
fn without_entry(window: &AuditWindow<'_>, entries: &[AuditEntry<'_>]) -> Option<String> {
    unassigned(window, entries, MatchStrength::Possible)
}

/// Returns a call that requires an entry and that none of these entries names by its route, in words.
fn without_certain_entry(window: &AuditWindow<'_>, entries: &[AuditEntry<'_>]) -> Option<String> {
    unassigned(window, entries, MatchStrength::Certain)
}

/// Returns whether no entry stands for the target's own calls of the required route, apart from those that name another one of
/// its calls.
fn without_own_entry(window: &AuditWindow<'_>, entries: &[AuditEntry<'_>]) -> bool {
    let owed = window.owed();
    let is_of_other = |entry: &AuditEntry<'_>| {
        let mut others = window.own_others();
        others.any(|call| window.match_strength(entry, call) == MatchStrength::Certain)
    };
    let assigned = assign(owed.len(), entries.len(), |one, entry| {
        let strengths = owed[one].iter().map(|call| match window.match_strength(&entries[entry], call) {
            MatchStrength::Possible
                if call.direction == Direction::FromTarget && is_of_other(&entries[entry]) =>
            {
                MatchStrength::None
            }
            strength => strength,
        });
        strengths.max().unwrap_or(MatchStrength::None)
    });
    assigned.contains(&None)
}

fn unassigned(window: &AuditWindow<'_>, entries: &[AuditEntry<'_>], least: MatchStrength) -> Option<String> {
    unassigned_of(&window.owed(), window, entries, least)
}

/// Returns one of these calls for which none of these entries stands, in words.
fn unassigned_of(
    owed: &[Vec<&Exchange>],
    window: &AuditWindow<'_>,
    entries: &[AuditEntry<'_>],
    least: MatchStrength,
) -> Option<String> {
    let assigned = assign(owed.len(), entries.len(), |one, entry| {
        let strengths = owed[one].iter().map(|call| window.match_strength(&entries[entry], call));
        strengths.max().filter(|strength| *strength >= least).unwrap_or(MatchStrength::None)
    });
    let missing = assigned.iter().position(Option::is_none)?;
    Some(match owed[missing].as_slice() {
        [call] if call.direction == Direction::ToTarget => reply_summary(call),
        _ => "the target's own".to_owned(),
    })
}

#[cfg(test)]
mod tests;
