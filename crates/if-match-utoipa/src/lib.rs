//! Describes in a route's OpenAPI document what the precondition layer of [`tower_if_match`] does to it.
//!
//! | operation | gets |
//! | --- | --- |
//! | a read | `If-None-Match`, `If-Modified-Since`, `If-Match`, `If-Unmodified-Since`; 304, 400, 412; `ETag` and `Last-Modified` on a success |
//! | a write | `If-Match`, `If-None-Match`, `If-Unmodified-Since`; 400, 404 unless the method creates, 412, 428 if a condition is required, 503; `ETag` on a success, unless the method is DELETE |
//!
//! `If-Match` is `required` if no other field counts as a condition. Refusals have the three media types that the
//! layer negotiates and the schema `PreconditionProblem`, which is added to the components. Links lead from each
//! success to the writes of the path that have an `operationId`: they take this `ETag` as `If-Match`.
//!
//! **What the document already has stays as it is**: a parameter with that name, a media type or a header of a
//! response. So declare the responses that you change with
//! [`Refusals::with_response`](tower_if_match::Refusals::with_response). Responses that are references are left
//! alone. So is 500, which a correctly configured service never sends.
//!
//! # Example
//!
//! ```
//! use tower_if_match::{IfMatchLayer, MemoryStore, PathKey};
//! use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
//! use utoipa::openapi::{Info, OpenApi, Paths, ResponseBuilder};
//!
//! let posts: MemoryStore<u64, String> = MemoryStore::new();
//! let guard = IfMatchLayer::new("posts", posts, PathKey);
//!
//! // Most write this with the macros of `utoipa`.
//! let mut replace = Operation::new();
//! let replaced = ResponseBuilder::new().description("Replaced").build();
//! replace.responses.responses.insert("200".to_owned(), replaced.into());
//! let mut paths = Paths::new();
//! paths.paths.insert("/posts/{id}".to_owned(), PathItem::new(HttpMethod::Put, replace));
//! let mut openapi = OpenApi::new(Info::new("Posts", "1.0.0"), paths);
//!
//! if_match_utoipa::describe(&mut openapi, "/posts/{id}", &guard.contract());
//!
//! let replace = openapi.paths.get_path_operation("/posts/{id}", HttpMethod::Put).unwrap();
//! let statuses: Vec<_> = replace.responses.responses.keys().collect();
//! assert_eq!(statuses, ["200", "400", "412", "428", "503"]);
//! ```

mod answers;
mod fields;
mod links;
mod operations;
mod problem;

#[cfg(test)]
mod tests;

use http::Method;
use http_precondition::MethodClass;
use tower_if_match::Contract;
use utoipa::openapi::OpenApi;

use operations::{is_write, operations};

/// Adds to the operations of a path what a layer with this contract does to them.
///
/// # Panics
///
/// Panics if the document has no such path: a typo would otherwise leave its operations undescribed.
pub fn describe(openapi: &mut OpenApi, path: &str, contract: &Contract) {
    Guarded {
        target: Target::Resource,
        contract,
    }
    .describe(openapi, path);
}

/// Like [`describe`], for a path without a key
/// ([`Found::NoResource`](tower_if_match::Found::NoResource)), such as a collection. It has no version that a
/// condition could name, so a write gets only 400 and 412, for clients that send a condition nevertheless.
///
/// # Panics
///
/// Panics if the document has no such path.
pub fn describe_collection(openapi: &mut OpenApi, path: &str, contract: &Contract) {
    Guarded {
        target: Target::Collection,
        contract,
    }
    .describe(openapi, path);
}

/// What a path is to the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// The path names a resource that has versions.
    Resource,
    /// The path names something without a version.
    Collection,
}

/// A path that a layer guards.
#[derive(Clone, Copy, Debug)]
struct Guarded<'a> {
    target: Target,
    contract: &'a Contract,
}

impl Guarded<'_> {
    fn describe(self, openapi: &mut OpenApi, path: &str) {
        let item = openapi.paths.paths.get_mut(path);
        let item = item.unwrap_or_else(|| panic!("the document has no path {path}"));
        let components = openapi.components.get_or_insert_default();

        let shared = fields::names(item.parameters.as_deref(), components);
        let tells_current = self.contract.tells_conflicts() && self.target == Target::Resource;
        let current = tells_current.then(|| problem::representation(item));
        let current = current.flatten();
        let links = links::to_writes(item, path);
        for (method, operation) in operations(item) {
            let (fields, refusals) = match (self.target, MethodClass::of(&method)) {
                (_, MethodClass::Unconditional) | (Target::Collection, MethodClass::Read) => {
                    continue;
                }
                (Target::Collection, MethodClass::Write) => {
                    let refusals = vec![answers::BAD_REQUEST, answers::FAILED_UNTAGGED];
                    (Vec::new(), refusals)
                }
                (Target::Resource, MethodClass::Read) => (fields::of_a_read(), self.of_a_read()),
                (Target::Resource, MethodClass::Write) => {
                    (self.fields_of_a_write(&method), self.of_a_write(&method))
                }
            };
            fields::add(operation, fields, &shared, components);
            if self.target == Target::Resource {
                answers::validate(operation, &method);
                if self.reports(&method) {
                    answers::report(operation);
                }
                if method != Method::DELETE {
                    links::add(operation, &links);
                }
            }
            for status in refusals {
                let tells = status == answers::FAILED && is_write(&method);
                let current = current.clone().filter(|_| tells);
                answers::add(operation, status, problem::schema(current));
            }
        }
        problem::add_schemas(components);
    }

    fn of_a_read(self) -> Vec<answers::Status> {
        let mut statuses = vec![answers::NOT_MODIFIED, answers::BAD_REQUEST, answers::FAILED];
        if self.contract.reads_ask_store() {
            statuses.push(answers::UNAVAILABLE);
        }
        statuses
    }

    fn of_a_write(self, method: &Method) -> Vec<answers::Status> {
        let mut statuses = vec![answers::BAD_REQUEST, answers::FAILED, answers::UNAVAILABLE];
        if !self.contract.creates(method) {
            statuses.push(answers::GONE);
        }
        if self.contract.requires_condition(method) {
            statuses.push(answers::REQUIRED);
        }
        statuses
    }

    fn fields_of_a_write(self, method: &Method) -> Vec<fields::Field> {
        let creates = self.contract.creates(method);
        let if_match = if self.contract.requires_condition(method)
            && !creates
            && !self.contract.accepts_dates()
        {
            fields::REQUIRED_IF_MATCH
        } else if !self.contract.accepts_wildcard() {
            fields::IF_MATCH_TAGS
        } else {
            fields::IF_MATCH
        };
        let if_none_match = if creates {
            fields::IF_NONE_MATCH_CREATES
        } else {
            fields::IF_NONE_MATCH
        };
        let if_unmodified_since = if self.contract.accepts_dates() {
            fields::IF_UNMODIFIED_SINCE
        } else {
            fields::IF_UNMODIFIED_SINCE_COARSE
        };
        vec![if_match, if_none_match, if_unmodified_since]
    }

    /// Whether the response to a write may say why it would have been refused.
    fn reports(self, method: &Method) -> bool {
        self.contract.reports_only() && is_write(method)
    }
}
