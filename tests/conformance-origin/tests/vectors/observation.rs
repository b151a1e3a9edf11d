//! What an origin did with a vector, and what is wrong with it.

use std::net::SocketAddr;

use serde::Deserialize;
use wire::{Connection, Request, Response};

use crate::vector::Vector;

/// The handler ran, or a layer outside the precondition layer answered.
pub(crate) const PASS: &str = "pass";
/// The handler ran and said 404.
pub(crate) const NOT_FOUND_BY_HANDLER: &str = "404-passthrough";
/// The answer is nobody's in the stack.
pub(crate) const BEFORE_THE_LAYER: &str = "answered before the layer";

/// An exchange and its effects.
pub(crate) struct Observation {
    response: Response,
    counts: Counts,
}

#[derive(Deserialize, PartialEq, Eq, Debug)]
struct Counts {
    runs: u64,
    polled: u64,
}

const NOTHING_HAPPENED: Counts = Counts { runs: 0, polled: 0 };
const ONE_RUN: Counts = Counts { runs: 1, polled: 1 };

impl Observation {
    /// Sets the state, sends the request on a connection of its own, and reads the counts.
    pub(crate) async fn of(vector: &Vector, addr: SocketAddr, name: &str) -> wire::Result<Self> {
        let control = format!("/_control/{name}");
        let set = Request::new("PUT", control.as_str()).json(vector.control());
        let set = Connection::open(addr).await?.send(&set).await?;
        assert_eq!(set.status(), 204, "{}: {}", vector.id, set.text());

        let request = vector.request(&format!("/r/{name}"));
        let response = Connection::open(addr).await?.send(&request).await?;
        let counts = Request::new("GET", control);
        let counts = Connection::open(addr)
            .await?
            .send(&counts)
            .await?
            .json_as()?;
        Ok(Self { response, counts })
    }

    /// The outcome, in the words of the vectors.
    pub(crate) fn outcome(&self, vector: &Vector) -> String {
        let status = self.response.status();
        if self.response.header("x-handler") == Some("ran") {
            return match status {
                304 => "304".to_owned(),
                404 => NOT_FOUND_BY_HANDLER.to_owned(),
                _ if status == vector.handler_status() => PASS.to_owned(),
                _ => format!(
                    "{status} of a handler that answers {}",
                    vector.handler_status()
                ),
            };
        }
        match status {
            _ if vector.status_outside() == Some(status) => PASS.to_owned(),
            400 if !self.is_problem() => BEFORE_THE_LAYER.to_owned(),
            _ => status.to_string(),
        }
    }

    /// What is wrong apart from the outcome.
    pub(crate) fn faults(&self, vector: &Vector) -> Vec<String> {
        let mut faults = Vec::new();
        let outcome = self.outcome(vector);
        let refused = matches!(outcome.as_str(), "400" | "412" | "428");
        let answered_outside = vector.status_outside().is_some();

        if answered_outside || (refused && !vector.is_read()) {
            expect(&mut faults, "counts", &self.counts, &NOTHING_HAPPENED);
        } else if !refused {
            expect(&mut faults, "counts", &self.counts, &ONE_RUN);
        }
        if refused {
            self.check_problem(vector, &mut faults);
            if !self.response.interim().is_empty() {
                faults.push("a refused request was told to go on".to_owned());
            }
        }
        let success = self.response.status() / 100 == 2 && !answered_outside;
        let tagged = match outcome.as_str() {
            "304" | "412" | "428" => true,
            PASS => success && vector.is_read(),
            _ => false,
        };
        let tags: Vec<_> = self.response.field_lines("etag").map(shown).collect();
        let current = vector.etag().filter(|_| tagged).map(|tag| shown(&tag));
        // RFC 6585 knows no field of 428, so the tag is welcome there and not owed.
        if outcome != "428" || !tags.is_empty() {
            expect(&mut faults, "ETag", &tags, &Vec::from_iter(current));
        }
        if outcome == "304" && !self.response.body().is_empty() {
            faults.push("a 304 has content".to_owned());
        }
        faults
    }

    fn is_problem(&self) -> bool {
        self.response.header("content-type") == Some("application/problem+json")
    }

    /// The document of RFC 9457, which tells nothing of what was sent.
    fn check_problem(&self, vector: &Vector, faults: &mut Vec<String>) {
        if !self.is_problem() {
            faults.push(format!(
                "content-type {:?}",
                self.response.header("content-type")
            ));
        }
        if vector.method == "HEAD" {
            return;
        }
        let mut document = match self.response.json() {
            Ok(document) => document,
            Err(error) => return faults.push(error.to_string()),
        };
        expect(
            faults,
            "status",
            &document["status"],
            &self.response.status().into(),
        );
        for member in ["type", "title", "detail", "reason"] {
            if document[member].as_str().is_none_or(str::is_empty) {
                faults.push(format!("no `{member}` in {document}"));
            }
        }
        // The current tag is said because it is the current one, not because it was sent.
        if let Some(members) = document.as_object_mut() {
            members.remove("current_etag");
            for (name, value) in members {
                let text = value.as_str().unwrap_or_default();
                for secret in vector.secrets() {
                    if text.contains(secret) {
                        faults.push(format!("`{name}` repeats {secret:?}: {text}"));
                    }
                }
            }
        }
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(faults: &mut Vec<String>, what: &str, is: &T, owed: &T) {
    if is != owed {
        faults.push(format!("{what} {is:?} where {owed:?} is owed"));
    }
}

fn shown(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
