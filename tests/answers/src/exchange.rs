use std::fmt::Write as _;

use wire::{Body, Request, Response};

/// Fields that say nothing about conditions, or are another in every run.
const LEFT_OUT: [&str; 3] = ["host", "date", "content-length"];

/// How much of a field value is shown.
const SHOWN: usize = 100;

/// A request and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// As it was sent.
    pub request: Request,
    /// As it came.
    pub answer: Answer,
}

/// An answer as it came over the wire, made of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The reason phrase of the status line.
    pub phrase: String,
    /// Names in lower case.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl From<&Response> for Answer {
    fn from(response: &Response) -> Self {
        let field = |(name, value): &(String, Vec<u8>)| {
            (name.clone(), String::from_utf8_lossy(value).into_owned())
        };
        Self {
            status: response.status(),
            phrase: response.head().reason_phrase().to_owned(),
            fields: response.fields().iter().map(field).collect(),
            body: response.text(),
        }
    }
}

impl Answer {
    /// The value of a field, by its name in lower case.
    pub fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The document, where the body is one.
    pub fn document(&self) -> Option<serde_json::Value> {
        serde_json::from_str(&self.body).ok()
    }

    /// The reason, whatever form the answer has.
    pub fn reason(&self) -> Option<String> {
        if let Some(document) = self.document() {
            return document["reason"].as_str().map(str::to_owned);
        }
        let mut lines = self.body.lines();
        let reason = lines.find_map(|line| line.strip_prefix("reason: "))?;
        Some(reason.to_owned())
    }
}

impl Exchange {
    /// The request, as text to be read.
    pub fn shown_request(&self) -> String {
        let Request { method, target, .. } = &self.request;
        let mut shown = format!("{} {} HTTP/1.1\n", text(method), text(target));
        for (name, value) in &self.request.fields {
            show_field(&mut shown, name, &text(value));
        }
        if let Body::Sized(content) = &self.request.body {
            let _ = write!(shown, "\n{}", in_lines(&text(content)));
        }
        shown
    }

    /// The answer, as text to be read.
    pub fn shown_answer(&self) -> String {
        let Answer {
            status,
            phrase,
            fields,
            body,
        } = &self.answer;
        let mut shown = format!("HTTP/1.1 {status} {phrase}\n");
        for (name, value) in fields {
            show_field(&mut shown, name, value);
        }
        if !body.is_empty() {
            let _ = write!(shown, "\n{}", in_lines(body));
        }
        shown
    }

    /// The request in a few words: its method and conditions.
    pub fn request_in_short(&self) -> String {
        let mut short = format!("`{}`", text(&self.request.method));
        for (name, value) in self.conditions() {
            let _ = write!(short, ", `{name}: {}`", cut(&value, 32));
        }
        short
    }

    fn conditions(&self) -> impl Iterator<Item = (&str, String)> {
        let fields = self.request.fields.iter();
        let conditions = fields.filter(|(name, _)| name.starts_with("If-"));
        conditions.map(|(name, value)| (name.as_str(), text(value)))
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn show_field(shown: &mut String, name: &str, value: &str) {
    if !LEFT_OUT.contains(&name.to_lowercase().as_str()) {
        // Writing to a string does not fail.
        let _ = writeln!(shown, "{name}: {}", cut(value, SHOWN));
    }
}

/// A long value's beginning, and how long it is.
fn cut(value: &str, shown: usize) -> String {
    if value.len() <= shown {
        return value.to_owned();
    }
    let begins: String = value.chars().take(shown).collect();
    format!("{begins}… ({} bytes)", value.len())
}

/// JSON with one member or element on each line, in the order in which it came; other text as it is.
fn in_lines(body: &str) -> String {
    if serde_json::from_str::<serde_json::Value>(body).is_err() {
        return format!("{}\n", body.trim_end());
    }
    let mut laid_out = String::new();
    let mut depth = 0_usize;
    let (mut quoted, mut escaped) = (false, false);
    let line = |laid_out: &mut String, depth: usize| {
        laid_out.push('\n');
        laid_out.extend(std::iter::repeat_n("  ", depth));
    };
    for character in body.chars() {
        if quoted {
            laid_out.push(character);
            quoted = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        match character {
            '{' | '[' => {
                depth += 1;
                laid_out.push(character);
                line(&mut laid_out, depth);
            }
            '}' | ']' => {
                depth -= 1;
                line(&mut laid_out, depth);
                laid_out.push(character);
            }
            ',' => {
                laid_out.push(',');
                line(&mut laid_out, depth);
            }
            ':' => laid_out.push_str(": "),
            ' ' => {}
            other => {
                quoted = other == '"';
                laid_out.push(other);
            }
        }
    }
    laid_out.push('\n');
    laid_out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_laid_out_and_stays_the_same() {
        let body = r#"{"b":"a, {\"x\": 1}\\","a":[1,{"c":null}]}"#;
        let shown = in_lines(body);
        assert_eq!(
            shown,
            "{\n  \"b\": \"a, {\\\"x\\\": 1}\\\\\",\n  \"a\": [\n    1,\n    {\n      \"c\": null\n    }\n  ]\n}\n"
        );
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
        assert_eq!(parsed(&shown), parsed(body));
        assert_eq!(in_lines("one\ntwo\n"), "one\ntwo\n");
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "abc… (4 bytes)");
    }
}
