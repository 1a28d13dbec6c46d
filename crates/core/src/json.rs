//! JSON objects that the core carries without interpreting them.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value, value::RawValue};

/// The compact text of one JSON object.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct JsonObject(Arc<str>);

impl JsonObject {
    /// The empty object, `{}`.
    #[must_use]
    pub fn empty() -> Self {
        Self("{}".into())
    }

    /// The whole text, braces included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text between the braces; empty for the empty object.
    #[must_use]
    pub fn fields(&self) -> &str {
        &self.0[1..self.0.len() - 1]
    }

    /// Parses the text of a JSON object, as a store returns it.
    ///
    /// # Errors
    /// The text is not a JSON object.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        let raw = serde_json::from_str::<&RawValue>(text)?;
        if !raw.get().starts_with('{') {
            return Err(serde::de::Error::custom("not a JSON object"));
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
