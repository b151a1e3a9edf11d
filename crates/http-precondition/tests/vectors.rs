//! The shared conformance vectors, against the evaluation and the gate.

#![allow(clippy::unwrap_used)] // That is how a test fails.

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_precondition::{
    Conditions, EntityTag, HttpDate, MethodClass, Representation, Verdict, evaluate,
};
use serde::Deserialize;

const VECTORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/vectors/vectors.json"
));

/// The clock of the vectors that name none.
const CLOCK: &str = "2026-11-20T09:31:00Z";

#[derive(Deserialize)]
struct Vector {
    id: String,
    method: String,
    resource: Resource,
    headers: Vec<(String, String)>,
    expect: String,
    kind: String,
    #[serde(default)]
    rfc_allows: Vec<String>,
    inner: Option<u16>,
    inner_phase: Option<String>,
    missing_creates: Option<bool>,
    clock: Option<String>,
}

#[derive(Deserialize)]
struct Resource {
    exists: bool,
    etag: Option<String>,
    last_modified: Option<String>,
}

impl Vector {
    /// Whether an outer layer answers before the precondition layer is asked.
    fn is_answered_outside(&self) -> bool {
        self.inner.is_some() && self.inner_phase.as_deref().unwrap_or("head") == "head"
    }

    fn creates(&self) -> bool {
        self.missing_creates.unwrap_or(self.method == "PUT")
    }

    fn outcome(&self, verdict: Verdict) -> String {
        match verdict.status() {
            Some(status) => status.as_str().to_owned(),
            None if self.resource.exists || self.creates() => "pass".to_owned(),
            None => "404-passthrough".to_owned(),
        }
    }

    fn verdict(&self) -> Verdict {
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let clock = rfc3339(self.clock.as_deref().unwrap_or(CLOCK));
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_bytes(&octets(value)).unwrap());
        }
        let current = self.resource.exists.then(|| Representation {
            entity_tag: self
                .resource
                .etag
                .as_ref()
                .map(|tag| EntityTag::parse(&octets(tag)).unwrap()),
            last_modified: self
                .resource
                .last_modified
                .as_ref()
                .map(|date| HttpDate::parse(date.as_bytes(), || clock).unwrap()),
        });
        let conditions = Conditions::from_headers(&headers, || clock);
        let verdict = evaluate(&method, &conditions, current.as_ref(), self.creates());
        match MethodClass::of(&method) {
            MethodClass::Write => verdict.required(),
            MethodClass::Read | MethodClass::Unconditional => verdict,
        }
    }
}

#[test]
fn every_vector_gets_what_it_expects() {
    let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
    let (mut exact, mut allowed, mut outside) = (0, 0, 0);
    let mut wrong = Vec::new();
    for vector in &vectors {
        // What an outer layer answers says nothing about the evaluation, but it may not panic.
        let verdict = vector.verdict();
        if vector.is_answered_outside() {
            outside += 1;
            continue;
        }
        let outcome = vector.outcome(verdict);
        let lenient = matches!(vector.kind.as_str(), "ambiguous" | "rfc-may");
        if outcome == vector.expect {
            exact += 1;
        } else if lenient && vector.rfc_allows.contains(&outcome) {
            allowed += 1;
        } else {
            wrong.push(format!(
                "{}: expected {}, got {verdict:?}",
                vector.id, vector.expect
            ));
        }
    }
    println!(
        "{} vectors: {exact} as expected, {allowed} as the RFC also allows, {outside} answered outside",
        vectors.len()
    );
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(exact > 200, "the vectors were not read");
}

/// One character U+0000 to U+00FF is one octet.
fn octets(text: &str) -> Vec<u8> {
    text.chars()
        .map(|character| u8::try_from(character).unwrap())
        .collect()
}

/// Through the other form, so that the vectors' clock needs no parser of its own.
fn rfc3339(text: &str) -> HttpDate {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month: usize = text[5..7].parse().unwrap();
    let (year, day, time) = (&text[..4], &text[8..10], &text[11..19]);
    let imf = format!("Mon, {day} {} {year} {time} GMT", MONTHS[month - 1]);
    let date = HttpDate::parse(imf.as_bytes(), || unreachable!("four digits")).unwrap();
    assert_eq!(date.to_rfc3339(), text);
    date
}
