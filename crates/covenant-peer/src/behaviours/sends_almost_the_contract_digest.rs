//! Deviation: the peer names another text under the right contract version, whose digest begins as the right one does.

use crate::Behaviour;
use covenant_model::wire::path::Route;
use serde_json::{Value, json};

/// Behaviour that sends a digest which differs from the right one in its last digit alone.
pub(super) const BEHAVIOUR: Behaviour = Behaviour {
    name: "sends-almost-the-contract-digest",
    about: "sends with the right contract version a digest that differs in its last digit",
    clauses: &["V.2"],
    request: Some(|sending, body| {
        if matches!(sending.route, Route::Accept) {
            change_last_digit(&mut body["contract_digest"]);
        }
    }),
    ..Behaviour::CONFORMING
};

fn change_last_digit(digest: &mut Value) {
    let Some(text) = digest.as_str() else { return };
    let Some((last, _)) = text.char_indices().last() else { return };
    let other = if text.ends_with('0') { '1' } else { '0' };
    *digest = json!(format!("{}{other}", &text[..last]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_digit_differs_and_what_is_no_digest_stays() {
        for (digest, expected) in [("ab0", json!("ab1")), ("abc", json!("ab0")), ("", json!(""))] {
            let mut digest = json!(digest);
            change_last_digit(&mut digest);
            assert_eq!(digest, expected);
        }
        let mut none = Value::Null;
        change_last_digit(&mut none);
        assert_eq!(none, Value::Null);
    }
}
