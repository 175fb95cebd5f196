//! Certification: what a run has to show for a profile, the signed attestation of it, and its verification.
//!
//! An attestation is an in-toto statement in a DSSE envelope. It is made of the report of a transcript alone, so that
//! whoever has the transcript makes the same statement again and compares the two.

mod assessment;
mod beside_the_wire;
mod envelope;
mod follows;
mod key;
mod profile;
mod recorded_word;
mod shown;
mod statement;
mod successor;
mod trust;
mod verification;
mod word;

pub use assessment::{Assessment, AttestedByPerson, BrokenCheck, CertificationResult, Named, NotCertified};
pub use envelope::{Envelope, EnvelopeError, PAYLOAD_TYPE};
pub use key::{KeyError, PublicKey, SigningKey, public_path};
pub use profile::{PROFILES, Profile, RULES};
pub use recorded_word::RecordedWord;
pub use statement::{
    Descriptor, LIMITS, PREDICATE_TYPE, Predicate, STATEMENT_TYPE, Statement, SupersededFile, Terms, Validity,
};
pub use trust::{Trust, TrustError, TrustedKey};
pub use verification::{ATTESTATION_BYTES_MAX, Asked, Point, State, Verification, run_of};
pub use word::{Evidence, PersonsWord, WordError, WordTarget};
