//! Deviation: the peer does not report a conflict.

use crate::Behaviour;

/// Behaviour that, as destination, removes the conflicts of skipped steps from its log, and claims these
/// steps as applied.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "hidden-conflict",
    about: "as destination omits the conflicts of skipped steps from conflict_log and claims the skipped steps as applied",
    clauses: &["7.3"],
    claims: Some(|view| {
        // Only skipped conflicts are hidden: the source can't detect a hidden conflict that was refused, or
        // overwritten as it requested.
        let Some((applied, skipped)) = view.applied_count.zip(view.skipped_count) else { return };
        let Some(log) = &mut view.conflict_log else { return };
        let reported = log.len();
        log.retain(|conflict| conflict.resolution.as_deref() != Some("skipped"));
        let hidden = (reported - log.len()) as u64;
        view.applied_count = Some(applied + hidden);
        view.skipped_count = Some(skipped.saturating_sub(hidden));
    }),
    ..Behaviour::CONFORMING
};
