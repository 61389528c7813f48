//! The little of protobuf that etcd's WAL and snapshots need: fields, one after the other.

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Fixed width: etcd's messages have none, and skip it.
    Fixed,
}

/// The message is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The fields of a message. After an error there is nothing more.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

/// A message's fields, by their numbers.
pub(crate) fn fields(message: &[u8]) -> Fields<'_> {
    Fields { rest: message }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.rest = &[];
        }
        Some(field.ok_or(Malformed))
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let (id, head, length) = head(self.rest)?;
        self.take(length)?;
        Some(match head {
            Head::Number(number) => (id, Value::Number(number)),
            Head::Bytes(length) => (id, Value::Bytes(self.take(usize::try_from(length).ok()?)?)),
            Head::Fixed(length) => (id, self.take(length).map(|_| Value::Fixed)?),
        })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

/// The most bytes of a field's beginning: two numbers.
pub(crate) const LONGEST_HEAD: usize = 20;

/// What a field's beginning says: a number, or how many bytes follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    Number(u64),
    Bytes(u64),
    Fixed(usize),
}

/// The beginning of a field: its number, what it says, and how long it is.
pub(crate) fn head(bytes: &[u8]) -> Option<(u64, Head, usize)> {
    let (tag, mut length) = varint(bytes)?;
    let mut number = || {
        let (number, more) = varint(&bytes[length..])?;
        length += more;
        Some(number)
    };
    let head = match tag & 7 {
        0 => Head::Number(number()?),
        1 => Head::Fixed(8),
        2 => Head::Bytes(number()?),
        5 => Head::Fixed(4),
        _ => return None,
    };
    // Zeros would be field 0: no message has it, and generated readers refuse it too.
    (tag >> 3 != 0).then_some((tag >> 3, head, length))
}

/// A number, and how many bytes it has.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        // Bits past the 64th fall off, as they do in Go's generated readers.
        number |= u64::from(byte & 0x7f).checked_shl(7 * u32::try_from(at).ok()?).unwrap_or(0);
        if *byte < 0x80 {
            return Some((number, at + 1));
        }
    }
    None
}

/// A field that must be a number.
pub(crate) fn number(value: Value<'_>) -> Result<u64, Malformed> {
    if let Value::Number(number) = value { Ok(number) } else { Err(Malformed) }
}

/// A field that must be bytes.
pub(crate) fn bytes(value: Value<'_>) -> Result<&[u8], Malformed> {
    if let Value::Bytes(bytes) = value { Ok(bytes) } else { Err(Malformed) }
}

/// Builds messages for tests.
#[cfg(test)]
pub(crate) mod testing {
    /// A varint's bytes.
    pub(crate) fn varint(mut number: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while number > 0x7f {
            bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
            number >>= 7;
        }
        bytes.push(u8::try_from(number).expect("seven bits"));
        bytes
    }

    pub(crate) fn number(field: u64, number: u64) -> Vec<u8> {
        [varint(field << 3), varint(number)].concat()
    }

    pub(crate) fn bytes(field: u64, bytes: &[u8]) -> Vec<u8> {
        [&varint(field << 3 | 2)[..], &varint(bytes.len() as u64), bytes].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_in_order() {
        let message = [testing::number(1, u64::MAX), testing::bytes(3, b"abc"), vec![0x25, 1, 2, 3, 4]].concat();
        let found: Vec<_> = fields(&message).collect::<Result<_, _>>().expect("sound");
        assert_eq!(found, [(1, Value::Number(u64::MAX)), (3, Value::Bytes(b"abc")), (4, Value::Fixed)]);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for message in [
            &[0, 0][..],
            &[8],
            &[8, 0x80],
            &[0x1a, 5, 1],
            &[0x0b],
            &[8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        ] {
            assert!(fields(message).any(|field| field.is_err()), "{message:?}");
            assert!(fields(message).count() <= 2);
        }
    }
}
