//! Whether the document is well put together.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::{Value, json};

use crate::{get, serve};

#[tokio::test]
async fn the_document_is_well_put_together() {
    let server = serve("memory:").await;
    let answer = get(&server, "/openapi.json").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let document = answer.json().unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(defects(&document), [""; 0]);
}

/// Every operation with all its statuses: what a route gets or loses shows here.
#[tokio::test]
async fn every_operation_has_its_statuses() {
    let server = serve("memory:").await;
    let document = get(&server, "/openapi.json").await.json().unwrap();
    let described: Vec<_> = operations(&document)
        .map(|(path, method, operation)| {
            let statuses = operation["responses"].as_object().unwrap();
            let statuses: Vec<_> = statuses.keys().map(String::as_str).collect();
            format!("{method} {path}: {}", statuses.join(" "))
        })
        .collect();
    assert_eq!(
        described,
        [
            "get /api/posts: 200 413 503",
            "post /api/posts: 201 400 412 413 415 422 503",
            "delete /api/posts/{id}: 204 400 404 412 413 428 503",
            "get /api/posts/{id}: 200 304 400 404 412 413 503",
            "patch /api/posts/{id}: 200 400 404 412 413 415 422 428 503",
            "put /api/posts/{id}: 200 201 400 404 412 413 415 422 428 503",
            "get /healthz: 200 413 503",
            "get /metrics: 200 413",
        ]
    );
}

/// The validator knows all of the specification.
#[tokio::test]
async fn the_validator_finds_the_document_valid() {
    let Some(validator) = services::program("openapi-spec-validator") else {
        crate::run::not_installed("openapi-spec-validator");
        return;
    };
    let server = serve("memory:").await;
    let document = get(&server, "/openapi.json").await.json().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let valid = |document: &Value| {
        let file = folder.path().join("openapi.json");
        std::fs::write(&file, document.to_string()).unwrap();
        let output = Command::new(&validator).arg(&file).output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(()).ok_or(told)
    };
    assert_eq!(valid(&document), Ok(()));

    let mut invalid = document;
    invalid["paths"]["/healthz"]["get"]["responses"]["200"] = json!({"description": 1});
    assert!(valid(&invalid).is_err());
}

type Harm = fn(&mut Value);

#[tokio::test]
async fn what_is_put_together_badly_is_found() {
    let server = serve("memory:").await;
    let document = get(&server, "/openapi.json").await.json().unwrap();
    let harms: [(Harm, &str); 4] = [
        (
            |document| {
                let schemas = &mut document["components"]["schemas"];
                schemas.as_object_mut().unwrap().remove("Problem");
            },
            "#/components/schemas/Problem leads nowhere",
        ),
        (
            |document| {
                document["paths"]["/healthz"]["get"]["operationId"] = "readPost".into();
            },
            "readPost names two operations",
        ),
        (
            |document| {
                let read = &mut document["paths"]["/api/posts/{id}"]["get"];
                read["parameters"].as_array_mut().unwrap().remove(0);
            },
            "get /api/posts/{id} does not declare id",
        ),
        (
            |document| {
                document["paths"]["/api/posts/{id}"]["delete"]["operationId"] = "x".into();
            },
            "the link deletePost leads nowhere",
        ),
    ];
    for (harm, defect) in harms {
        let mut harmed = document.clone();
        harm(&mut harmed);
        let found = defects(&harmed);
        assert!(found.contains(&defect.to_owned()), "{defect}: {found:?}");
    }
}

/// Every operation with its path and method.
pub(crate) fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, operation)| (&**path, &**method, operation))
    })
}

/// What a schema of the document's form does not see.
fn defects(document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(document) {
        let id = operation["operationId"].as_str().unwrap_or_default();
        if !ids.insert(id) {
            found.push(format!("{id} names two operations"));
        }
        let declared = operation["parameters"].as_array();
        let in_path: BTreeSet<_> = declared
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let braces = path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next());
        for name in braces.filter(|name| !in_path.contains(name)) {
            found.push(format!("{method} {path} does not declare {name}"));
        }
    }
    for (_, _, operation) in operations(document) {
        for response in operation["responses"].as_object().unwrap().values() {
            let links = response["links"].as_object().into_iter().flatten();
            for (name, link) in links {
                let known = link["operationId"]
                    .as_str()
                    .is_some_and(|id| ids.contains(id));
                if !known {
                    found.push(format!("the link {name} leads nowhere"));
                }
            }
        }
    }
    references(document, &mut |reference| {
        let pointer = reference.strip_prefix('#').unwrap_or("no pointer");
        if document.pointer(pointer).is_none() {
            found.push(format!("{reference} leads nowhere"));
        }
    });
    found
}

fn references(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found(reference);
            }
            members
                .values()
                .for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}
