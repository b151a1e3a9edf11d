//! Links from a success, whose `ETag` names a version, to the writes that take that version.

use utoipa::openapi::RefOr;
use utoipa::openapi::link::{Link, LinkBuilder};
use utoipa::openapi::path::{Operation, PathItem};

use crate::answers::successes;
use crate::operations::{is_write, operations};

/// A link to each write of a path that has an `operationId`.
pub(crate) fn to_writes(item: &mut PathItem, path: &str) -> Vec<Link> {
    let writes = operations(item).filter(|(method, _)| is_write(method));
    writes
        .filter_map(|(_, operation)| operation.operation_id.clone())
        .map(|operation_id| {
            let link = LinkBuilder::new()
                .operation_id(operation_id)
                .parameter("header.If-Match", "$response.header.ETag")
                .description("Writes to the version that this response's `ETag` names.");
            let link = parameters_of(path).fold(link, |link, name| {
                link.parameter(format!("path.{name}"), format!("$request.path.{name}"))
            });
            link.build()
        })
        .collect()
}

/// Adds the links to the successes that have an `ETag`.
pub(crate) fn add(operation: &mut Operation, links: &[Link]) {
    for response in successes(operation) {
        if !response.headers.contains_key("ETag") {
            continue;
        }
        for link in links {
            response
                .links
                .entry(link.operation_id.clone())
                .or_insert_with(|| RefOr::T(link.clone()));
        }
    }
}

/// The names in the braces of a path.
fn parameters_of(path: &str) -> impl Iterator<Item = &str> {
    path.split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
}
