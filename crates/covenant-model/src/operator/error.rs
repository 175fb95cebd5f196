//! The JSON-RPC error codes of the operator plane.

/// The code of an unknown method. The clauses that need the method are unproven.
pub const METHOD_NOT_FOUND: i64 = -32601;
/// The code of parameters that cannot be used.
pub const INVALID_PARAMS: i64 = -32602;
/// The code of a platform that is not running.
pub const NOT_RUNNING: i64 = -32000;
/// The code of an unknown peer, grant or record.
pub const NOT_FOUND: i64 = -32004;
/// The code of a call that is not possible in this state.
pub const WRONG_STATE: i64 = -32009;
/// The code of a peer that answered wrongly.
pub const PEER_ANSWERED_WRONG: i64 = -32010;
/// The code of a peer that agreed to another contract.
pub const OTHER_CONTRACT: i64 = -32011;
/// The code of an internal error.
pub const INTERNAL: i64 = -32603;
/// The code of a message that is no request.
pub const NO_REQUEST: i64 = -32700;

/// The last code of those for what the peer or the contract does not allow.
const LAST_NOT_ALLOWED: i64 = -32014;

/// Returns whether a code says that the platform did not do it because its state, the peer or the contract does not
/// allow it. The other codes say that the call itself was wrong, or failed.
#[must_use]
pub fn is_refusal_of_the_state(code: i64) -> bool {
    (LAST_NOT_ALLOWED..=WRONG_STATE).contains(&code)
}

/// A row of the table of error codes.
#[derive(Clone, Copy, Debug)]
pub struct ErrorCode {
    /// The first and the last code of the row.
    pub codes: (i64, i64),
    /// The meaning of the codes.
    pub meaning: &'static str,
    /// The result of the call for the suite.
    pub consequence: &'static str,
}

/// All error codes, for the documents and the schema.
pub const ERROR_CODES: &[ErrorCode] = &[
    ErrorCode {
        codes: (METHOD_NOT_FOUND, METHOD_NOT_FOUND),
        meaning: "the method is not supported",
        consequence: "what needs it is `unproven`, or left to a check of the same clause that needs less; never kept and never broken",
    },
    refused((INVALID_PARAMS, INVALID_PARAMS), "the parameters cannot be used"),
    refused((NOT_RUNNING, NOT_RUNNING), "the platform is not running"),
    refused((NOT_FOUND, NOT_FOUND), "no such peer, grant, record"),
    refused((WRONG_STATE, WRONG_STATE), "not possible in this state"),
    refused(
        (PEER_ANSWERED_WRONG, LAST_NOT_ALLOWED),
        "the peer or the contract does not allow it; the reference uses -32010 (the peer answered wrongly) and \
         -32011 (another contract was agreed)",
    ),
    refused((INTERNAL, INTERNAL), "internal error of the adapter or the platform"),
    refused((NO_REQUEST, NO_REQUEST), "the message is no request"),
];

const fn refused(codes: (i64, i64), meaning: &'static str) -> ErrorCode {
    ErrorCode { codes, meaning, consequence: "refused" }
}
