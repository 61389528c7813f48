//! A digest by which an apply says which plan it applies: 128 bits of SHA-256, in hex.

use sha2::{Digest as _, Sha256};

/// A digest that is being made.
pub(crate) struct Digest(Sha256);

impl Digest {
    pub(crate) fn new() -> Self {
        Self(Sha256::new())
    }

    /// Adds a text, or the bytes of one.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
        self.end();
    }

    /// Adds what is written like this.
    pub(crate) fn text(&mut self, text: &impl ToString) {
        self.bytes(text.to_string().as_bytes());
    }

    /// Ends a list. No text holds this byte, so nothing can pass from one to the next.
    pub(crate) fn end(&mut self) {
        self.0.update([0xff]);
    }

    pub(crate) fn finish(self) -> String {
        let digest = self.0.finalize();
        let half: [u8; 16] = std::array::from_fn(|n| digest[n]);
        format!("{:032x}", u128::from_be_bytes(half))
    }
}
