//! The request's condition fields, as parameters.

use std::borrow::Cow;

use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Components, RefOr, Required};

use crate::operations::referenced;

/// A list of entity tags, which may have empty members, or `*` (RFC 9110 §13.1.1, §5.6.1.2). Anything else is
/// answered 400.
const TAGS: &str =
    r#"^(\*|((W/)?"[!#-~\u0080-\u00ff]*")?([ \t]*,[ \t]*((W/)?"[!#-~\u0080-\u00ff]*")?)*)$"#;

/// The limit of the parser.
const BYTES: usize = 8192;

/// One condition field as a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    name: &'static str,
    description: &'static str,
    /// Whether a value that does not match the grammar is refused. Otherwise it is ignored, so the schema must not
    /// forbid it.
    strict: bool,
    required: bool,
    example: &'static str,
}

const fn tags(name: &'static str, description: &'static str) -> Field {
    Field {
        name,
        description,
        strict: true,
        required: false,
        example: "\"v6-9f1c2ab04d77e310\"",
    }
}

const fn date(name: &'static str, description: &'static str) -> Field {
    Field {
        name,
        description,
        strict: false,
        required: false,
        example: "Fri, 20 Nov 2026 09:31:00 GMT",
    }
}

pub(crate) const IF_MATCH: Field = tags(
    "If-Match",
    "The entity tag of the version that you read. The write applies to that version or fails (412). `*` \
     stands for any version. A condition is required: send this field.",
);

pub(crate) const REQUIRED_IF_MATCH: Field = Field {
    required: true,
    ..IF_MATCH
};

pub(crate) const IF_MATCH_TAGS: Field = tags(
    "If-Match",
    "The entity tag of the version that you read. The write applies to that version or fails (412). `*` \
     names no version and does not count as a condition (428).",
);

pub(crate) const IF_NONE_MATCH: Field = tags(
    "If-None-Match",
    "Entity tags, or `*`. The write fails if one of them is the current one, or with `*` if the resource \
     exists (412).",
);

pub(crate) const IF_NONE_MATCH_CREATES: Field = Field {
    example: "*",
    ..tags(
        "If-None-Match",
        "`*` creates the resource. If it already exists, the write fails (412).",
    )
};

pub(crate) const IF_UNMODIFIED_SINCE: Field = date(
    "If-Unmodified-Since",
    "The `Last-Modified` that you read, for clients that have no tag. The write fails if the resource was \
     modified since (412). Ignored next to `If-Match`, or if it is not a valid date.",
);

pub(crate) const IF_UNMODIFIED_SINCE_COARSE: Field = date(
    "If-Unmodified-Since",
    "The `Last-Modified` that you read. The write fails if the resource was modified since (412). It is \
     too coarse to count as a condition. Ignored next to `If-Match`, or if it is not a valid date.",
);

/// The fields of a read, the usual first.
pub(crate) fn of_a_read() -> Vec<Field> {
    vec![
        Field {
            strict: false,
            ..tags(
                "If-None-Match",
                "The entity tags that the client holds. If one of them is the current one, the response \
                 is 304. Ignored if it is not a list of tags.",
            )
        },
        date(
            "If-Modified-Since",
            "The `Last-Modified` that the client holds. If the resource was not modified since, the \
             response is 304. Ignored next to `If-None-Match`, or if it is not a valid date.",
        ),
        tags(
            "If-Match",
            "Entity tags. If none of them is the current one, the response is 412.",
        ),
        date(
            "If-Unmodified-Since",
            "If the resource was modified since, the response is 412. Ignored next to `If-Match`, or if \
             it is not a valid date.",
        ),
    ]
}

/// Adds the fields that neither the operation nor its path has.
pub(crate) fn add(
    operation: &mut Operation,
    fields: Vec<Field>,
    shared: &[String],
    components: &Components,
) {
    if fields.is_empty() {
        return;
    }
    let mut taken = names(operation.parameters.as_deref(), components);
    taken.extend_from_slice(shared);
    let fields = fields.into_iter().filter(|field| {
        let same = |name: &String| name.eq_ignore_ascii_case(field.name);
        !taken.iter().any(same)
    });
    let parameters = operation.parameters.get_or_insert_default();
    parameters.extend(fields.map(|field| RefOr::T(field.parameter())));
}

/// The header parameters among these, through references, too.
pub(crate) fn names(
    parameters: Option<&[RefOr<Parameter>]>,
    components: &Components,
) -> Vec<String> {
    let resolved = parameters
        .unwrap_or_default()
        .iter()
        .filter_map(|parameter| match parameter {
            RefOr::T(parameter) => Some(parameter),
            RefOr::Ref(to) => {
                let found = referenced(components, "parameters", &to.ref_location, |components| {
                    &components.parameters
                });
                match found? {
                    RefOr::T(parameter) => Some(parameter),
                    RefOr::Ref(_) => None,
                }
            }
        });
    resolved
        .filter(|parameter| parameter.parameter_in == ParameterIn::Header)
        .map(|parameter| parameter.name.clone())
        .collect()
}

impl Field {
    fn parameter(self) -> Parameter {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let schema = if self.strict {
            text.pattern(Some(TAGS)).max_length(Some(BYTES))
        } else {
            text
        };
        ParameterBuilder::new()
            .name(self.name)
            .parameter_in(ParameterIn::Header)
            .description(Some(Cow::from(self.description)))
            .required(if self.required {
                Required::True
            } else {
                Required::False
            })
            .schema(Some(schema))
            .example(Some(self.example.into()))
            .build()
    }
}
