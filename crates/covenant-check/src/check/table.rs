//! The table of checks.

use super::c01::{AnonymousPeerIsNotEnrolled, AnonymousPeerIsNotJoined, DisclosureMemberIsSent};
use super::c02::{
    EndedGrantIsRejected, GrantEndsInRealTime, GrantLastsInRealTime, GrantRevocationAnnounced,
    GrantedRequestsAreServed,
};
use super::c06::OutOfGrantRequestsAreRejected;
use super::c12::{AgreedVersionIsRequestedVersion, JoinsSameVersionOnly, MismatchCountsAsBreach};
use super::c03::{DeclaredKindsAreServed, DeclaredSchemaIsAccepted, FilterIsApplied};
use super::c04::{
    DeniedGraceIsReported, OpenMigrationsHaveGrace, RevokedEventPrecedesTeardown,
    RevokedStatusPrecedesTeardown, SilentPeerIsMarked,
};
use super::c06::{
    FloodLimited, FloodReported, NoGrantsByProgram, OtherRecordsAreUnchanged, RateLimitIsPerMinute,
    RejectedRecordsAreNotStored, RejectionsLeakNoRecords, SyncStreamsAreIntact, TargetLimitsOwnCalls,
    TargetRequestsDeclaredKindsOnly,
use super::c05::{
    EveryActionIsLogged, ExcerptHoldsOwnEntriesOnly, ExcerptInRealTime, ExcerptInTime, ExcerptIsComplete,
    ForeignEntriesAreNotStored, SubjectsAreLogged,
};
use super::c07::{
    ConflictsAreReported, IdsArePreserved, MigrationClaimsMatchRecords, MigrationIsAtomic,
    NoSyncAfterMigration, OriginalsKept,
};
use super::c08::{CrossingIsRecorded, CrossingIsReported, CrossingsMatchResidencies, ResidencyDeclared};
use super::definition::CheckDef;
use super::general::{Accepted, FindingRaised, Refused};
use super::versioning::{
    DigestsAreStored, JoinAvoidsDeprecatedVersion, SameVersionOnBothSides, VersionsSideBySide,
};

/// All checks, by commitment; those that serve several come first.
pub const CHECKS: &[CheckDef] = &[
    // General
    CheckDef::of::<Accepted>(),
    CheckDef::of::<FindingRaised>(),
    CheckDef::of::<Refused>(),
    // 1: identity disclosure
    CheckDef::of::<DisclosureMemberIsSent>(),
    CheckDef::of::<AnonymousPeerIsNotEnrolled>(),
    CheckDef::of::<AnonymousPeerIsNotJoined>(),
    // 2: reciprocity of grants
    CheckDef::of::<GrantedRequestsAreServed>(),
    CheckDef::of::<GrantLastsInRealTime>(),
    CheckDef::of::<EndedGrantIsRejected>(),
    CheckDef::of::<GrantEndsInRealTime>(),
    CheckDef::of::<GrantRevocationAnnounced>(),
    // 6: no undermining
    CheckDef::of::<OutOfGrantRequestsAreRejected>(),
    // 12: contract version honesty
    CheckDef::of::<AgreedVersionIsRequestedVersion>(),
    CheckDef::of::<JoinsSameVersionOnly>(),
    CheckDef::of::<MismatchCountsAsBreach>(),
    // V: contract versioning
    CheckDef::of::<DigestsAreStored>(),
    CheckDef::of::<SameVersionOnBothSides>(),
    CheckDef::of::<VersionsSideBySide>(),
    CheckDef::of::<JoinAvoidsDeprecatedVersion>(),
    // Commitment 3
    CheckDef::of::<DeclaredKindsAreServed>(),
    CheckDef::of::<DeclaredSchemaIsAccepted>(),
    CheckDef::of::<FilterIsApplied>(),
    // Commitment 4
    CheckDef::of::<DeniedGraceIsReported>(),
    CheckDef::of::<OpenMigrationsHaveGrace>(),
    CheckDef::of::<RevokedEventPrecedesTeardown>(),
    CheckDef::of::<RevokedStatusPrecedesTeardown>(),
    CheckDef::of::<SilentPeerIsMarked>(),
    // Commitment 6
    CheckDef::of::<FloodLimited>(),
    CheckDef::of::<FloodReported>(),
    CheckDef::of::<NoGrantsByProgram>(),
    CheckDef::of::<OtherRecordsAreUnchanged>(),
    CheckDef::of::<RateLimitIsPerMinute>(),
    CheckDef::of::<RejectedRecordsAreNotStored>(),
    CheckDef::of::<RejectionsLeakNoRecords>(),
    CheckDef::of::<SyncStreamsAreIntact>(),
    CheckDef::of::<TargetLimitsOwnCalls>(),
    CheckDef::of::<TargetRequestsDeclaredKindsOnly>(),
    // 5: audit transparency
    CheckDef::of::<EveryActionIsLogged>(),
    CheckDef::of::<SubjectsAreLogged>(),
    CheckDef::of::<ExcerptInTime>(),
    CheckDef::of::<ExcerptInRealTime>(),
    CheckDef::of::<ExcerptHoldsOwnEntriesOnly>(),
    CheckDef::of::<ExcerptIsComplete>(),
    CheckDef::of::<ForeignEntriesAreNotStored>(),
    // 7: migration hygiene
    CheckDef::of::<MigrationIsAtomic>(),
    CheckDef::of::<MigrationClaimsMatchRecords>(),
    CheckDef::of::<ConflictsAreReported>(),
    CheckDef::of::<IdsArePreserved>(),
    CheckDef::of::<NoSyncAfterMigration>(),
    CheckDef::of::<OriginalsKept>(),
    // 8: data residency
    CheckDef::of::<ResidencyDeclared>(),
    CheckDef::of::<CrossingIsReported>(),
    CheckDef::of::<CrossingIsRecorded>(),
    CheckDef::of::<CrossingsMatchResidencies>(),
];

/// Returns the check with this id.
#[must_use]
pub fn check_with_id(id: &str) -> Option<&'static CheckDef> {
    CHECKS.iter().find(|check| check.id == id)
}
