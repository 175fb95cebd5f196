//! The known name that a misspelt one is nearest to.

use crate::contract::{ClauseId, REGISTERS};

/// The similarity below which a name is no suggestion.
const SIMILAR: f64 = 0.75;
/// The distance from the best guess within which another is one too.
const MARGIN: f64 = 0.1;
/// The number of suggestions for a word that fits several names.
const SUGGESTIONS_MAX: usize = 3;

/// Returns the known name that is nearest to `word`, or `None` if none is similar.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&lower, &other.to_lowercase());
    // Of two that are equally far, the one with the same beginning is the better guess.
    let beginning = |other: &str| strsim::jaro_winkler(&lower, &other.to_lowercase());
    let near = known.into_iter().min_by(|one, other| {
        distance(one).cmp(&distance(other)).then_with(|| beginning(other).total_cmp(&beginning(one)))
    })?;
    (distance(near) <= (word.chars().count() / 2).max(2)).then_some(near)
}

/// Returns the question whether the nearest name is meant, as the end of a message; empty if none is similar.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, known).map_or_else(String::new, |near| format!("\nhint: did you mean {near}?"))
}

/// Reads the id of a clause that some text of the contract has. The error has the ids of all.
pub(crate) fn clause(text: &str) -> Result<ClauseId, Vec<String>> {
    let every = || REGISTERS.iter().flat_map(|register| register.clauses()).map(|clause| clause.id);
    let found = text.parse().ok().filter(|id| every().any(|known| known == *id));
    found.ok_or_else(|| every().map(|id| id.to_string()).collect())
}

/// Returns a message of a parser with the nearest of the known words that it lists, if it is about an unknown one.
pub(crate) fn with_nearest(message: &str) -> String {
    let words: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match words.split_first() {
        Some((word, known)) if message.contains("unknown ") => {
            let near = nearest(word, known.iter().copied());
            near.map_or_else(|| message.to_owned(), |near| format!("{message}; did you mean `{near}`?"))
        }
        _ => message.to_owned(),
    }
}

/// Returns where a word belongs that is unknown in one place; `None` if no other place knows it. A place is a name with its
/// words.
pub(crate) fn elsewhere<'a>(word: &str, places: &[(&'a str, Vec<String>)]) -> Option<&'a str> {
    places.iter().find(|(_, words)| words.iter().any(|known| known == word)).map(|(place, _)| *place)
}

/// Returns the names that are most like `word`, of which it may be a part, the best first.
pub(crate) fn most_like<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let word = word.to_lowercase();
    let likeness = |name: &str| {
        let name = name.to_lowercase();
        let parts = name.split('/').chain([name.as_str()]);
        let is_part = if !word.is_empty() && name.contains(&word) { 1.0 } else { 0.0 };
        parts.map(|part| strsim::jaro_winkler(part, &word)).fold(is_part, f64::max)
    };
    let mut rated: Vec<(f64, &str)> = known.into_iter().map(|name| (likeness(name), name)).collect();
    rated.retain(|(likeness, _)| *likeness >= SIMILAR);
    rated.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    // Beside a good guess, a poor one only misleads.
    let best = rated.first().map_or(0.0, |(likeness, _)| *likeness);
    rated.retain(|(likeness, _)| best - likeness <= MARGIN);
    rated.into_iter().map(|(_, name)| name).take(SUGGESTIONS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_far_from_everything_has_no_hint() {
        assert_eq!(nearest("zzzzzz", ["heartbeat", "accept"]), None);
        assert_eq!(nearest("Hartbeat", ["heartbeat", "accept"]), Some("heartbeat"));
        assert_eq!(nearest("4.5x", ["1.5", "4.4", "4.5"]), Some("4.5"));
        assert_eq!(did_you_mean("zzzzzz", ["heartbeat"]), "");
    }

    #[test]
    fn a_word_in_the_wrong_place_is_shown_its_own() {
        let places = [("[target]", vec!["kinds".to_owned()]), ("[run]", vec!["jobs".to_owned()])];
        assert_eq!(elsewhere("jobs", &places), Some("[run]"));
        assert_eq!(elsewhere("job", &places), None);
    }

    #[test]
    fn a_part_of_a_name_is_like_it() {
        let known =
            ["07-migration-hygiene/conflicts-are-resolved", "03-truthful-capabilities/kinds-are-served"];
        assert_eq!(most_like("conflicts-are-resovled", known), [known[0]]);
        assert_eq!(most_like("truthful", known), [known[1]]);
        assert!(most_like("zzzz", known).is_empty());
    }
}
