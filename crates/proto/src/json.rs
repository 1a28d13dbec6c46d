//! Conversions between `google.protobuf.Struct` and JSON objects.
//!
//! All numbers of a Struct are doubles. A whole number that a double represents exactly becomes a JSON integer, so that
//! `3` is written as `3` and not as `3.0`.

use std::fmt::{self, Display};

use prost_types::{ListValue, Struct, value::Kind};
use roomcast_core::JsonObject;
use serde_json::{Map, Number, Value};

use crate::violation::Fields;

/// The most levels of nested objects and arrays, including the object itself.
const MAX_DEPTH: usize = 32;

/// Doubles represent every integer up to this one exactly.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_992.0;

/// The path of a value. It is formatted only for violations, because callers choose the names and their length.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root(&'a str),
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, n) => write!(f, "{parent}[{n}]"),
        }
    }
}

/// The object, or `None` after adding a violation for each value that is not valid JSON.
pub(crate) fn object(fields: &mut Fields, name: &str, from: Struct) -> Option<JsonObject> {
    map(fields, Path::Root(name), from, 1).map(JsonObject::from)
}

fn map(fields: &mut Fields, path: Path<'_>, from: Struct, depth: usize) -> Option<Map<String, Value>> {
    if too_deep(fields, path, depth) {
        return None;
    }
    let mut complete = Some(Map::new());
    for (name, from) in from.fields {
        let value = value(fields, Path::Field(&path, &name), from, depth);
        complete = complete.zip(value).map(|(mut map, value)| {
            map.insert(name, value);
            map
        });
    }
    complete
}

fn list(fields: &mut Fields, path: Path<'_>, from: ListValue, depth: usize) -> Option<Vec<Value>> {
    if too_deep(fields, path, depth) {
        return None;
    }
    let mut complete = Some(Vec::with_capacity(from.values.len()));
    for (n, from) in from.values.into_iter().enumerate() {
        let value = value(fields, Path::Item(&path, n), from, depth);
        complete = complete.zip(value).map(|(mut list, value)| {
            list.push(value);
            list
        });
    }
    complete
}

fn value(fields: &mut Fields, path: Path<'_>, from: prost_types::Value, depth: usize) -> Option<Value> {
    match from.kind {
        Some(Kind::NullValue(_)) => Some(Value::Null),
        Some(Kind::BoolValue(value)) => Some(Value::Bool(value)),
        Some(Kind::StringValue(text)) => Some(Value::String(text)),
        Some(Kind::NumberValue(value)) => {
            let number = number(value);
            if number.is_none() {
                fields.add(path, "is not a JSON number: NaN and Infinity are not allowed");
            }
            number.map(Value::Number)
        }
        Some(Kind::StructValue(inner)) => map(fields, path, inner, depth + 1).map(Value::Object),
        Some(Kind::ListValue(inner)) => list(fields, path, inner, depth + 1).map(Value::Array),
        None => {
            fields.add(path, "has no value: set one of its kinds (null_value for null)");
            None
        }
    }
}

fn too_deep(fields: &mut Fields, path: Path<'_>, depth: usize) -> bool {
    if depth > MAX_DEPTH {
        fields.add(
            path,
            format_args!("is nested too deeply: at most {MAX_DEPTH} levels are allowed"),
        );
    }
    depth > MAX_DEPTH
}

fn number(value: f64) -> Option<Number> {
    if value.fract() == 0.0 && value.abs() <= MAX_EXACT_INTEGER {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 53 bits")]
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// Converts an object. An integer that a double cannot represent exactly becomes the nearest double.
pub(crate) fn to_struct(object: &JsonObject) -> Struct {
    match serde_json::from_str(object.as_str()) {
        Ok(map) => struct_from_map(map),
        Err(_) => unreachable!("a JsonObject is a JSON object"),
    }
}

fn struct_from_map(map: Map<String, Value>) -> Struct {
    Struct {
        fields: map
            .into_iter()
            .map(|(name, value)| (name, value_from_json(value)))
            .collect(),
    }
}

fn value_from_json(value: Value) -> prost_types::Value {
    let kind = match value {
        Value::Null => Kind::NullValue(0),
        Value::Bool(value) => Kind::BoolValue(value),
        Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Kind::StringValue(text),
        Value::Array(values) => Kind::ListValue(ListValue {
            values: values.into_iter().map(value_from_json).collect(),
        }),
        Value::Object(map) => Kind::StructValue(struct_from_map(map)),
    };
    prost_types::Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(from: Struct) -> Result<JsonObject, crate::Invalid> {
        let mut fields = Fields::default();
        let object = object(&mut fields, "attributes", from);
        fields.finish(object)
    }

    fn one(kind: Option<Kind>) -> Struct {
        Struct {
            fields: [("n".to_owned(), prost_types::Value { kind })].into(),
        }
    }

    #[test]
    fn whole_numbers_become_integers_and_others_stay_doubles() {
        let text = |value| {
            parsed(one(Some(Kind::NumberValue(value))))
                .unwrap()
                .as_str()
                .to_owned()
        };
        assert_eq!(text(3.0), r#"{"n":3}"#);
        assert_eq!(text(-0.0), r#"{"n":0}"#);
        assert_eq!(text(MAX_EXACT_INTEGER), r#"{"n":9007199254740992}"#);
        assert_eq!(text(1e300), r#"{"n":1e+300}"#);
        assert_eq!(text(0.1), r#"{"n":0.1}"#);
    }

    #[test]
    fn a_value_that_is_not_json_is_named_by_its_path() {
        for kind in [
            None,
            Some(Kind::NumberValue(f64::NAN)),
            Some(Kind::NumberValue(f64::INFINITY)),
        ] {
            let inner = ListValue {
                values: vec![Kind::BoolValue(true).into(), prost_types::Value { kind }],
            };
            let invalid = parsed(one(Some(Kind::ListValue(inner)))).unwrap_err();
            assert_eq!(invalid.violations().len(), 1);
            assert_eq!(invalid.violations()[0].field, "attributes.n[1]");
        }
    }

    #[test]
    fn nesting_is_limited() {
        let nested =
            |levels| (1..levels).fold(Struct::default(), |inner, _| one(Some(Kind::StructValue(inner))));
        assert!(parsed(nested(MAX_DEPTH)).is_ok());
        let invalid = parsed(nested(MAX_DEPTH + 1)).unwrap_err();
        assert!(invalid.to_string().contains("nested too deeply"), "{invalid}");
    }
}
