//! The kinds that a platform names in `describe`, or its user in `covenant.toml`: which records it stores.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::wire::path::is_kind;

/// A kind of record that the platform has, with a sample.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResourceKind {
    /// The name: `[a-z_]+`.
    pub kind: String,
    /// A record of the kind that the platform accepts, without `id` and `account_id`. Each required member that
    /// is `fixed`, an `object` or a `reference` is sent with its value.
    #[serde(default)]
    pub sample: Map<String, Value>,
    /// The members that the platform stores, apart from `id` and `account_id`. The suite sends no other.
    pub members: BTreeMap<String, KindMember>,
}

/// A member of the records of a kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KindMember {
    /// The content of the member.
    #[serde(default)]
    pub role: MemberRole,
    /// `true` if a record without the member is refused.
    #[serde(default)]
    pub required: bool,
    /// Of a `reference`: the kind of the record whose id it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// The content of a member of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MemberRole {
    /// The value of the sample, and no other.
    #[default]
    Fixed,
    /// Text that may vary. The first one, required before optional and then by name, is the name of a record;
    /// the others serve as filters.
    Text,
    /// A text that no two records of the kind share.
    Slug,
    /// The id of another record.
    Reference,
    /// Any JSON object.
    Object,
}

/// The kinds that a platform names. They are valid.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Vec<ResourceKind>")]
pub struct Kinds(Vec<ResourceKind>);

/// An error in the description of a kind: its place, what was expected, and what to do.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{place}: {message}")]
pub struct KindError {
    place: String,
    message: String,
}

impl Kinds {
    /// Reads the member `kinds` of a description. `None` if it is absent.
    pub fn read(described: &Value) -> Result<Option<Self>, KindError> {
        let rows = match described {
            Value::Null => return Ok(None),
            Value::Array(rows) => rows,
            other => return Err(fault("kinds".to_owned(), format!("an array was expected, found {other}"))),
        };
        let read = |(place, row): (usize, &Value)| {
            ResourceKind::deserialize(row)
                .map_err(|error| fault(format!("kinds[{place}]"), error.to_string()))
        };
        let kinds = rows.iter().enumerate().map(read).collect::<Result<_, _>>()?;
        Self::new(kinds).map(Some)
    }

    /// Checks the kinds.
    pub fn new(kinds: Vec<ResourceKind>) -> Result<Self, KindError> {
        if kinds.is_empty() {
            let message = "at least one kind was expected; leave the member out to use the suite's own";
            return Err(fault("kinds".to_owned(), message));
        }
        for (place, kind) in kinds.iter().enumerate() {
            let at = || format!("kinds[{place}] ({:?})", kind.kind);
            if !is_kind(&kind.kind) {
                return Err(fault(at(), "kind: `[a-z_]+` was expected"));
            }
            if kinds[..place].iter().any(|other| other.kind == kind.kind) {
                return Err(fault(at(), "the kind is named twice; give each kind one row"));
            }
            if kind.texts().is_empty() {
                let message =
                    "no member has the role `text`, so no two records would differ; give one that role";
                return Err(fault(at(), message));
            }
            for (name, member) in &kind.members {
                kind.check(name, member, &kinds)
                    .map_err(|message| fault(format!("{}, member {name:?}", at()), message))?;
            }
        }
        Ok(Self(kinds))
    }

    /// Iterates over the kinds, in the order of their rows.
    pub fn iter(&self) -> impl Iterator<Item = &ResourceKind> {
        self.0.iter()
    }

    /// Returns whether the platform names a kind.
    #[must_use]
    pub fn has(&self, kind: &str) -> bool {
        self.0.iter().any(|row| row.kind == kind)
    }
}

impl TryFrom<Vec<ResourceKind>> for Kinds {
    type Error = KindError;

    fn try_from(kinds: Vec<ResourceKind>) -> Result<Self, KindError> {
        Self::new(kinds)
    }
}

impl ResourceKind {
    /// Returns the members with text that may vary: the required ones first. The first is the name of a record.
    #[must_use]
    pub fn texts(&self) -> Vec<&str> {
        let texts = |required| {
            let members = self.members.iter();
            members
                .filter(move |(_, member)| member.role == MemberRole::Text && member.required == required)
                .map(|(name, _)| name.as_str())
        };
        texts(true).chain(texts(false)).collect()
    }

