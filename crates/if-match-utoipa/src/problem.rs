//! The schema of the layer's problem documents.

use http_precondition::Field;
use utoipa::openapi::path::PathItem;
use utoipa::openapi::schema::{
    AllOfBuilder, ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Components, Ref, RefOr, Response};

use tower_if_match::Reason;

const PROBLEM: &str = "PreconditionProblem";
const REASON: &str = "PreconditionReason";
const CONFLICT: &str = "PreconditionConflict";

/// An entity tag (RFC 9110 §8.8.3).
pub(crate) const TAG: &str = r#"^(W/)?"[!#-~\u0080-\u00ff]*"$"#;

/// The problem document of a refusal, including this schema of the current representation.
pub(crate) fn schema(current: Option<RefOr<Schema>>) -> RefOr<Schema> {
    let problem = Ref::from_schema_name(PROBLEM);
    let Some(current) = current else {
        return RefOr::Ref(problem);
    };
    let conflict = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("current", current);
    let told = ObjectBuilder::new()
        .schema_type(Type::Object)
        .property("conflict", conflict);
    AllOfBuilder::new().item(problem).item(told).into()
}

/// The JSON that a GET of this path returns, which is also `current` in a conflict.
pub(crate) fn representation(item: &PathItem) -> Option<RefOr<Schema>> {
    let RefOr::T(Response { content, .. }) = item.get.as_ref()?.responses.responses.get("200")?
    else {
        return None;
    };
    let is_json =
        |media_type: &str| media_type == "application/json" || media_type.ends_with("+json");
    match content.iter().find(|(media_type, _)| is_json(media_type))? {
        (_, RefOr::T(content)) => content.schema.clone(),
        (_, RefOr::Ref(_)) => None,
    }
}

/// Adds the schemas, unless there are some with these names.
pub(crate) fn add_schemas(components: &mut Components) {
    let schemas = [
        (PROBLEM, problem()),
        (REASON, reason()),
        (CONFLICT, conflict()),
    ];
    for (name, schema) in schemas {
        components
            .schemas
            .entry(name.to_owned())
            .or_insert_with(|| schema.into());
    }
}

fn problem() -> ObjectBuilder {
    let fields = [
        Field::IfMatch,
        Field::IfNoneMatch,
        Field::IfModifiedSince,
        Field::IfUnmodifiedSince,
    ];
    let members = [
        (
            "type",
            text("The page that explains the problem.").format(Some(uri_reference())),
        ),
        ("title", text("The status, in words.")),
        (
            "status",
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(100))
                .maximum(Some(599)),
        ),
        ("detail", text("What is wrong, for people.")),
        (
            "instance",
            text("The path of the request.").format(Some(uri_reference())),
        ),
        ("error", text("The type, as a word: `precondition_failed`.")),
        (
            "failed_condition",
            text("The field whose condition is false or cannot be parsed.")
                .enum_values(Some(fields.map(Field::name))),
        ),
        (
            "current_etag",
            text("The current entity tag.").pattern(Some(TAG)),
        ),
        (
            "last_modified",
            text("When the current version was made.").format(Some(date_time())),
        ),
        ("request_id", text("The id of this request in the log.")),
    ];
    let document = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "Why the precondition layer refused a request (RFC 9457). Nothing was written, unless \
             `reason` says otherwise.",
        ));
    let document = members
        .into_iter()
        .fold(document, |document, (name, schema)| {
            document.property(name, schema)
        })
        .property("reason", Ref::from_schema_name(REASON))
        .property("conflict", Ref::from_schema_name(CONFLICT));
    let required = [
        "type", "title", "status", "detail", "instance", "error", "reason",
    ];
    required.into_iter().fold(document, ObjectBuilder::required)
}

fn reason() -> ObjectBuilder {
    let codes = Reason::ALL.iter().map(|reason| reason.as_str());
    text("A stable code.").enum_values(Some(codes))
}

fn conflict() -> ObjectBuilder {
    let changed = text("A JSON pointer (RFC 6901).").format(Some(custom("json-pointer")));
    let changed = ArrayBuilder::new().items(changed).description(Some(
        "What differs between the version that the client holds and the current one, if that is still \
         known.",
    ));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("The version that was written in the meantime."))
        .property("modified_by", text("Who made it."))
        .property(
            "modified_at",
            text("When it was made.").format(Some(date_time())),
        )
        .property("changed", changed)
        .property(
            "current",
            ObjectBuilder::new()
                .schema_type(SchemaType::AnyValue)
                .description(Some("The representation to which `current_etag` belongs.")),
        )
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description))
}

fn date_time() -> SchemaFormat {
    SchemaFormat::KnownFormat(KnownFormat::DateTime)
}

fn uri_reference() -> SchemaFormat {
    custom("uri-reference")
}

fn custom(name: &str) -> SchemaFormat {
    SchemaFormat::Custom(name.to_owned())
}
