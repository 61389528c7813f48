//! The policy: `RETENTION`, parsed.

use super::calendar::Within;

/// What to keep. Zero switches a rule off; at least one rule is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// The last so many points.
    pub last: u32,
    /// The newest of each of the last so many hours that have one.
    pub hourly: u32,
    /// The newest of each of the last so many days that have one.
    pub daily: u32,
    /// The newest of each of the last so many ISO weeks that have one.
    pub weekly: u32,
    /// The newest of each of the last so many months that have one.
    pub monthly: u32,
    /// The newest of each of the last so many years that have one.
    pub yearly: u32,
    /// Everything within that span before the newest.
    pub within: Within,
}

/// What is wrong with a policy, and what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// Not `word=value`, or a word that restic does not have.
    #[error(
        "`{0}` is not one of keep-last=N, keep-hourly=N, keep-daily=N, keep-weekly=N, keep-monthly=N, keep-yearly=N, \
         keep-within=7d"
    )]
    UnknownRule(String),
    /// A count that is none.
    #[error("`{0}` needs a whole number from 0 to {max}; 0 switches the rule off", max = u32::MAX)]
    BadCount(String),
    /// A span that is none.
    #[error("`{0}` needs a span of years, months, days and hours such as 7d or 1y2m3d4h")]
    BadSpan(String),
    /// The same word twice.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// Nothing would be kept.
    #[error("keeps nothing: at least one rule must be above 0, e.g. keep-hourly=24")]
    KeepsNothing,
}

impl Policy {
    /// Reads `keep-last=3,keep-hourly=24,keep-within=7d`.
    pub fn parse(text: &str) -> Result<Self, InvalidPolicy> {
        let mut policy = Self::default();
        let mut seen = Vec::new();
        for rule in text.split(',').map(str::trim) {
            let unknown = || InvalidPolicy::UnknownRule(rule.to_owned());
            let (word, value) = rule.split_once('=').ok_or_else(unknown)?;
            if seen.contains(&word) {
                return Err(InvalidPolicy::Twice(word.to_owned()));
            }
            seen.push(word);
            let count = match word {
                "keep-last" => &mut policy.last,
                "keep-hourly" => &mut policy.hourly,
                "keep-daily" => &mut policy.daily,
                "keep-weekly" => &mut policy.weekly,
                "keep-monthly" => &mut policy.monthly,
                "keep-yearly" => &mut policy.yearly,
                "keep-within" => {
                    policy.within = Within::parse(value).ok_or_else(|| InvalidPolicy::BadSpan(rule.to_owned()))?;
                    continue;
                }
                _ => return Err(unknown()),
            };
            *count = parse_whole(value).ok_or_else(|| InvalidPolicy::BadCount(rule.to_owned()))?;
        }
        if policy == Self::default() { Err(InvalidPolicy::KeepsNothing) } else { Ok(policy) }
    }
}

/// A whole number in digits alone: `parse` would take a `+` too.
fn parse_whole(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restics_words_are_read() {
        let policy = Policy::parse(
            "keep-last=3, keep-hourly=24,keep-daily=7,keep-weekly=4,keep-monthly=12,keep-yearly=2,keep-within=1y2m3d4h",
        );
        let within = Within { years: 1, months: 2, days: 3, hours: 4 };
        let expected = Policy { last: 3, hourly: 24, daily: 7, weekly: 4, monthly: 12, yearly: 2, within };
        assert_eq!(policy, Ok(expected));
        assert_eq!(Policy::parse("keep-last=0,keep-daily=1"), Ok(Policy { daily: 1, ..Policy::default() }));
    }

    #[test]
    fn a_policy_that_cannot_be_meant_is_refused() {
        use InvalidPolicy::{BadCount, BadSpan, KeepsNothing, Twice, UnknownRule};
        for (text, expected) in [
            ("", UnknownRule(String::new())),
            ("keep-last", UnknownRule("keep-last".to_owned())),
            ("keep-minutely=3", UnknownRule("keep-minutely=3".to_owned())),
            ("keep-last=3,", UnknownRule(String::new())),
            ("keep-last=unlimited", BadCount("keep-last=unlimited".to_owned())),
            ("keep-last=-1", BadCount("keep-last=-1".to_owned())),
            ("keep-last=+1", BadCount("keep-last=+1".to_owned())),
            ("keep-last=1.5", BadCount("keep-last=1.5".to_owned())),
            ("keep-last=", BadCount("keep-last=".to_owned())),
            ("keep-last=4294967296", BadCount("keep-last=4294967296".to_owned())),
            ("keep-within=7", BadSpan("keep-within=7".to_owned())),
            ("keep-within=7w", BadSpan("keep-within=7w".to_owned())),
            ("keep-last=1,keep-last=2", Twice("keep-last".to_owned())),
            ("keep-last=0,keep-within=0h", KeepsNothing),
        ] {
            assert_eq!(Policy::parse(text), Err(expected), "{text:?}");
        }
    }
}
