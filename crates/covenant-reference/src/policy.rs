//! How a decision is mutated: every one that a defect or a variant might want to depart from is a
//! plain function behind a pointer, and the conforming one is the default.

/// Defines a group of rules: a struct of function pointers whose default is the conforming functions.
macro_rules! policy {
    ($(#[$doc:meta])* $group:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $conforming:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $group {
            $($(#[$field_doc])* pub(crate) $field: $type,)*
        }

        impl Default for $group {
            fn default() -> Self {
                Self { $($field: $conforming,)* }
            }
        }
    };
}
pub(crate) use policy;

/// Every rule, by the part of the platform that asks it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Policy {
    /// The handshake, the disclosure and the versions.
    pub(crate) handshake: super::handshake::Policy,
    /// What is declared and served.
    pub(crate) capabilities: super::capabilities::Policy,
    /// Findings, breaches, suspension.
    pub(crate) govern: super::governance::Policy,
    /// How much is too much.
    pub(crate) watch: super::governance::watch::Policy,
    /// How a peering ends.
    pub(crate) peering: super::peering::Policy,
    /// Who is let in.
    pub(crate) identity: super::inbound::IdentityRules,
    /// What a peer announces.
    pub(crate) notices: super::inbound::NoticeRules,
    /// Bearer grants.
    pub(crate) grants: super::inbound::grants::Policy,
    /// Records that are shown.
    pub(crate) resources: super::inbound::ResourceRules,
    /// Migrations.
    pub(crate) migrations: super::apply::Policy,
    /// Sync streams.
    pub(crate) sync: super::inbound::SyncRules,
    /// The shape of what is answered.
    pub(crate) wire: super::inbound::Policy,
    /// The audit.
    pub(crate) audit: super::history::Policy,
    /// What is sent: see `out`.
    pub(crate) out: super::outbound::Policy,
}
