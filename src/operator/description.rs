//! The result of `describe`: an adapter's description of itself.

use serde::Deserialize;
use serde_json::Value;

use super::platform::{Describe, Now, Start};
use super::{ClockSync, Kinds, Method, OperatorError, OperatorMethod, PROTOCOL};
use crate::clock::Clock;
use crate::nearest::{elsewhere, nearest, with_nearest};
use crate::transcript::Addition;
use crate::wire::generation::{CallerForm, FORWARDED_NAME, GENERATIONS};

/// The description of an adapter.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Description {
    /// The name of the platform.
    pub name: String,
    /// The version of the platform.
    pub version: String,
    /// The methods that the adapter lists.
    pub verbs: Vec<String>,
    /// The way in which a caller identifies itself to the platform.
    pub caller: CallerForm,
    /// True if everything that an operation causes is complete when the operation returns.
    pub settles_at_once: bool,
    /// True if a reset leaves nothing behind, so that one process can play several scenarios.
    pub resets_completely: bool,
    /// The additions of the binding that the platform reads though it shows them nowhere.
    pub speaks: Vec<Addition>,
    /// The kinds that the platform names.
    pub kinds: Option<Kinds>,
    /// Words that are most likely misspelt, with the nearest word. An adapter may describe more than the protocol names, so it
    /// is no error.
    pub remarks: Vec<String>,
}

impl Description {
    /// Parses the result of `describe`. An error names the member that is unusable.
    pub fn read(reported: &Value) -> Result<Self, OperatorError> {
        let wrong = |message: String| OperatorError::adapter(Describe::METHOD, message);
        if reported["protocol"].as_u64() != Some(PROTOCOL) {
            return Err(wrong(format!("protocol: {PROTOCOL} was expected, found {}", reported["protocol"])));
        }
        let Some(verbs) = reported["verbs"].as_array() else {
            return Err(wrong(format!("verbs: an array of texts was expected, found {}", reported["verbs"])));
        };
        let text = |member: &str| reported[member].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            name: text("name"),
            version: text("version"),
            verbs: verbs.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
            caller: CallerForm::described(reported["identity"].as_str(), reported["generation"].as_str()),
            settles_at_once: reported["settles_at_once"] == true,
            resets_completely: reported["resets_completely"] == true,
            speaks: speaks(&reported["speaks"])?,
            kinds: Kinds::read(&reported["kinds"])
                .map_err(|error| wrong(with_nearest(&error.to_string())))?,
            remarks: remarks(reported),
        })
    }

    /// Returns true if the description lists this method.
    #[must_use]
    pub fn has(&self, method: Method) -> bool {
        self.verbs.iter().any(|name| name == method.name())
    }

    /// Returns the clock for the peers of such a target.
    pub(super) fn clock(&self) -> (Clock, ClockSync) {
        let system = Clock::system();
        if self.has(Now::METHOD) {
            (Clock::manual(system.now()), ClockSync::Follow)
        } else {
            (system, ClockSync::Independent)
        }
    }
}

/// Returns what is near a word of the protocol and is none: a member, a method, a form of identity, a generation.
fn remarks(reported: &Value) -> Vec<String> {
    let members = Describe::METHOD.definition().result().members;
    let members: Vec<&str> = members.iter().map(|member| &*member.name).collect();
    let methods: Vec<&str> = Method::all().map(Method::name).collect();
    let identities = [CallerForm::Tls.name(), FORWARDED_NAME];
    let generations: Vec<&str> = GENERATIONS.iter().map(|generation| generation.name).collect();
    let verbs = reported["verbs"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let text = |member: &str| reported[member].as_str().into_iter().collect::<Vec<_>>();
    let places: [(&str, Vec<&str>, &[&str]); 4] = [
        (
            "member",
            reported.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect(),
            &members,
        ),
        ("verbs", verbs.collect(), &methods),
        ("identity", text("identity"), &identities),
        ("generation", text("generation"), &generations),
    ];
    let misspelt = places.into_iter().flat_map(|(place, words, known)| {
        let unknown = words.into_iter().filter(|word| !known.contains(word));
        unknown
            .filter_map(|word| Some((place, word, nearest(word, known.iter().copied())?)))
            .collect::<Vec<_>>()
    });
    let misspelt =
        misspelt.map(|(place, word, near)| format!("{place} {word:?} is unknown; did you mean {near}?"));
    // What the platform says when it starts is overlooked here.
    let names = |method: Method| {
        method.definition().result().members.into_iter().map(|member| member.name).collect::<Vec<_>>()
    };
    let places = [("the result of platform.start", names(Start::METHOD))];
    let given = reported.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let misplaced = given.filter(|name| !members.contains(name)).filter_map(|name| {
        let place = elsewhere(name, &places)?;
        Some(format!("member {name:?} is unknown; it belongs to {place}"))
    });
    misspelt.chain(misplaced).collect()
}

/// Parses the additions that the platform speaks.
fn speaks(reported: &Value) -> Result<Vec<Addition>, OperatorError> {
    if reported.is_null() {
        return Ok(vec![]);
    }
    Vec::deserialize(reported).map_err(|_| {
        let names: Vec<String> = Addition::ALL.iter().map(ToString::to_string).collect();
        let message = format!("speaks: an array of {} was expected, found {reported}", names.join(", "));
        OperatorError::adapter(Describe::METHOD, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::peer::Show;
    use serde_json::json;

    #[test]
    fn what_is_misspelt_is_remarked_and_what_is_its_own_is_not() {
        let remarks = |reported: Value| Description::read(&reported).expect("a description").remarks;
        let misspelt = remarks(json!({"protocol": 1, "verbs": ["peer.propse"], "settle_at_once": true,
            "identity": "forwardd", "generation": "G4"}));
        for near in ["settles_at_once", "peer.propose", "forwarded", "G1"] {
            assert!(misspelt.iter().any(|remark| remark.contains(near)), "{near}: {misspelt:?}");
        }
        let misplaced = remarks(json!({"protocol": 1, "verbs": [], "base_url": "https://x.example"}));
        assert!(misplaced.len() == 1 && misplaced[0].contains("platform.start"), "{misplaced:?}");
        let own = json!({"protocol": 1, "verbs": ["describe", "rails.console_of_ours"], "x_build_number": 7});
        assert!(remarks(own).is_empty());
    }

    #[test]
    fn another_protocol_and_no_methods_are_reported() {
        let reported = json!({"name": "x", "protocol": 1, "verbs": ["describe", "clock.now"]});
        let description = Description::read(&reported).expect("a description");
        assert!(description.has(Now::METHOD) && !description.has(Show::METHOD));
        for (reported, wanted) in [
            (json!({"protocol": 2}), "protocol: 1 was expected, found 2"),
            (json!({"protocol": 1}), "verbs:"),
            (json!({"protocol": 1, "verbs": [], "speaks": ["klingon"]}), "speaks: an array of metadata, "),
            (json!({"protocol": 1, "verbs": [], "kinds": [{}]}), "kinds[0]: missing field `kind`"),
        ] {
            let error = Description::read(&reported).expect_err("not one").to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
