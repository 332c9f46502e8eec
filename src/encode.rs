//! From values to a JSON object: the body of a request, a line of a journal.
//!
//! By hand, as `serde_derive` would be a twentieth of what a program builds for this crate.

use serde_core::Serialize;
use serde_core::ser::{SerializeMap, Serializer};

/// Where the members of a body go.
pub(crate) type Members<'a> = <&'a mut serde_json::Serializer<Vec<u8>> as Serializer>::SerializeMap;

/// A JSON object.
pub(crate) fn object(write: &dyn Fn(&mut Members<'_>) -> serde_json::Result<()>) -> Vec<u8> {
    let mut serializer = serde_json::Serializer::new(Vec::with_capacity(128));
    let written = serializer.serialize_map(None).and_then(|mut members| {
        write(&mut members)?;
        members.end()
    });
    #[expect(clippy::expect_used, reason = "strings, lists and maps with string keys always have a JSON form")]
    written.expect("a request body has a JSON form");
    serializer.into_inner()
}

/// A member that may be absent.
pub(crate) trait SerializeOptional: SerializeMap {
    fn serialize_optional<T: Serialize>(&mut self, name: &'static str, value: Option<&T>) -> Result<(), Self::Error> {
        value.map_or(Ok(()), |value| self.serialize_entry(name, value))
    }
}

impl<M: SerializeMap> SerializeOptional for M {}
