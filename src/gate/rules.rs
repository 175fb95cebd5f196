//! The rules of the release gate, as data. Help, `covenant list rules`, `covenant explain` and `docs/gate-rules.md` are made
//! from this table.

/// Weight of a difference for the release before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The release before cannot go on as it did.
    Breaking,
    /// Breaking only if `--also` names the rule.
    Optional,
    /// Never breaking: the release before does not notice it, or is served better.
    Addition,
}

impl Weight {
    /// Returns the word of the documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Breaking => "breaking",
            Self::Optional => "optional",
            Self::Addition => "addition",
        }
    }
}

/// One rule of the gate.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Id of the rule: `member-gone`.
    pub id: &'static str,
    /// Weight of a difference of this rule.
    pub weight: Weight,
    /// Difference, in one sentence.
    pub about: &'static str,
    /// Why the release before minds, in one sentence.
    pub why: &'static str,
}

/// The clause that a breaking difference breaks.
pub const CLAUSE: &str = "10.1";

/// The clause about a break with notice.
pub const CLAUSE_OF_NOTICE: &str = "10.2";

const fn breaking(id: &'static str, about: &'static str, why: &'static str) -> Rule {
    Rule { id, weight: Weight::Breaking, about, why }
}

const fn optional(id: &'static str, about: &'static str, why: &'static str) -> Rule {
    Rule { id, weight: Weight::Optional, about, why }
}

const fn addition(id: &'static str, about: &'static str, why: &'static str) -> Rule {
    Rule { id, weight: Weight::Addition, about, why }
}

macro_rules! rules {
    ($($name:ident = $rule:expr;)*) => {
        $(
            #[doc = concat!("The rule `", stringify!($name), "`.")]
            pub(super) const $name: &Rule = &$rule;
        )*
        /// Every rule, in the order of the documents.
        pub const RULES: &[&Rule] = &[$($name,)*];
    };
}

rules! {
    REQUEST_REFUSED = breaking(
        "request-refused",
        "A request that the recorded release accepted is refused with 401, 403, 404, 409, 410, 429 or the like.",
        "The release before still sends this request.",
    );
    MEMBER_REQUIRED = breaking(
        "member-required",
        "A request that the recorded release accepted is refused as invalid, with 400 or 422.",
        "The new release asks for more than the release before sends.",
    );
    REFUSAL_GONE = breaking(
        "refusal-gone",
        "A caller that was refused for who it is (401, 403, 410, 429 or by TLS) is served.",
        "What the release before relied on to be closed is open.",
    );
    STATUS_CHANGED = breaking(
        "status-changed",
        "The status is another, and no other rule names the change: 200 became 202, 404 became 410, or a refusal became a \
         success whose body reports a failure.",
        "The release before decides by the status.",
    );
    ANSWER_FAILED = breaking(
        "answer-failed",
        "A request that had an answer below 500 gets one of 500 or more.",
        "The release before takes this for an outage.",
    );
    ANSWER_GONE = breaking(
        "answer-gone",
        "A request that was answered gets no answer.",
        "The release before waits, and takes this for an outage.",
    );
    BODY_CHANGED = breaking(
        "body-changed",
        "A body in JSON became another text, or is gone.",
        "The release before reads JSON there.",
    );
    HEADER_CHANGED = breaking(
        "header-changed",
        "A header that a peer acts on is gone or of another form: Content-Type, Retry-After, the scheme of Authorization.",
        "The release before acts on it.",
    );
    MEMBER_GONE = breaking(
        "member-gone",
        "A member that the recorded release sent is missing, in an answer or in a call of the target.",
        "The release before reads it, and may refuse what lacks it.",
    );
    MEMBER_NULL = breaking(
        "member-null",
        "A member that had a value is null or blank.",
        "A blank member says nothing, so it is as good as gone.",
    );
    TYPE_CHANGED = breaking(
        "type-changed",
        "A member changed its type: a number became a text, an object a list.",
        "The release before cannot read it.",
    );
    ENUM_CHANGED = breaking(
        "enum-changed",
        "A word of a fixed set became another word: any text of `status`, `action`, `kind`, `code`, `protocol` and the like, and what \
         looks like a word in a member that no person fills in.",
        "The release before does not know the new word.",
    );
    VALUE_CHANGED = breaking(
        "value-changed",
        "A boolean, or the number of a version, differs for the same request.",
        "The answer means something else.",
    );
    UNIT_CHANGED = breaking(
        "unit-changed",
        "A number differs by the factor of a unit: seconds became milliseconds, bytes became kibibytes. It has a unit by its name, \
         or is the same wherever the recording shows it; what counts has none.",
        "The release before reads the number in the old unit.",
    );
    FORMAT_CHANGED = breaking(
        "format-changed",
        "A text changed its format: an id is no UUID any more, a time is a date or seconds, a digest is longer, a release is no semantic \
         version.",
        "The release before cannot parse it.",
    );
    LIST_ITEM_GONE = breaking(
        "list-item-gone",
        "A list lacks an item that it had for the same request, by its id, kind or name, or is empty.",
        "The release before acts on that item.",
    );
    ECHO_CHANGED = breaking(
        "echo-changed",
        "Two members that had one value in the recorded exchange, such as the id of a request and of its answer, differ.",
        "The release before no longer knows what the answer is about.",
    );
    CALL_GONE = breaking(
        "call-gone",
        "A call that the recorded release made to its peer in this scenario is not made any more, or on another path.",
        "The release before waits for it.",
    );
    SCENARIO_ENDED = breaking(
        "scenario-ended",
        "A scenario that the recorded release completed ends early, and the target is to blame.",
        "What comes after does not happen with the release before either.",
    );
    CHECK_BROKEN = breaking(
        "check-broken",
        "A check of 10.1 is broken with a peer of a neighbouring release, simulated or real.",
        "Such a peer federates without the help of an operator.",
    );
    NUMBER_CHANGED = optional(
        "number-changed",
        "A number differs for the same request, by no factor of a unit.",
        "A count grows with what a release adds; a limit may be a promise.",
    );
    TEXT_CHANGED = optional(
        "text-changed",
        "A text for persons differs.",
        "No program should read it, and some do.",
    );
    MEMBER_ADDED = addition("member-added", "A member is new.", "A peer ignores what it does not know.");
    CALL_ADDED = addition(
        "call-added",
        "The target makes a call that the recorded release did not make.",
        "A peer answers 404 to what it does not know.",
    );
    REQUEST_ADMITTED = addition(
        "request-admitted",
        "A request that was refused as invalid or unknown (400, 404, 409, 422) is accepted.",
        "The release before does not send it, or is served better.",
    );
}

/// Returns the rule of this id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn ids_are_unique_and_clauses_exist() {
        let ids: BTreeSet<&str> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), RULES.len());
        for clause in [CLAUSE, CLAUSE_OF_NOTICE] {
            assert!(
                crate::contract::V1_2026_05.clauses().iter().any(|row| row.id.to_string() == clause),
                "{clause}"
            );
        }
    }
}
