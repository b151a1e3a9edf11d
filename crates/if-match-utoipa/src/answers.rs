//! The layer's responses, and what it adds to a success.

use http::Method;
use http_precondition::{MethodClass, PROBLEM_JSON};
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{ContentBuilder, RefOr, Response};

use crate::problem;

/// The field for the client in report-only mode.
const REPORT: &str = "If-Match-Report";

/// A response of the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    code: &'static str,
    description: &'static str,
    fields: &'static [&'static str],
    has_content: bool,
}

const fn refusal(code: &'static str, description: &'static str) -> Status {
    Status {
        code,
        description,
        fields: &[],
        has_content: true,
    }
}

pub(crate) const NOT_MODIFIED: Status = Status {
    fields: &["ETag"],
    has_content: false,
    ..refusal("304", "The client has the current representation.")
};

pub(crate) const BAD_REQUEST: Status = refusal(
    "400",
    "A condition field cannot be parsed (`malformed_condition`, `oversized_condition`); nothing was \
     written.",
);

pub(crate) const GONE: Status = refusal("404", "The resource does not exist (`absent`).");

pub(crate) const FAILED: Status = Status {
    fields: &["ETag"],
    ..refusal(
        "412",
        "A condition of the request is false, and nothing was written. `reason` says why; `ETag` and \
         `current_etag` are the current entity tag, if there is one.",
    )
};

/// For a target that has no version, and so no tag.
pub(crate) const FAILED_UNTAGGED: Status = refusal(
    "412",
    "A condition of the request is false, and nothing was written: the target has no version that a \
     condition could name.",
);

pub(crate) const REQUIRED: Status = refusal(
    "428",
    "The write does not name the version that it replaces (`missing_condition`); nothing was written. \
     Read the resource and send its `ETag` as `If-Match`.",
);

pub(crate) const UNAVAILABLE: Status = Status {
    fields: &["Retry-After"],
    ..refusal(
        "503",
        "The store is unavailable (`store_unavailable`) or the server timed out waiting for the resource \
         (`busy`), and nothing was written; or, without `Retry-After`, it is unknown whether the write \
         took place (`outcome_unknown`).",
    )
};

/// Adds a response, or what the response with that status lacks.
pub(crate) fn add(operation: &mut Operation, status: Status, problem: RefOr<Schema>) {
    let described = || ResponseBuilder::new().description(status.description);
    let responses = &mut operation.responses.responses;
    let response = responses
        .entry(status.code.to_owned())
        .or_insert_with(|| RefOr::T(described().build()));
    let RefOr::T(response) = response else {
        return;
    };
    if response.description.is_empty() {
        status.description.clone_into(&mut response.description);
    }
    for name in status.fields {
        add_field(response, name);
    }
    if !status.has_content {
        return;
    }
    let text = ObjectBuilder::new().schema_type(Type::String).into();
    let contents = [
        (PROBLEM_JSON, problem.clone()),
        ("application/json", problem),
        ("text/plain", text),
    ];
    for (media_type, schema) in contents {
        response
            .content
            .entry(media_type.to_owned())
            .or_insert_with(|| RefOr::T(ContentBuilder::new().schema(Some(schema)).build()));
    }
}

/// Adds the validators to the successes of an operation.
pub(crate) fn validate(operation: &mut Operation, method: &Method) {
    let fields: &[&str] = match MethodClass::of(method) {
        MethodClass::Read => &["ETag", "Last-Modified"],
        MethodClass::Write if *method != Method::DELETE => &["ETag"],
        MethodClass::Write | MethodClass::Unconditional => &[],
    };
    for response in successes(operation) {
        for name in fields {
            add_field(response, name);
        }
    }
}

/// Adds the field of report-only mode to the successes of a write.
pub(crate) fn report(operation: &mut Operation) {
    for response in successes(operation) {
        add_field(response, REPORT);
    }
}

/// The responses from 200 to 299, except references.
pub(crate) fn successes(operation: &mut Operation) -> impl Iterator<Item = &mut Response> {
    let responses = operation.responses.responses.iter_mut();
    responses.filter_map(|(status, response)| match response {
        RefOr::T(response) if status.starts_with('2') => Some(response),
        _ => None,
    })
}

fn add_field(response: &mut Response, name: &str) {
    let same = |other: &String| other.eq_ignore_ascii_case(name);
    if !response.headers.keys().any(same) {
        response
            .headers
            .insert(name.to_owned(), RefOr::T(field(name)));
    }
}

fn field(name: &str) -> Header {
    let text = ObjectBuilder::new().schema_type(Type::String);
    let (description, schema) = match name {
        "ETag" => (
            "The entity tag of the current version: send it as `If-Match` with a write.",
            text.pattern(Some(problem::TAG)),
        ),
        "Last-Modified" => ("When the current version was made.", text),
        REPORT => (
            "Why this write would be refused without report-only mode.",
            text,
        ),
        _ => (
            "The number of seconds after which to try again.",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(0)),
        ),
    };
    HeaderBuilder::new()
        .description(Some(description))
        .schema(Some(schema))
        .build()
}
