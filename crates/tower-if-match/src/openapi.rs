//! What the layer does to a route, in the route's OpenAPI document.

mod answers;
mod fields;
mod links;
mod problem;

#[cfg(test)]
mod tests;

use http::Method;
use http_precondition::MethodClass;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{Components, OpenApi};
use version_store::VersionStore;

use crate::decide::{Mode, Need, Policy};
use crate::layer::IfMatchLayer;

/// Feature `utoipa`: the layer in an OpenAPI document.
impl<S: VersionStore, F, W> IfMatchLayer<S, F, W> {
    /// Adds to the operations of a path what this layer does to them. It says what this layer was told:
    /// call it on the layer that guards the route, with all its settings made.
    ///
    /// | operation | gets |
    /// | --- | --- |
    /// | a read | `If-None-Match`, `If-Modified-Since`, `If-Match`, `If-Unmodified-Since`; 304, 400, 412; `ETag` and `Last-Modified` on a success |
    /// | a write | `If-Match`, `If-None-Match`, `If-Unmodified-Since`; 400, 404 unless the method creates, 412, 428 where a condition is required, 503; `ETag` on a success, unless the method is DELETE |
    ///
    /// `If-Match` is `required` where nothing else satisfies the gate. Refusals have the three media types
    /// that the layer negotiates and the schema `PreconditionProblem`, which is added to the components.
    /// From each success links lead to the writes of the path that have an `operationId`: send this
    /// `ETag` there as `If-Match`.
    ///
    /// **What the document has already stays as it is**: a parameter of that name, a media type or a
    /// header of a response. So declare what [`with_refusal_response`](Self::with_refusal_response) answers in another way. A
    /// response that is a reference, and 500, which a service that is put
    /// together rightly does not answer, are left alone.
    ///
    /// # Panics
    ///
    /// If the document has no such path: a slip of the pen would leave its operations undescribed.
    ///
    /// # Example
    ///
    /// ```
    /// use tower_if_match::{IfMatchLayer, MemoryStore, PathKey};
    /// use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
    /// use utoipa::openapi::{Info, OpenApi, Paths, ResponseBuilder};
    ///
    /// let posts: MemoryStore<u64, String> = MemoryStore::new();
    /// let guard = IfMatchLayer::new("posts", posts, PathKey);
    ///
    /// // Most write this with the macros of `utoipa`.
    /// let mut replace = Operation::new();
    /// let replaced = ResponseBuilder::new().description("Replaced").build();
    /// replace.responses.responses.insert("200".to_owned(), replaced.into());
    /// let mut paths = Paths::new();
    /// paths.paths.insert("/posts/{id}".to_owned(), PathItem::new(HttpMethod::Put, replace));
    /// let mut openapi = OpenApi::new(Info::new("Posts", "1.0.0"), paths);
    ///
    /// guard.describe(&mut openapi, "/posts/{id}");
    ///
    /// let replace = openapi.paths.get_path_operation("/posts/{id}", HttpMethod::Put).unwrap();
    /// let statuses: Vec<_> = replace.responses.responses.keys().collect();
    /// assert_eq!(statuses, ["200", "400", "412", "428", "503"]);
    /// ```
    pub fn describe(&self, openapi: &mut OpenApi, path: &str) {
        self.guarding(Target::Resource).describe(openapi, path);
    }

    /// As [`describe`](Self::describe), for a path on which this layer finds no key
    /// ([`Found::NoResource`](crate::Found::NoResource)), such as a collection. No version stands behind it that
    /// a condition could name, so a write gets 400 and 412 for those who send one all the same.
    ///
    /// # Panics
    ///
    /// If the document has no such path.
    pub fn describe_collection(&self, openapi: &mut OpenApi, path: &str) {
        self.guarding(Target::Collection).describe(openapi, path);
    }

