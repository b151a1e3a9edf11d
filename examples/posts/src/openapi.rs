//! The API, described (OpenAPI 3.1): generated from the handlers, the types and the precondition layer.

use std::collections::BTreeMap;

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use if_match_utoipa::{describe, describe_collection};
use serde::Deserialize;
use serde_json::Value;
use tower_if_match::{IfMatchLayer, VersionStore};
use utoipa::openapi::OpenApi;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{IntoResponses, OpenApi as _, PartialSchema, ToSchema};

use crate::post::PostId;
use crate::{handlers, pages};

/// `/openapi.json`, and with the feature `page` a page of it under `/docs` that loads nothing from elsewhere.
pub(crate) fn pages<T, S, F, W>(guard: &IfMatchLayer<S, F, W>) -> Router<T>
where
    T: Clone + Send + Sync + 'static,
    S: VersionStore,
{
    let document = document(guard).to_json();
    let document = Bytes::from(document.expect("a document always has a JSON form"));
    page().route(
        "/openapi.json",
        get(move || async { ([(CONTENT_TYPE, "application/json")], document) }),
    )
}

#[cfg(feature = "page")]
fn page<T: Clone + Send + Sync + 'static>() -> Router<T> {
    use utoipa_swagger_ui::{Config, SwaggerUi};

    // Nobody is asked whether the document is valid: the page has to work without the network.
    let config = Config::from("/openapi.json").validator_url("none");
    Router::from(SwaggerUi::new("/docs").config(config))
}

/// Who asks for the page is shown the document.
#[cfg(not(feature = "page"))]
fn page<T: Clone + Send + Sync + 'static>() -> Router<T> {
    use axum::response::Redirect;

    Router::new().route("/docs", get(async || Redirect::temporary("/openapi.json")))
}

fn document<S: VersionStore, F, W>(guard: &IfMatchLayer<S, F, W>) -> OpenApi {
    let mut document = Document::openapi();
    let contract = guard.contract();
    describe(&mut document, "/api/posts/{id}", &contract);
    describe_collection(&mut document, "/api/posts", &contract);
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            surround(operation);
        }
    }
    let id = HeaderBuilder::new()
        .description(Some(
            "The caller's id of the request, or one that was made for it.",
        ))
        .build();
    let components = document.components.get_or_insert_default();
    components
        .headers
        .insert(REQUEST_ID.to_owned(), RefOr::T(id));
    document
}

/// What the layers around all routes do to each of them.
fn surround(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    responses.extend(TooLarge::responses());
    for response in responses.values_mut() {
        if let RefOr::T(response) = response {
            let location = format!("#/components/headers/{REQUEST_ID}");
            response
                .headers
                .insert(REQUEST_ID.to_owned(), RefOr::Ref(Ref::new(location)));
        }
    }
}

const REQUEST_ID: &str = "x-request-id";

/// Writes of a post are described once, where they are for compare and swap: the other strategy
/// answers the same.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Posts",
        description = "Every write of an existing post needs a condition (RFC 9110 section 13): send the \
                       `ETag` that you read as `If-Match`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    paths(
        handlers::list,
        handlers::create,
        handlers::read,
        handlers::compare_and_swap::replace,
        handlers::compare_and_swap::patch,
        handlers::compare_and_swap::remove,
        handlers::health,
        pages::metrics,
    ),
    components(schemas(Problem))
)]
struct Document;

/// A post as it is written: what was read can be edited and sent back.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the schema is all that this is for")]
pub(crate) struct Draft {
    /// Of an existing post: its own. A new one has none.
    #[schema(read_only, required = false)]
    id: PostId,
    /// 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200, pattern = "^[^\\u0000]*$")]
    title: String,
    /// At most 65536 bytes of UTF-8.
    #[schema(
        max_length = 65_536,
        pattern = "^[^\\u0000]*$",
        default = "",
        required = false
    )]
    content: String,
    /// Who makes this version.
    #[schema(
        max_length = 80,
        pattern = "^[^\\u0000]*$",
        default = "anonymous",
        required = false
    )]
    author: String,
    /// Ignored.
    #[schema(read_only, required = false)]
    updated_at: Value,
}

/// Members of a post to change (RFC 7396): `null` takes a member back to its default.
#[derive(Deserialize, ToSchema)]
#[expect(
    dead_code,
    clippy::zero_sized_map_values,
    reason = "the schema is all that this is for"
)]
pub(crate) struct Patch {
    /// The post's own.
    #[schema(read_only, required = false)]
    id: PostId,
    /// 1 to 200 characters.
    #[schema(
        min_length = 1,
        max_length = 200,
        pattern = "^[^\\u0000]*$",
        required = false
    )]
    title: String,
    /// At most 65536 bytes of UTF-8.
    #[schema(max_length = 65_536, pattern = "^[^\\u0000]*$", required = false)]
    content: Option<String>,
    /// Who makes this version: `anonymous` where this is left out.
    #[schema(max_length = 80, pattern = "^[^\\u0000]*$", required = false)]
    author: Option<String>,
    /// Ignored.
    #[schema(read_only, required = false)]
    updated_at: Value,
    // To take away what is not there changes nothing.
    #[serde(flatten)]
    #[schema(inline)]
    others: BTreeMap<String, Nothing>,
}

/// `null`.
#[derive(Deserialize)]
struct Nothing(());

/// By hand, because there is no derived schema of `null`.
impl PartialSchema for Nothing {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Null).into()
    }
}

impl ToSchema for Nothing {}

/// Why a request was refused (RFC 9457).
#[derive(ToSchema)]
#[expect(dead_code, reason = "the schema is all that this is for")]
pub(crate) struct Problem {
    /// The page that explains the problem, or `about:blank` where the status says it all.
    #[schema(format = "uri-reference")]
    r#type: String,
    /// The status, in words.
    title: String,
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong, for people.
    detail: String,
    /// The path of the request.
    #[schema(format = "uri-reference")]
    instance: String,
    /// The title, as a code.
    error: String,
    /// A stable code, where the status does not say it all.
    reason: Option<String>,
    /// What the log has this request under.
    request_id: String,
}

/// There is no such post.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
#[expect(dead_code, reason = "the description is all that this is for")]
pub(crate) struct Absent(Problem);

/// The body is refused.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "the descriptions are all that these are for")]
pub(crate) enum ContentRefused {
    /// The body is not JSON, or a condition field cannot be read; nothing was written.
    #[response(status = 400, content_type = "application/problem+json")]
    Unreadable(Problem),
    /// The body has another media type, or a content coding; nothing was written.
    #[response(status = 415, content_type = "application/problem+json")]
    Unsupported(Problem),
    /// The body is not a post; nothing was written.
    #[response(status = 422, content_type = "application/problem+json")]
    Invalid(Problem),
}

/// The request's body has more than 1048576 bytes.
#[derive(IntoResponses)]
#[response(status = 413, content_type = "application/problem+json")]
#[expect(dead_code, reason = "the description is all that this is for")]
struct TooLarge(Problem);

/// The store does not answer, and nothing was written; or, where `reason` is `outcome_unknown`, whether the write
/// took place is not known.
#[derive(IntoResponses)]
#[response(
    status = 503,
    content_type = "application/problem+json",
    headers(("Retry-After" = u32, description = "After how many seconds to try again.")),
)]
#[expect(dead_code, reason = "the description is all that this is for")]
pub(crate) struct Unavailable(Problem);
