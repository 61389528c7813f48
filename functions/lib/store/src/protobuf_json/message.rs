//! A message, as protojson reads one: names in either spelling, no field twice, none that is not known, `null` for nothing,
//! and numbers also as strings.
//!
//! It is a reader of its own since of two fields of one name `serde_json::Value` keeps the last without a word: etcd-manager
//! would read nothing of such a file, after it had put the data of the living etcd cluster away.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::malformed::{MOST, Malformed};

/// The greatest whole number that a JSON number with a fraction or an exponent has for sure: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The fields of a message that nobody has taken yet.
#[derive(Debug)]
pub(super) struct Message(Vec<(String, Field)>);

/// What a field has.
#[derive(Debug)]
pub(super) enum Field {
    Nothing,
    Text(String),
    Number(i64),
    Message(Message),
    /// Nothing that any field of these messages has.
    Other,
}

impl Message {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MOST {
            return Err(Malformed::TooLarge(bytes.len()));
        }
        match serde_json::from_slice(bytes) {
            Ok(Field::Message(message)) => Ok(message),
            Ok(_) => Err(Malformed::NotAnObject),
            Err(error) => Err(Malformed::NotJson(error.to_string())),
        }
    }

    /// Takes a field, by its two spellings.
    pub(super) fn take(&mut self, field: &'static str, in_snake_case: &str) -> Result<Field, Malformed> {
        let is_it = |(name, _): &mut (String, Field)| name == field || name == in_snake_case;
        let mut found = self.0.extract_if(.., is_it);
        let (first, second) = (found.next(), found.next());
        if second.is_some() {
            Err(Malformed::Twice(field))
        } else {
            Ok(first.map_or(Field::Nothing, |(_, field)| field))
        }
    }

    /// All known fields are taken.
    pub(super) fn end(self) -> Result<(), Malformed> {
        self.0.first().map_or(Ok(()), |(name, _)| Err(Malformed::unknown(name)))
    }
}

impl Field {
    /// Empty where there is nothing, as protobuf has it.
    pub(super) fn text(self, field: &'static str) -> Result<String, Malformed> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Nothing => Ok(String::new()),
            _ => Err(Malformed::Invalid { field, expected: "a text" }),
        }
    }

    /// 0 where there is nothing, as protobuf has it.
    pub(super) fn number<N: TryFrom<i64>>(self, field: &'static str) -> Result<N, Malformed> {
        let number = match self {
            Self::Nothing => Some(0),
            Self::Number(number) => Some(number),
            // The number as JSON has it: no `+`, no zeros before it, nothing around it.
            Self::Text(text) if text.trim() == text => match serde_json::from_str(&text) {
                Ok(Self::Number(number)) => Some(number),
                _ => None,
            },
            _ => None,
        };
        let number = number.and_then(|number| N::try_from(number).ok());
        number.ok_or(Malformed::Invalid { field, expected: "a whole number that fits" })
    }

    pub(super) fn message(self, field: &'static str) -> Result<Option<Message>, Malformed> {
        match self {
            Self::Nothing => Ok(None),
            Self::Message(message) => Ok(Some(message)),
            _ => Err(Malformed::Invalid { field, expected: "an object" }),
        }
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reads)
    }
}

struct Reads;

impl<'de> Visitor<'de> for Reads {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Field, E> {
        Ok(Field::Nothing)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Field, E> {
        Ok(Field::Other)
    }

    fn visit_i64<E>(self, number: i64) -> Result<Field, E> {
        Ok(Field::Number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Field, E> {
        Ok(i64::try_from(number).map_or(Field::Other, Field::Number))
    }

    /// `1795686089.0` and `1e3` are whole numbers to protojson.
    fn visit_f64<E>(self, number: f64) -> Result<Field, E> {
        let is_whole = number.fract() == 0.0 && number.abs() < EXACT;
        let digits = is_whole.then(|| format!("{number:.0}"));
        Ok(digits.and_then(|digits| digits.parse().ok()).map_or(Field::Other, Field::Number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Field, E> {
        Ok(Field::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Field, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Field, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = object.next_entry()? {
            fields.push(field);
        }
        Ok(Field::Message(Message(fields)))
    }
}
