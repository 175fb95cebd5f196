//! The peers that the command line names, each with its behaviours.

use super::super::behaviour_choice::{self, BehaviourChoice};
use crate::peer::{Behaviour, Named};

/// A peer of the command line.
#[derive(Clone, Debug)]
pub(super) struct NamedPeer {
    pub(super) name: String,
    pub(super) behaviours: Vec<&'static Behaviour>,
}

/// Parses a peer: `carol=late-excerpt,bogus-kind`.
pub(super) fn peer(text: &str) -> Result<NamedPeer, String> {
    const EXPECTED: &str = "a name of letters, digits and - was expected";
    let (name, behaviours) = text.split_once('=').unwrap_or((text, ""));
    let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '-';
    if name.is_empty() || name.len() > 64 || name == "all" || !name.chars().all(is_plain) {
        return Err(format!("{name:?}: {EXPECTED}"));
    }
    if Named::find(name).is_some() {
        return Err(format!("{name:?} is the name of a behaviour; {EXPECTED} that is not"));
    }
    let behaviours = behaviours.split(',').filter(|part| !part.is_empty());
    let chosen = behaviours.map(behaviour_choice::parse).collect::<Result<Vec<_>, _>>()?;
    let behaviours = chosen.iter().flat_map(BehaviourChoice::together).collect();
    Ok(NamedPeer { name: name.to_owned(), behaviours })
}

/// Returns a name that two peers have.
pub(super) fn twice(named: &[NamedPeer]) -> Option<&str> {
    let mut names: Vec<&str> = named.iter().map(|peer| peer.name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_a_name_and_behaviours() {
        let carol = peer("carol=late-excerpt,bogus-capabilities").expect("a peer");
        assert_eq!((carol.name.as_str(), carol.behaviours.len()), ("carol", 4));
        assert!(peer("bob").expect("a peer").behaviours.is_empty());
        for text in ["", "=late-excerpt", "a b", "all", "late-excerpt", "carol=late-excerp", "../x"] {
            assert!(peer(text).is_err(), "{text:?}");
        }
    }
}
