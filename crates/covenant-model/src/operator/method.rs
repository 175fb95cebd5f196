//! `Method`, the row of a method, and the table of all rows.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::audit::AuditMethod;
use super::capability::CapabilityMethod;
use super::contract::ContractMethod;
use super::form::Form;
use super::governance::GovernanceMethod;
use super::grant::GrantMethod;
use super::migration::MigrationMethod;
use super::network::NetworkMethod;
use super::peer::PeerMethod;
use super::platform::PlatformMethod;
use super::release::ReleaseMethod;
use super::resource::ResourceMethod;
use crate::contract::Basis;

/// A method of the operator plane, by its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each group says what its methods are about")]
pub enum Method {
    Platform(PlatformMethod),
    Peer(PeerMethod),
    Grant(GrantMethod),
    Capability(CapabilityMethod),
    Resource(ResourceMethod),
    Migration(MigrationMethod),
    Audit(AuditMethod),
    Governance(GovernanceMethod),
    Release(ReleaseMethod),
    Contract(ContractMethod),
    Network(NetworkMethod),
}

/// Every method, by group, in the order in which a platform needs them.
pub static METHODS: [&[MethodDef]; 11] = [
    PlatformMethod::METHODS,
    PeerMethod::METHODS,
    GrantMethod::METHODS,
    CapabilityMethod::METHODS,
    ResourceMethod::METHODS,
    MigrationMethod::METHODS,
    AuditMethod::METHODS,
    GovernanceMethod::METHODS,
    ReleaseMethod::METHODS,
    ContractMethod::METHODS,
    NetworkMethod::METHODS,
];

/// The methods that change nothing.
const READS: [&str; 12] = [
    "audit.list",
    "capability.list",
    "contract.list",
    "event.list",
    "grant.list",
    "migration.list",
    "migration.show",
    "overlay.list",
    "peer.list",
    "peer.show",
    "resource.get",
    "resource.list",
];

/// The methods that prompt the platform to do what it may also do by itself, or on another occasion: it sends
/// heartbeats without `heartbeat.send`, syncs what its declarations share without `sync.run`, and uses the token of a
/// grant that `migration.send` names without `grant.hold`.
const PROMPTS: [&str; 3] = ["grant.hold", "heartbeat.send", "sync.run"];

impl Method {
    /// Returns every method, in the order of [`METHODS`].
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        METHODS.iter().flat_map(|group| group.iter()).map(|row| row.method)
    }

    /// Parses a name. Names outside this process, in a request or a scenario file, are parsed once.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::all().find(|method| method.name() == name)
    }

    /// Returns true if a scenario goes on without the method: it changes nothing at the platform that a later step
    /// relies on without naming it.
    #[must_use]
    pub fn can_be_left_out(self) -> bool {
        READS.contains(&self.name()) || PROMPTS.contains(&self.name())
    }

    /// Returns the name on the operator plane: `peer.revoke`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.definition().name
    }

    /// Returns the row of the method.
    #[must_use]
    pub fn definition(self) -> &'static MethodDef {
        let (group, place) = match self {
            Self::Platform(method) => (PlatformMethod::METHODS, method as usize),
            Self::Peer(method) => (PeerMethod::METHODS, method as usize),
            Self::Grant(method) => (GrantMethod::METHODS, method as usize),
            Self::Capability(method) => (CapabilityMethod::METHODS, method as usize),
            Self::Resource(method) => (ResourceMethod::METHODS, method as usize),
            Self::Migration(method) => (MigrationMethod::METHODS, method as usize),
            Self::Audit(method) => (AuditMethod::METHODS, method as usize),
            Self::Governance(method) => (GovernanceMethod::METHODS, method as usize),
            Self::Release(method) => (ReleaseMethod::METHODS, method as usize),
            Self::Contract(method) => (ContractMethod::METHODS, method as usize),
            Self::Network(method) => (NetworkMethod::METHODS, method as usize),
        };
        &group[place]
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The parameters of one method. The type of the parameters names the method and the type of its result.
pub trait OperatorMethod: Serialize + DeserializeOwned + JsonSchema {
    /// The method that the parameters belong to.
    const METHOD: Method;
    /// The result. Unknown members are kept.
    type Result: Serialize + DeserializeOwned + JsonSchema;
}

/// A call of a method, and its result, as JSON texts.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The parameters. `covenant adapter check` sends them, with the ids of its own run.
    pub parameters: &'static str,
    /// The result, as JSON.
    pub result: &'static str,
}

