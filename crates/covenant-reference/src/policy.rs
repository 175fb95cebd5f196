//! The policy: every decision that a defect or a variant can replace is a plain function behind a pointer.
//! The conforming function is the default.

/// Defines a policy group: a struct of function pointers whose defaults are the conforming functions.
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

/// The whole policy. Each group has the name of its module.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Policy {
    /// The handshake, the disclosure and the versions.
    pub(crate) handshake: super::handshake::Policy,
    /// Declared and served kinds.
    pub(crate) capabilities: super::capabilities::Policy,
    /// Findings, breaches and suspension.
    pub(crate) governance: super::governance::Policy,
    /// Limits over several calls.
    pub(crate) counters: super::governance::counters::Policy,
    /// The end of a peering.
    pub(crate) peering: super::peering::Policy,
    /// The admission of callers.
    pub(crate) identity: super::inbound::identity::Policy,
    /// A peer's notices.
    pub(crate) notices: super::inbound::notices::Policy,
    /// Bearer grants.
    pub(crate) grants: super::inbound::grants::Policy,
    /// Records that are shown.
    pub(crate) resources: super::inbound::resources::Policy,
    /// Subscriptions to offerings.
    pub(crate) subscriptions: super::inbound::subscriptions::Policy,
    /// Migrations.
    pub(crate) migration: super::migration::Policy,
    /// Sync streams.
    pub(crate) sync: super::inbound::sync::Policy,
    /// The shape of responses.
    pub(crate) inbound: super::inbound::Policy,
    /// The audit.
    pub(crate) history: super::history::Policy,
    /// Outbound calls: see `outbound/`.
    pub(crate) outbound: super::outbound::Policy,
}
