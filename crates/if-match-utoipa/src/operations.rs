//! The operations of a path.

use http::Method;
use http_precondition::MethodClass;
use utoipa::openapi::Components;
use utoipa::openapi::path::{Operation, PathItem};

pub(crate) fn is_write(method: &Method) -> bool {
    MethodClass::of(method) == MethodClass::Write
}

/// The operations of a path, with their methods.
pub(crate) fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
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

/// The target of a reference to a component, such as `#/components/parameters/IfMatch`.
pub(crate) fn referenced<'a, T>(
    components: &'a Components,
    kind: &str,
    location: &str,
    among: impl FnOnce(&'a Components) -> &'a std::collections::BTreeMap<String, T>,
) -> Option<&'a T> {
    let name = location.strip_prefix("#/components/")?;
    let name = name.strip_prefix(kind)?.strip_prefix('/')?;
    among(components).get(name)
}
