//! JSON objects that the core carries but never looks into.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value, value::RawValue};

/// The compact text of one JSON object.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JsonObject(Arc<str>);

impl JsonObject {
    /// The object without fields.
    #[must_use]
    pub fn empty() -> Self {
        Self("{}".into())
    }

    /// The whole text, braces included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text between the braces; empty for the object without fields.
    #[must_use]
    pub fn fields(&self) -> &str {
        &self.0[1..self.0.len() - 1]
    }

    /// Parses a text that has to be a JSON object, as a store gives it back.
    ///
    /// # Errors
    /// When the text is no JSON object.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let raw = serde_json::from_str::<&RawValue>(text)?;
        if !raw.get().starts_with('{') {
            return Err(serde::de::Error::custom("no JSON object"));
        }
        Ok(Self(raw.get().into()))
    }
}

impl From<Map<String, Value>> for JsonObject {
    fn from(map: Map<String, Value>) -> Self {
        Self(Value::Object(map).to_string().into())
    }
}

impl fmt::Debug for JsonObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `text` as a JSON string, quotes included.
#[must_use]
pub fn string(text: &str) -> String {
    Value::from(text).to_string()
}
