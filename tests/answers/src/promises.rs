//! What holds of every answer.

use serde_json::Value;
use wire::Body;

use crate::{Answer, Exchange};

impl Exchange {
    /// What of the request stands in the answer though it may not: tags, and strings of the body.
    ///
    /// `ETag` and `current_etag` are not looked at: the current tag is the store's word, also where the
    /// request names it weakly, changed, or among others.
    pub fn leaks(&self) -> Vec<String> {
        let told = told(&self.answer);
        let mut leaks = Vec::new();
        for tag in self.sent_tags() {
            let opaque = tag.trim_start_matches("W/").trim_matches('"');
            // Too short to say anything where it is found.
            let opaque = if opaque.len() < 4 {
                tag.as_str()
            } else {
                opaque
            };
            if told.iter().any(|told| told.contains(opaque)) {
                leaks.push(tag);
            }
        }
        for content in self.sent_strings() {
            if told.iter().any(|told| told.contains(&content)) {
                leaks.push(content);
            }
        }
        leaks
    }

    /// What stands in a refusal though it should not, or does not though it should.
    pub fn misplaced(&self) -> Vec<&'static str> {
        let answer = &self.answer;
        let head = self.request.method == b"HEAD";
        let has = |name| answer.field(name).is_some();
        let current = ["\"current_etag\":", "current etag: "];
        let names_current = current.iter().any(|name| answer.body.contains(name)) || head;
        let of_one = !answer.body.contains("\"items\":");
        let again = answer.status == 503 && answer.reason().as_deref() != Some("outcome_unknown");
        [
            (
                "etag",
                has("etag") != (answer.status == 412 && names_current && of_one),
            ),
            ("retry-after", has("retry-after") != again),
            (
                "cache-control",
                answer.field("cache-control") != Some("no-store"),
            ),
            ("vary", answer.field("vary") != Some("accept")),
            ("content of a HEAD", head && !answer.body.is_empty()),
        ]
        .into_iter()
        .filter_map(|(what, wrong)| wrong.then_some(what))
        .collect()
    }

    /// The tags in the conditions, and those in the items of a bulk write.
    fn sent_tags(&self) -> Vec<String> {
        let fields = self.request.fields.iter();
        let conditions =
            fields.filter(|(name, _)| matches!(name.as_str(), "If-Match" | "If-None-Match"));
        let values = conditions.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        let values: Vec<String> = values.chain(self.items_tags()).collect();
        let tags = values.iter().flat_map(|value| value.split(", "));
        tags.filter(|tag| *tag != "*").map(str::to_owned).collect()
    }

    fn items_tags(&self) -> Vec<String> {
        let Some(Value::Array(items)) = self.content() else {
            return Vec::new();
        };
        let tags = items.iter().filter_map(|item| item["etag"].as_str());
        tags.map(str::to_owned).collect()
    }

    /// The strings in the body but for tags, which are looked for as such.
    fn sent_strings(&self) -> Vec<String> {
        let mut strings = Vec::new();
        if let Some(content) = self.content() {
            collect(&content, "etag", &mut strings);
        }
        strings
    }

    fn content(&self) -> Option<Value> {
        match &self.request.body {
            Body::Sized(content) => serde_json::from_slice(content).ok(),
            _ => None,
        }
    }
}

/// All texts of an answer but the current tag.
fn told(answer: &Answer) -> Vec<String> {
    let fields = answer.fields.iter().filter(|(name, _)| name != "etag");
    let mut told: Vec<String> = fields.map(|(_, value)| value.clone()).collect();
    if let Some(document) = answer.document() {
        collect(&document, "current_etag", &mut told);
    } else {
        let lines = answer.body.lines();
        let lines = lines.filter(|line| !line.starts_with("current etag: "));
        told.extend(lines.map(str::to_owned));
    }
    told
}

/// The strings of a value but for the members of this name.
fn collect(value: &Value, but: &str, strings: &mut Vec<String>) {
    match value {
        Value::String(string) => strings.push(string.clone()),
        Value::Array(elements) => {
            for element in elements {
                collect(element, but, strings);
            }
        }
        Value::Object(members) => {
            for (_, member) in members.iter().filter(|(name, _)| *name != but) {
                collect(member, but, strings);
            }
        }
        _ => {}
    }
}