    /// Returns the member that no two records share, if there is one.
    #[must_use]
    pub fn slug(&self) -> Option<&str> {
        self.with_role(MemberRole::Slug).next()
    }

    /// Returns the members that hold the id of another record of the same kind.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        let own = |name: &&str| self.members[*name].to.as_deref() == Some(&*self.kind);
        self.with_role(MemberRole::Reference).filter(own)
    }

    /// Returns the members with a role.
    pub fn with_role(&self, role: MemberRole) -> impl Iterator<Item = &str> {
        let members = self.members.iter().filter(move |(_, member)| member.role == role);
        members.map(|(name, _)| name.as_str())
    }

    /// Checks one member. An error says what was expected.
    fn check(&self, name: &str, member: &KindMember, kinds: &[ResourceKind]) -> Result<(), String> {
        let sample = self.sample.get(name).filter(|sample| !sample.is_null());
        match member.role {
            _ if matches!(name, "id" | "account_id") => {
                return Err("the suite sets it itself; leave it out".to_owned());
            }
            MemberRole::Text | MemberRole::Slug => {
                if let Some(sample) = sample.filter(|sample| !sample.is_string()) {
                    return Err(format!("a text was expected in `sample`, found {sample}"));
                }
            }
            MemberRole::Reference => match &member.to {
                None => {
                    return Err("a reference needs `to`, the kind of the record whose id it holds".to_owned());
                }
                Some(to) if !kinds.iter().any(|kind| kind.kind == *to) && sample.is_none() => {
                    return Err(format!(
                        "no row of `kinds` is called {to:?}; name it, or put an id into `sample`"
                    ));
                }
                Some(_) => {}
            },
            MemberRole::Fixed | MemberRole::Object => {}
        }
        let needs_sample = !matches!(member.role, MemberRole::Text | MemberRole::Slug);
        if member.required && needs_sample && sample.is_none() {
            let what = match member.role {
                MemberRole::Reference => "the id of a record that the platform has",
                _ => "a value",
            };
            return Err(format!("it is required, and `sample` has none; put {what} there"));
        }
        Ok(())
    }
}

fn fault(place: String, message: impl Into<String>) -> KindError {
    KindError { place, message: message.into() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workflow() -> Value {
        json!({"kind": "workflow", "sample": {"state": "draft", "title": "Weaving"}, "members": {
            "note": {"role": "text"}, "title": {"role": "text", "required": true}, "handle": {"role": "slug"},
            "parent_id": {"role": "reference", "to": "workflow"}, "state": {"required": true},
        }})
    }

    #[test]
    fn the_roles_of_members_are_read() {
        let kinds = Kinds::read(&json!([workflow()])).expect("valid").expect("kinds");
        let kind = kinds.iter().next().expect("a kind");
        assert_eq!((kind.texts(), kind.slug()), (vec!["title", "note"], Some("handle")));
        assert_eq!(kind.references().collect::<Vec<_>>(), ["parent_id"]);
        assert_eq!(Kinds::read(&Value::Null), Ok(None));
    }

    #[test]
    fn an_error_names_the_place_and_what_to_do() {
        let with = |member: &str, value: Value| {
            let mut kind = workflow();
            kind["members"][member] = value;
            json!([kind])
        };
        let nameless = json!([{"kind": "a", "members": {"state": {}}}]);
        for (described, expected) in [
            (json!({}), "kinds: an array was expected"),
            (json!([]), "kinds: at least one kind"),
            (json!([workflow(), workflow()]), "kinds[1] (\"workflow\"): the kind is named twice"),
            (json!([{"kind": "A", "members": {}}]), "`[a-z_]+` was expected"),
            (nameless, "give one that role"),
            (with("title", json!({"role": "txt"})), "kinds[0]: unknown variant `txt`, expected one of"),
            (with("title", json!({"rolle": "text"})), "unknown field `rolle`"),
            (with("parent_id", json!({"role": "reference"})), "member \"parent_id\": a reference needs `to`"),
            (with("b_id", json!({"role": "reference", "to": "b"})), "no row of `kinds` is called \"b\""),
            (with("more", json!({"required": true})), "put a value there"),
            (
                with("a_id", json!({"role": "reference", "to": "workflow", "required": true})),
                "put the id of a record that the platform has there",
            ),
            (with("id", json!({"role": "text"})), "leave it out"),
        ] {
            let error = Kinds::read(&described).expect_err("invalid").to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
