//! A request of EC2's query protocol.

use std::collections::BTreeMap;

use reqwest::Url;

use crate::tags::Tags;

/// The fields, flat as on the wire.
pub(super) struct Query(BTreeMap<String, String>);

impl Query {
    pub(super) fn parse(body: &str) -> Self {
        // A form's body is encoded as a query string is, and that is at hand.
        let url = Url::parse(&format!("http://ec2/?{body}")).expect("any query makes an address");
        Self(url.query_pairs().into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The tags of a creation.
    pub(super) fn tags(&self) -> Tags {
        let pair = |number: usize| {
            let field = |name: &str| self.get(&format!("TagSpecification.1.Tag.{number}.{name}"));
            Some((field("Key")?.to_owned(), field("Value").unwrap_or_default().to_owned()))
        };
        (1..).map_while(pair).collect()
    }

    /// The page asked for, and the token of the next. A token is the number of items before its page.
    pub(super) fn page<'a, T>(&self, items: &'a [T]) -> (&'a [T], Option<String>) {
        let number = |name: &str| self.get(name).and_then(|value| value.parse::<usize>().ok());
        let start = number("NextToken").unwrap_or_default().min(items.len());
        let end = number("MaxResults").map_or(items.len(), |most| items.len().min(start + most));
        (&items[start..end], (end < items.len()).then(|| end.to_string()))
    }
}
