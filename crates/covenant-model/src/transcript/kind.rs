//! Kinds of notes and of failures. A transcript writes each as one stable word.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Kind of a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// A behaviour suppressed what a conforming peer sends.
    Injected,
    /// A wait for a call of the target ended. The facts name the entry that was found.
    Waited,
    /// A peer counted heartbeats of the target that the trace does not record.
    Counted,
    /// The heartbeats of the target are a flood. The trace may not record all of them.
    Flood,
    /// A case of a property begins.
    Case,
    /// The property has more cases, which the trace does not record.
    Cases,
    /// A step was left out, because the operator client lacks its method, or the target's kinds lack a member. The
    /// facts name the method, or what the kinds lack.
    LeftOut,
    /// A peer of the suite placed a record with a migration, because the operator client can't store it. The facts name its
    /// kind and its id.
    Placed,
    /// No peer could place the record that the operator client can't store. The facts name the reason.
    NotPlaced,
    /// A call was not made, because an earlier answer lacks a member that its path names. The facts name the
    /// reference.
    NotCalled,
    /// A limit of the suite rejected a call of the target, before a peer could answer it. The facts name the peer, the
    /// reason, and what is known of the call.
    RejectedByLimit,
    /// Cases of a property were left out, because the operator client lacks a method. The facts name the method.
    CasesLeftOut,
    /// A watch goes on after its process ended.
    Resumed,
    /// The remaining life of the certificate of a watch.
    Certificate,
    /// A time limit was waited for in real time, because no method moves the target's clock. The facts name the
    /// seconds.
    RealTime,
    /// The peers go on by the time that the target shows. The facts name the seconds by which they were behind it.
    ClockFollowed,
    /// The suite itself stood still, as a process that is stopped or a machine that sleeps. The facts name the seconds.
    Paused,
    /// A peer has sent the first half of a body. The second half waits.
    HalfSent,
    /// The kinds of the target that stand for those of the suite. The facts name them.
    Kinds,
    /// The way back is open, though no call of the target arrived in this scenario. The facts say what shows it.
    WayBack,
    /// The target speaks additions of the binding that this scenario does not show. The facts say what shows each.
    Spoken,
    /// A point of a diagnosis of the target. The facts name its subject, what it means, and what to do.
    Diagnosed,
    /// An entry is left out, because its line is too long to be read back.
    TooLong,
}

/// Kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// No process listens at the address, or the address can't be reached.
    Refused,
    /// The other end refused our certificate.
    Certificate,
    /// We refused the certificate of the other end.
    Untrusted,
    /// TLS failed for another reason.
    Handshake,
    /// The connection ended before the response did.
    Closed,
    /// The call exceeded a time limit.
    Timeout,
    /// The response exceeded a size limit.
    TooLarge,
    /// The response is not valid HTTP.
    Malformed,
    /// The request could not be built.
    Request,
}

/// Writes the word of the transcript.
impl fmt::Display for FailureKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_displayed_as_it_is_written_and_an_unknown_word_is_an_error() {
        assert_eq!(FailureKind::TooLarge.to_string(), "too_large");
        assert_eq!(serde_json::to_string(&FailureKind::TooLarge).expect("a word"), "\"too_large\"");
        assert!(serde_json::from_str::<FailureKind>("\"bored\"").is_err());
        assert!(serde_json::from_str::<NoteKind>("\"bored\"").is_err());
    }
}
