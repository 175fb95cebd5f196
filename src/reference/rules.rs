//! How a decision is bent: every one that a defect or a variant might want to depart from is a
//! plain function behind a pointer, and the honest one is the default.

/// Defines a group of rules: a struct of function pointers whose default is the honest functions.
macro_rules! rules {
    ($(#[$doc:meta])* $group:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $honest:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct $group {
            $($(#[$field_doc])* pub(crate) $field: $type,)*
        }

        impl Default for $group {
            fn default() -> Self {
                Self { $($field: $honest,)* }
            }
        }
    };
}
pub(crate) use rules;

/// Every rule, by the part of the platform that asks it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// The handshake, the disclosure and the versions.
    pub(crate) handshake: super::handshake::Rules,
    /// What is declared and served.
    pub(crate) capabilities: super::capabilities::Rules,
    /// Findings, breaches, suspension.
    pub(crate) govern: super::govern::Rules,
    /// How much is too much.
    pub(crate) watch: super::govern::watch::Rules,
    /// How a peering ends.
    pub(crate) peering: super::peering::Rules,
    /// Who is let in.
    pub(crate) identity: super::serve::IdentityRules,
    /// What a peer announces.
    pub(crate) notices: super::serve::NoticeRules,
    /// Bearer grants.
    pub(crate) grants: super::serve::grants::Rules,
    /// Records that are shown.
    pub(crate) resources: super::serve::ResourceRules,
    /// Migrations.
    pub(crate) migrations: super::apply::Rules,
    /// Sync streams.
    pub(crate) sync: super::serve::SyncRules,
    /// The shape of what is answered.
    pub(crate) wire: super::serve::Rules,
    /// The audit.
    pub(crate) audit: super::history::Rules,
    /// What is sent: see `out`.
    pub(crate) out: super::out::Rules,
}