/// A row of the table of methods.
#[derive(Clone, Copy, Debug)]
pub struct MethodDef {
    /// The method that the row is about.
    pub method: Method,
    /// The name on the operator plane.
    pub name: &'static str,
    /// The first version of the protocol that has the method.
    pub since: u64,
    /// True if nothing can be evaluated without the method. An adapter may lack any other.
    pub required: bool,
    /// True if the REST surface of today's platforms has the operation (basis `observed`).
    pub basis: Basis,
    /// The instruction to a person, or `None` if only a program can do it in time.
    pub prompt: Option<&'static str>,
    /// A call and its result.
    pub example: Example,
    pub(super) parameters: fn(&mut SchemaGenerator) -> Schema,
    pub(super) result: fn(&mut SchemaGenerator) -> Schema,
    pub(super) reads_parameters: fn(Value) -> Result<(), String>,
    pub(super) reads_result: fn(Value) -> Result<(), String>,
}

impl MethodDef {
    /// Returns the row of a method with the defaults: optional, proposed, since version 1, no prompt.
    pub(super) const fn of<M: OperatorMethod>(name: &'static str) -> Self {
        Self {
            method: M::METHOD,
            name,
            since: 1,
            required: false,
            basis: Basis::Proposed,
            prompt: None,
            example: Example { parameters: "{}", result: "{}" },
            parameters: M::json_schema,
            result: M::Result::json_schema,
            reads_parameters: reads::<M>,
            reads_result: reads::<M::Result>,
        }
    }

    /// Returns what the method does, for the documents. The first paragraph is one sentence.
    #[must_use]
    pub fn about(&self) -> String {
        self.parameters().about
    }

    /// Returns the first paragraph of [`Self::about`], on one line.
    #[must_use]
    pub fn summary(&self) -> String {
        let about = self.about();
        about.split("\n\n").next().unwrap_or_default().replace('\n', " ")
    }

    /// Returns the members of the parameters.
    #[must_use]
    pub fn parameters(&self) -> Form {
        Form::of(self.parameters)
    }

    /// Returns the members of the result.
    #[must_use]
    pub fn result(&self) -> Form {
        Form::of(self.result)
    }

    /// Checks parameters against their type. The error names the member that is wrong.
    pub fn check_parameters(&self, given: Value) -> Result<(), String> {
        (self.reads_parameters)(given)
    }

    /// Checks a result against its type. The error names the member that is wrong.
    pub fn check_result(&self, given: Value) -> Result<(), String> {
        (self.reads_result)(super::without_nulls(given))
    }

    /// Returns the JSON Schemas of the parameters and of the result.
    pub(super) fn schemas(&self, generator: &mut SchemaGenerator) -> (Schema, Schema) {
        ((self.parameters)(generator), (self.result)(generator))
    }
}

impl Example {
    /// Returns the parameters as JSON.
    #[must_use]
    pub fn parameters(&self) -> Value {
        serde_json::from_str(self.parameters).unwrap_or_default()
    }

    /// Returns the result as JSON.
    #[must_use]
    pub fn result(&self) -> Value {
        serde_json::from_str(self.result).unwrap_or_default()
    }
}

fn reads<T: DeserializeOwned>(given: Value) -> Result<(), String> {
    serde_json::from_value::<T>(given).map(drop).map_err(|error| error.to_string())
}

/// Declares the methods of a group: an enum with one variant for each type of parameters, the rows in the
/// order of the variants, and the link from each type of parameters to its method and its result.
macro_rules! methods {
    (
        $(#[$about:meta])*
        $methods:ident in $group:ident {
            $($name:literal => $parameters:ident -> $result:ty { $($member:ident: $value:expr,)* })*
        }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $methods {
            $(#[doc = concat!("`", $name, "`")] $parameters,)*
        }

        impl $methods {
            /// The rows of the group.
            pub(super) const METHODS: &'static [$crate::operator::MethodDef] = &[
                $($crate::operator::MethodDef {
                    $($member: $value,)*
                    ..$crate::operator::MethodDef::of::<$parameters>($name)
                },)*
            ];
        }

        $(impl $crate::operator::OperatorMethod for $parameters {
            const METHOD: $crate::operator::Method =
                $crate::operator::Method::$group($methods::$parameters);
            type Result = $result;
        })*
    };
}
pub(super) use methods;
