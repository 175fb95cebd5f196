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
    /// What is sent: see `out`.
    pub(crate) out: super::out::Rules,
}
