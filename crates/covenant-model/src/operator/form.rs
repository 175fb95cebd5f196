//! The members of parameters and results, read from the JSON Schema of their type.

use std::fmt;

use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

/// The members of an object of the operator plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The text of the type's doc comment.
    pub about: String,
    /// The members, the required ones first.
    pub members: Vec<Member>,
    /// True if the object has one list, and the list may be sent without the object.
    pub may_be_bare: bool,
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name of the member.
    pub name: String,
    /// The kind of the value.
    pub kind: Kind,
    /// True if the member has to be there.
    pub required: bool,
    /// The text of the field's doc comment.
    pub about: String,
    /// The members of the value, or of each item of an array, if it is an object with known members.
    pub members: Vec<Member>,
}

/// The kind of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A JSON string.
    Text,
    /// An http or https URL, as a text.
    Url,
    /// A time in the form of RFC 3339, as a text.
    Moment,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// A JSON object.
    Object,
    /// An array of items of one kind.
    Array(Box<Kind>),
    /// Any JSON value.
    Anything,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Url => f.write_str("http or https URL"),
            Self::Moment => f.write_str("time as in RFC 3339"),
            Self::Integer => f.write_str("integer"),
            Self::Boolean => f.write_str("boolean"),
            Self::Object => f.write_str("object"),
            Self::Array(of) if **of == Self::Anything => f.write_str("array"),
            Self::Array(of) => write!(f, "array of {of}"),
            Self::Anything => f.write_str("anything"),
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<String> =
            self.required().map(|member| format!("\"{}\": {}", member.name, member.kind)).collect();
        let alone = if self.may_be_bare { " or an array" } else { "" };
        write!(f, "{{{}}}{alone}", members.join(", "))
    }
}

impl Form {
    /// Returns the members that have to be there.
    pub fn required(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.required)
    }

    /// Reads the form from the schema of a type.
    pub(super) fn of(schema: fn(&mut SchemaGenerator) -> Schema) -> Self {
        let mut generator = SchemaGenerator::default();
        let schema = schema(&mut generator).to_value();
        let definitions = Value::Object(generator.take_definitions(true));
        let reader = Reader { definitions: &definitions };
        // Only a list that may be sent without its object has alternatives.
        let alternative = schema["anyOf"].get(0);
        let object = reader.resolved(alternative.unwrap_or(&schema));
        let members = reader.members(object);
        Self { about: text(&schema, "description"), members, may_be_bare: alternative.is_some() }
    }
}

struct Reader<'a> {
    definitions: &'a Value,
}

impl<'a> Reader<'a> {
    /// Returns the members of an object: the required ones in the order of the type, then the others.
    fn members(&self, object: &'a Value) -> Vec<Member> {
        let Some(properties) = object["properties"].as_object() else { return Vec::new() };
        let required = object["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let required: Vec<&str> = required.iter().filter_map(Value::as_str).collect();
        let others = properties.keys().map(String::as_str).filter(|name| !required.contains(name));
        let names = required.iter().copied().chain(others);
        names
            .filter_map(|name| {
                let schema = properties.get(name)?;
                let value = self.value(schema);
                let item = self.value(&value["items"]);
                let inner = if item["properties"].is_object() { item } else { value };
                Some(Member {
                    name: name.to_owned(),
                    kind: self.kind(value),
                    required: required.contains(&name),
                    about: text(schema, "description"),
                    members: self.members(inner),
                })
            })
            .collect()
    }

    /// Returns the schema of a value without the alternative null.
    fn value(&self, schema: &'a Value) -> &'a Value {
        let alternatives = schema["anyOf"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut known = alternatives.iter().filter(|alternative| alternative["type"] != "null");
        match (known.next(), known.next()) {
            (Some(only), None) => self.resolved(only),
            _ => self.resolved(schema),
        }
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        name.map_or(schema, |name| &self.definitions[name])
    }

    fn kind(&self, schema: &'a Value) -> Kind {
        let name = match &schema["type"] {
            Value::Array(names) => names.iter().find(|name| *name != "null").and_then(Value::as_str),
            name => name.as_str(),
        };
        match (name, schema["format"].as_str()) {
            (Some("string"), Some("uri")) => Kind::Url,
            (Some("string"), Some("date-time")) => Kind::Moment,
            (Some("string"), _) => Kind::Text,
            (Some("integer"), _) => Kind::Integer,
            (Some("boolean"), _) => Kind::Boolean,
            (Some("object"), _) => Kind::Object,
            (Some("array"), _) => Kind::Array(Box::new(self.kind(self.value(&schema["items"])))),
            _ => Kind::Anything,
        }
    }
}

fn text(schema: &Value, member: &str) -> String {
    schema[member].as_str().unwrap_or_default().to_owned()
}
