//! Bipartite matching of audit entries to calls.

use super::audit_entry::MatchStrength;

/// Assigns an entry to each call, one to one, as far as possible: certain matches first. Both are numbers
/// from 0. The result holds the entry of each call.
pub(super) fn assign(
    calls: usize,
    entries: usize,
    strength: impl Fn(usize, usize) -> MatchStrength,
) -> Vec<Option<usize>> {
    let mut call_of: Vec<Option<usize>> = vec![None; entries];
    for least in [MatchStrength::Certain, MatchStrength::Possible] {
        let fits = |call: usize, entry: usize| strength(call, entry) >= least;
        for call in 0..calls {
            if !call_of.contains(&Some(call)) {
                place(call, &mut call_of, &mut vec![false; entries], &fits);
            }
        }
    }
    let mut entry_of = vec![None; calls];
    for (entry, call) in call_of.into_iter().enumerate() {
        if let Some(call) = call {
            entry_of[call] = Some(entry);
        }
    }
    entry_of
}

/// Finds an entry for a call. Other calls move to another entry if they can.
fn place(
    call: usize,
    call_of: &mut [Option<usize>],
    tried: &mut [bool],
    fits: &impl Fn(usize, usize) -> bool,
) -> bool {
    for entry in 0..call_of.len() {
        if tried[entry] || !fits(call, entry) {
            continue;
        }
        tried[entry] = true;
        if call_of[entry].is_none_or(|other| place(other, call_of, tried, fits)) {
            call_of[entry] = Some(call);
            return true;
        }
    }
    false
}
