//! Commitment 5: audit transparency.

mod actions;
mod entry;
mod excerpts;

pub(super) use excerpts::{DUE, given, names_a_promise};

use crate::check::legacy::LegacyCheck;
use crate::check::legacy::LegacyParameter;

const BEFORE: LegacyParameter =
    LegacyParameter::required("before", "label of the operator's look at the audit before them");
const AFTER: LegacyParameter = LegacyParameter::required("after", "label of the look after them");
const CALL: LegacyParameter =
    LegacyParameter::required("call", "labels of the calls that a peer made between two looks");

/// The checks of this module.
pub(super) const CHECKS: &[LegacyCheck] = &[
    LegacyCheck {
        name: "every-action-is-logged",
        about: "each call has an audit entry with the peer's id: none missing, none doubled",
        parameters: &[CALL, BEFORE, AFTER, LegacyParameter::required("peer", "the peer's name")],
        evaluate: actions::every_action_is_logged,
    },
    LegacyCheck {
        name: "subjects-are-logged",
        about: "for each call an audit entry says who acted: the grant's remote subject, or the certificate's",
        parameters: &[
            CALL,
            BEFORE,
            AFTER,
            LegacyParameter::required("peer", "the peer's name"),
            LegacyParameter::required("record", "label of the operation that issued the peer's grant"),
        ],
        evaluate: actions::subjects_are_logged,
    },
    LegacyCheck {
        name: "excerpt-in-time",
        about: "an excerpt is given at once, or within the 72 hours for which it may be promised",
        parameters: &[LegacyParameter::required(
            "call",
            "labels of the request and of the looks after it, in order",
        )],
        evaluate: excerpts::excerpt_in_time,
    },
    LegacyCheck {
        name: "excerpt-holds-own-entries-only",
        about: "an excerpt has the asking peer's interactions, and nothing of another peer's",
        parameters: &[
            LegacyParameter::required("call", "labels of the request and of the looks after it"),
            LegacyParameter::required("peer", "the names of the other peers"),
            LegacyParameter::required(
                "record",
                "labels of the operations that issued the other peers' grants",
            ),
        ],
        evaluate: excerpts::excerpt_is_ones_own,
    },
    LegacyCheck {
        name: "excerpt-is-complete",
        about: "an excerpt has an entry for each call of the asking peer's that the audit has one of",
        parameters: &[
            CALL,
            BEFORE,
            AFTER,
            LegacyParameter::required("peer", "the asking peer's name"),
            LegacyParameter::required(
                "excerpt",
                "label of the request for the excerpt, and of the looks after it",
            ),
        ],
        evaluate: actions::excerpt_is_whole,
    },
    LegacyCheck {
        name: "foreign-entries-are-not-stored",
        about: "what a peer's excerpt says of others is not filed as what happened here, nor shown to another peer",
        parameters: &[
            LegacyParameter::required("peer", "the name of the peer whose excerpt has foreign entries"),
            LegacyParameter::required("shown", "label of the operator's looks at the audit after it came"),
            LegacyParameter::optional("call", "labels of another peer's requests for its own excerpt"),
        ],
        evaluate: excerpts::nothing_foreign_is_filed,
    },
];
