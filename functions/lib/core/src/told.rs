//! What others wrote, made fit to be told: in a message, a mail, a log line.
//!
//! Who may write a tag, or a file on a volume, would else write into the operator's mails: a line that looks like one of ours,
//! the end of a message, text that reads from right to left. So nothing of it is told but printable ASCII, and no more than so
//! much of it.

use std::fmt;

/// Most characters that are told of a value.
const MOST_OF_VALUE: usize = 64;
/// Most characters that are told of a sentence.
const MOST_OF_SENTENCE: usize = 1000;
/// Most of a list that are told.
const MOST_OF_LIST: usize = 10;
/// What stands for all that was cut off.
const CUT: &str = "...";

/// Foreign text; [displayed](fmt::Display), it is fit to be told.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    text: &'a str,
    most: usize,
    is_quoted: bool,
}

/// A name or a value, e.g. a tag's: also without backquotes, in which messages set values.
#[must_use]
pub fn value(text: &str) -> Told<'_> {
    Told { text, most: MOST_OF_VALUE, is_quoted: true }
}

/// A sentence or more, e.g. what EC2 says of a failure.
#[must_use]
pub fn sentence(text: &str) -> Told<'_> {
    Told { text, most: MOST_OF_SENTENCE, is_quoted: false }
}

/// Names or values, as many as can be read.
#[must_use]
pub fn list(texts: &[String]) -> String {
    let told: Vec<String> = texts.iter().take(MOST_OF_LIST).map(|text| value(text).to_string()).collect();
    let more = texts.len().saturating_sub(MOST_OF_LIST);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", told.join(", "))
}

impl Told<'_> {
    /// Double quotes and backslashes would end or change the quoted text that EventBridge makes a mail of.
    fn plain(self, character: char) -> char {
        match character {
            '"' => '\'',
            '`' if self.is_quoted => '\'',
            '\\' => '?',
            ' '..='~' => character,
            _ => '?',
        }
    }
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_cut = self.text.chars().nth(self.most).is_some();
        let most = if is_cut { self.most - CUT.len() } else { self.most };
        for character in self.text.chars().take(most) {
            write!(f, "{}", self.plain(character))?;
        }
        f.write_str(if is_cut { CUT } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_plain_is_told_as_it_is() {
        assert_eq!(value("a/a,b,c").to_string(), "a/a,b,c");
        assert_eq!(sentence("tag `k8s.io/etcd/main` has no `/`").to_string(), "tag `k8s.io/etcd/main` has no `/`");
    }

    #[test]
    fn nothing_ends_a_line_or_a_quotation_or_turns_the_reading_round() {
        assert_eq!(value("a\nrun now: rm").to_string(), "a?run now: rm");
        assert_eq!(value("`a`, says \"b\"").to_string(), "'a', says 'b'");
        assert_eq!(value("\u{202e}cba\u{2028}\\n\u{1b}[2J").to_string(), "?cba??n?[2J");
        assert_eq!(sentence("EC2 said \"no\"\nand more").to_string(), "EC2 said 'no'?and more");
    }

    #[test]
    fn what_is_too_long_ends_in_dots() {
        let (fits, long) = ("x".repeat(64), "x".repeat(65));
        assert_eq!(value(&fits).to_string(), fits);
        assert_eq!(value(&long).to_string(), format!("{}...", "x".repeat(61)));
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_is_short_and_printable(text: String) {
            let told = value(&text).to_string();
            prop_assert!(told.len() <= MOST_OF_VALUE && told.chars().all(|c| matches!(c, ' '..='~')));
            prop_assert!(!told.contains(['`', '"', '\\']), "{}", told);
            let told = sentence(&text.repeat(100)).to_string();
            prop_assert!(told.len() <= MOST_OF_SENTENCE && told.chars().all(|c| matches!(c, ' '..='~')));
        }
    }
}
