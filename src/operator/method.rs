//! The methods of the operator plane, as `binding.md` lists them.

use std::fmt;

macro_rules! methods {
    ($($variant:ident => $name:literal),* $(,)?) => {
        /// A method of the operator plane.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each says its own name; binding.md says what it does")]
        pub enum Method { $($variant),* }

        impl Method {
            /// All methods, in the order of the binding.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Returns the name of the method on the operator plane.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

methods! {
    Describe => "describe",
    PlatformStart => "platform.start",
    PlatformStop => "platform.stop",
    PlatformKill => "platform.kill",
    PlatformReset => "platform.reset",
    ClockNow => "clock.now",
    ClockAdvance => "clock.advance",
    PeerPropose => "peer.propose",
    PeerJoin => "peer.join",
    PeerShow => "peer.show",
    PeerList => "peer.list",
    PeerSuspend => "peer.suspend",
    PeerResume => "peer.resume",
    PeerRevoke => "peer.revoke",
    GrantIssue => "grant.issue",
    GrantRevoke => "grant.revoke",
    GrantList => "grant.list",
    GrantHold => "grant.hold",
    ResourceFetch => "resource.fetch",
    CapabilityDeclare => "capability.declare",
    CapabilityList => "capability.list",
    ResourcePut => "resource.put",
    ResourceGet => "resource.get",
    ResourceList => "resource.list",
    ResourceDelete => "resource.delete",
    MigrationSend => "migration.send",
    MigrationCommit => "migration.commit",
    MigrationShow => "migration.show",
    MigrationList => "migration.list",
    MigrationDelete => "migration.delete",
    SyncRun => "sync.run",
    HeartbeatSend => "heartbeat.send",
    AuditList => "audit.list",
    AuditRequest => "audit.request",
    EventList => "event.list",
    GovernanceScan => "governance.scan",
    CompromiseDeclare => "compromise.declare",
    ResidencySet => "residency.set",
    ReleaseSet => "release.set",
    ReleaseDeprecate => "release.deprecate",
    ContractList => "contract.list",
    ContractDeprecate => "contract.deprecate",
    OverlayList => "overlay.list",
}

impl Method {
    /// Parses the name of a method.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|method| method.as_str() == text)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_reads_back_and_stands_once() {
        for method in Method::ALL {
            assert_eq!(Method::parse(method.as_str()), Some(*method));
            assert_eq!(Method::ALL.iter().filter(|other| other.as_str() == method.as_str()).count(), 1);
        }
        assert_eq!(Method::parse("peer.conjure"), None);
    }
}
