//! A vector, and what it asks of an origin.

use serde::Deserialize;
use serde_json::{Map, Value};
use wire::{Body, Request};

const VECTORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../vectors/vectors.json"
));

/// What `PUT /_control/NAME` takes of a vector.
const CONTROL_MEMBERS: [&str; 6] = [
    "resource",
    "last_modified_nanos",
    "missing_creates",
    "inner",
    "inner_phase",
    "clock",
];

/// No answer may tell of it.
const CONTENT: &str = "the content of a request";

#[derive(Deserialize)]
pub(crate) struct Vector {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) resource: Resource,
    headers: Vec<(String, String)>,
    pub(crate) expect: String,
    pub(crate) kind: String,
    #[serde(default)]
    rfc_allows: Vec<String>,
    inner: Option<u16>,
    inner_phase: Option<String>,
    missing_creates: Option<bool>,
    /// All of it, as it stands in the file.
    #[serde(skip)]
    members: Map<String, Value>,
}

#[derive(Deserialize)]
pub(crate) struct Resource {
    pub(crate) exists: bool,
    etag: Option<String>,
}

impl Vector {
    pub(crate) fn all() -> Vec<Self> {
        let vectors: Vec<Map<String, Value>> = serde_json::from_str(VECTORS).unwrap();
        let read = |members: Map<String, Value>| {
            let vector: Self = serde_json::from_value(members.clone().into()).unwrap();
            Self { members, ..vector }
        };
        vectors.into_iter().map(read).collect()
    }

    /// Whether this outcome is right for the vector: what it expects, or where the RFC leaves it
    /// open what the RFC allows.
    pub(crate) fn accepts(&self, outcome: &str) -> bool {
        let open = matches!(self.kind.as_str(), "ambiguous" | "rfc-may");
        outcome == self.expect || (open && self.rfc_allows.iter().any(|allowed| allowed == outcome))
    }

    /// The status of a layer outside the precondition layer, if one answers.
    pub(crate) fn status_outside(&self) -> Option<u16> {
        self.inner
            .filter(|_| self.inner_phase.as_deref().unwrap_or("head") == "head")
    }

    /// The status that the handler answers with.
    pub(crate) fn handler_status(&self) -> u16 {
        let creates = self.missing_creates.unwrap_or(self.method == "PUT");
        match (self.inner, self.resource.exists) {
            (Some(status), _) => status,
            (None, false) => {
                if creates {
                    201
                } else {
                    404
                }
            }
            (None, true) => {
                if self.is_read() {
                    200
                } else {
                    204
                }
            }
        }
    }

    pub(crate) fn is_read(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD" | "QUERY")
    }

    /// The current entity tag's bytes.
    pub(crate) fn etag(&self) -> Option<Vec<u8>> {
        self.resource
            .etag
            .as_deref()
            .filter(|_| self.resource.exists)
            .map(bytes)
    }

    /// The body of the request that sets the state.
    pub(crate) fn control(&self) -> String {
        let of_the_state = |(name, _): &(&String, &Value)| CONTROL_MEMBERS.contains(&name.as_str());
        let state: Map<String, Value> = self
            .members
            .iter()
            .filter(of_the_state)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Value::from(state).to_string()
    }

    /// The request, with a body where its method usually has one, so that a refusal has a body to
    /// leave alone.
    pub(crate) fn request(&self, target: &str) -> Request {
        let mut request = Request::new(self.method.as_str(), target);
        for (name, value) in &self.headers {
            request = request.field(name, bytes(value));
        }
        if matches!(
            self.method.as_str(),
            "GET" | "HEAD" | "OPTIONS" | "TRACE" | "CONNECT"
        ) {
            return request;
        }
        let content = CONTENT.as_bytes().to_vec();
        let field = |wanted: &str| {
            self.headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        };
        if let Some((_, trailer)) = field("trailer") {
            // The announced field comes, with the tag that would do in a header.
            let tag = self.resource.etag.as_deref().unwrap_or("*");
            let length = content.len();
            let chunks = format!("{length:x}\r\n{CONTENT}\r\n0\r\n{trailer}: {tag}\r\n\r\n");
            return request
                .field("Transfer-Encoding", "chunked")
                .body(Body::Raw(bytes(&chunks)));
        }
        if field("expect").is_some() {
            // The body brings the field line itself.
            request
                .fields
                .retain(|(name, _)| !name.eq_ignore_ascii_case("expect"));
            return request.body(Body::ExpectContinue(content));
        }
        request.body(Body::Sized(content))
    }

    /// What an answer must not repeat: the request's body, and of the tag fields each whole value
    /// and each entity tag.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        let mut secrets = vec![CONTENT];
        for (name, value) in &self.headers {
            if name.eq_ignore_ascii_case("if-match") || name.eq_ignore_ascii_case("if-none-match") {
                secrets.push(value.trim());
                secrets.extend(value.split(',').map(str::trim));
                secrets.extend(value.split('"').map(str::trim));
            }
        }
        // What is shorter stands in any text by chance.
        secrets.retain(|secret| secret.chars().count() > 1);
        secrets
    }
}

/// One character U+0000 to U+00FF is one byte.
fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .map(|character| u8::try_from(character).unwrap())
        .collect()
}