    fn guarding(&self, target: Target) -> Guarding<'_> {
        let config = &self.config;
        Guarding {
            target,
            policy: &config.settings.policy,
            dates_advance: config.store.dates_advance(),
            reads_ask_the_store: config.settings.version_before_body,
            discloses: config.discloses(),
        }
    }
}

/// What a path is to the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    /// It names what has versions.
    Resource,
    /// It does not.
    Collection,
}

/// What decides how a path's operations are described.
#[derive(Clone, Copy, Debug)]
struct Guarding<'a> {
    target: Target,
    policy: &'a Policy,
    dates_advance: bool,
    reads_ask_the_store: bool,
    discloses: bool,
}

impl Guarding<'_> {
    fn describe(self, openapi: &mut OpenApi, path: &str) {
        let item = openapi.paths.paths.get_mut(path);
        let item = item.unwrap_or_else(|| panic!("the document has no path {path}"));
        let components = openapi.components.get_or_insert_default();

        let shared = fields::names(item.parameters.as_deref(), components);
        let tells_current = self.discloses && self.target == Target::Resource;
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
        if self.reads_ask_the_store {
            statuses.push(answers::UNAVAILABLE);
        }
        statuses
    }

    fn of_a_write(self, method: &Method) -> Vec<answers::Status> {
        let mut statuses = vec![answers::BAD_REQUEST, answers::FAILED, answers::UNAVAILABLE];
        if !self.policy.creates(method) {
            statuses.push(answers::GONE);
        }
        if self.demands(method) {
            statuses.push(answers::REQUIRED);
        }
        statuses
    }

    fn fields_of_a_write(self, method: &Method) -> Vec<fields::Field> {
        let creates = self.policy.creates(method);
        let if_match = if self.demands(method) && !creates && !self.dates_advance {
            fields::REQUIRED_IF_MATCH
        } else if self.policy.wildcard_refused {
            fields::IF_MATCH_TAGS
        } else {
            fields::IF_MATCH
        };
        let if_none_match = if creates {
            fields::IF_NONE_MATCH_CREATES
        } else {
            fields::IF_NONE_MATCH
        };
        let if_unmodified_since = if self.dates_advance {
            fields::IF_UNMODIFIED_SINCE
        } else {
            fields::IF_UNMODIFIED_SINCE_COARSE
        };
        vec![if_match, if_none_match, if_unmodified_since]
    }

    /// Whether a write without a condition is refused.
    fn demands(self, method: &Method) -> bool {
        self.policy.mode == Mode::Enforcing && self.policy.need(method) == Need::Required
    }

    /// Whether a write can get an answer that tells what it would have been refused for.
    fn reports(self, method: &Method) -> bool {
        self.policy.mode == Mode::Reporting && is_write(method)
    }
}

fn is_write(method: &Method) -> bool {
    MethodClass::of(method) == MethodClass::Write
}

/// The operations of a path, with their methods.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let named = [
        (Method::GET, &mut item.get),
        (Method::HEAD, &mut item.head),
        (Method::QUERY, &mut item.query),
        (Method::PUT, &mut item.put),
        (Method::POST, &mut item.post),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
        (Method::OPTIONS, &mut item.options),
        (Method::TRACE, &mut item.trace),
    ];
    let named = named
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)));
    let others = item.additional_operations.iter_mut();
    named.chain(others.filter_map(|(name, operation)| {
        let method = Method::from_bytes(name.as_bytes()).ok()?;
        Some((method, operation))
    }))
}

/// What a reference to a component, such as `#/components/parameters/IfMatch`, names.
fn referenced<'a, T>(
    components: &'a Components,
    kind: &str,
    location: &str,
    among: impl FnOnce(&'a Components) -> &'a std::collections::BTreeMap<String, T>,
) -> Option<&'a T> {
    let name = location.strip_prefix("#/components/")?;
    let name = name.strip_prefix(kind)?.strip_prefix('/')?;
    among(components).get(name)
}
