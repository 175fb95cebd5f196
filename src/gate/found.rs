//! Finding of a gate: a difference, with the exchanges that show it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Serialize, Serializer};

use super::compare::Difference;
use super::comparison::Choice;
use super::numbers::Settings;
use super::recording::LeftOut;
use super::rules::{CLAUSE, NUMBER_CHANGED, RULES, Rule, SCENARIO_ENDED, UNIT_CHANGED};
use super::template::Template;
use crate::transcript::Direction;

/// A difference, with the first exchange that shows it.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// The id of the rule.
    #[serde(serialize_with = "rule_id")]
    pub rule: &'static Rule,
    /// The clause that it breaks; `None` if it does not break.
    pub clause: Option<&'static str>,
    /// The direction of the call; `None` if no exchange is concerned.
    pub direction: Option<Direction>,
    /// The route of the call.
    pub route: String,
    /// The path of the member.
    pub at: String,
    /// The difference, for a person.
    pub text: String,
    /// The number of exchanges that show it.
    pub exchanges: usize,
    /// The scenarios that show it.
    pub scenarios: BTreeSet<String>,
    /// The first recorded exchange.
    pub recorded: Option<Template>,
    /// The exchange now.
    pub now: Option<Template>,
}

impl Found {
    /// Creates what a scenario shows, without an exchange. It breaks no clause until it is sorted.
    pub(super) fn new(rule: &'static Rule, scenario: &str, text: String) -> Self {
        Self {
            rule,
            clause: None,
            direction: None,
            route: String::new(),
            at: String::new(),
            text,
            exchanges: 0,
            scenarios: [scenario.to_owned()].into(),
            recorded: None,
            now: None,
        }
    }

    /// Takes a number in another unit for another number, where the recording shows no setting; `None` if that varies.
    fn settled(self, settings: &Settings) -> Option<Self> {
        let is_call = self.direction == Some(Direction::FromTarget);
        let place = (is_call, self.route.clone(), self.at.clone());
        if self.rule != UNIT_CHANGED || settings.is_unit(&place, self.exchanges) {
            return Some(self);
        }
        let number = Difference { rule: NUMBER_CHANGED, at: self.at.clone(), text: String::new() };
        let has_varied = self.recorded.as_ref().is_some_and(|recorded| recorded.has_varied(&number));
        (!has_varied).then_some(Self { rule: NUMBER_CHANGED, ..self })
    }
}

fn rule_id<S: Serializer>(rule: &Rule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rule.id)
}

/// The differences, by rule, direction, route and place, each with the exchanges that show it: scenario and number.
#[derive(Default)]
pub(super) struct Gathered(BTreeMap<Place, (Found, Exchanges)>);

/// The order of the rule, whether it is a call of the target, the route, and the place in the message.
type Place = (usize, Option<bool>, String, String);

/// Exchanges, each by its scenario and its number.
type Exchanges = BTreeSet<(String, u64)>;

impl Gathered {
    /// Adds a difference of a scenario.
    pub(super) fn add(
        &mut self,
        scenario: &str,
        difference: Difference,
        old: Option<&Template>,
        new: Option<&Template>,
    ) {
        let either = old.or(new);
        let direction = either.map(|template| template.direction);
        let route = either.map(|template| template.route.clone()).unwrap_or_default();
        let order = RULES.iter().position(|rule| *rule == difference.rule).unwrap_or_default();
        let is_call = direction.map(|direction| direction == Direction::FromTarget);
        // The end of one scenario is not that of another.
        let place = if direction.is_some() { route.clone() } else { scenario.to_owned() };
        let key = (order, is_call, place, difference.at.clone());
        let new_found = || Found {
            direction,
            route,
            at: difference.at,
            recorded: old.cloned(),
            now: new.cloned(),
            ..Found::new(difference.rule, scenario, difference.text)
        };
        let (found, exchanges) = self.0.entry(key).or_insert_with(|| (new_found(), Exchanges::new()));
        exchanges.extend(either.map(|template| (scenario.to_owned(), template.n)));
        found.scenarios.insert(scenario.to_owned());
    }

    /// Returns each difference. A number in another unit is one where the recording shows a setting.
    pub(super) fn settled(self, settings: &Settings) -> impl Iterator<Item = Found> {
        let counted = |(found, exchanges): (Found, Exchanges)| Found { exchanges: exchanges.len(), ..found };
        self.0.into_values().filter_map(move |one| counted(one).settled(settings))
    }
}

/// Adds a difference to those that break, or to the others. What comes after an end that the user leaves out was not seen,
/// and is noted as not compared.
pub(super) fn sort(
    found: Found,
    rules: &Choice,
    [breaking, others]: [&mut Vec<Found>; 2],
    not_compared: &mut Vec<LeftOut>,
) {
    if rules.breaks(found.rule) {
        return breaking.push(Found { clause: Some(CLAUSE), ..found });
    }
    if found.rule == SCENARIO_ENDED {
        let why = "it ended early, which --except leaves out, and what comes after was not seen";
        let ended = found.scenarios.iter().map(|id| LeftOut { id: id.clone(), why: why.to_owned() });
        not_compared.extend(ended);
    }
    others.push(Found { clause: None, ..found });
}
