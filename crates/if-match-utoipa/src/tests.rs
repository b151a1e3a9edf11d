use std::collections::BTreeSet;
use std::convert::Infallible;

use http::Method;
use http::request::Parts;
use serde_json::{Value, json};
use tower_if_match::{
    Describe, Found, IfMatchLayer, MemoryStore, Policy, Reason, Version, VersionStore,
};
use utoipa::openapi::OpenApi;

use super::*;

const PATH: &str = "/posts/{id}";

type Finder = fn(&Parts) -> Found<u64>;

fn guard() -> IfMatchLayer<MemoryStore<u64, Post>, Finder> {
    guarding(MemoryStore::new())
}

fn guarding<S: VersionStore<Key = u64>>(store: S) -> IfMatchLayer<S, Finder> {
    IfMatchLayer::new("posts", store, |_| Found::NoResource)
}

/// A document with these operations on one path.
fn document(item: &Value) -> OpenApi {
    let document = json!({
        "openapi": "3.1.0",
        "info": {"title": "Posts", "version": "1"},
        "paths": {PATH: item},
        "components": {
            "parameters": {"Held": {"name": "if-match", "in": "header", "required": false}},
        },
    });
    serde_json::from_value(document).unwrap()
}

/// The path after the layer has described it.
fn described<S: VersionStore>(guard: &IfMatchLayer<S, Finder>, item: &Value) -> Value {
    let mut document = document(item);
    describe(&mut document, PATH, &guard.contract());
    path_of(&document)
}

fn path_of(document: &OpenApi) -> Value {
    serde_json::to_value(document).unwrap()["paths"][PATH].clone()
}

/// An operation that answers this status and says nothing else.
fn answering(status: &str) -> Value {
    json!({"responses": {status: {"description": "Done"}}})
}

fn statuses(operation: &Value) -> Vec<&str> {
    let responses = operation["responses"].as_object().unwrap();
    responses.keys().map(String::as_str).collect()
}

fn fields(operation: &Value) -> Vec<&str> {
    let parameters = operation["parameters"].as_array().unwrap();
    parameters
        .iter()
        .map(|parameter| parameter["name"].as_str().unwrap_or("a reference"))
        .collect()
}

#[test]
fn a_read_is_validated_and_may_not_be_modified() {
    let item = described(&guard(), &json!({"get": answering("200")}));
    let read = &item["get"];
    assert_eq!(statuses(read), ["200", "304", "400", "412"]);
    assert_eq!(
        fields(read),
        [
            "If-None-Match",
            "If-Modified-Since",
            "If-Match",
            "If-Unmodified-Since"
        ]
    );
    let success = &read["responses"]["200"]["headers"];
    assert!(success["ETag"].is_object() && success["Last-Modified"].is_object());
    let not_modified = &read["responses"]["304"];
    assert!(not_modified["headers"]["ETag"].is_object());
    assert_eq!(not_modified["content"], Value::Null);
    // An unreadable If-None-Match of a read is ignored, an unreadable If-Match is refused.
    assert_eq!(read["parameters"][0]["schema"]["pattern"], Value::Null);
    assert!(read["parameters"][2]["schema"]["pattern"].is_string());
}

#[test]
fn a_read_that_asks_the_store_can_be_unavailable() {
    let guard = guard().with_version_before_body();
    let item = described(&guard, &json!({"get": answering("200")}));
    assert_eq!(statuses(&item["get"]), ["200", "304", "400", "412", "503"]);
}

#[test]
fn a_write_needs_a_condition() {
    let item = described(&guard(), &json!({"put": answering("200")}));
    let write = &item["put"];
    assert_eq!(statuses(write), ["200", "400", "412", "428", "503"]);
    assert_eq!(
        fields(write),
        ["If-Match", "If-None-Match", "If-Unmodified-Since"]
    );
    let responses = &write["responses"];
    assert!(responses["200"]["headers"]["ETag"].is_object());
    assert!(responses["412"]["headers"]["ETag"].is_object());
    assert_eq!(responses["428"]["headers"], Value::Null);
    assert!(responses["503"]["headers"]["Retry-After"].is_object());
    for status in ["400", "412", "428", "503"] {
        let content = &responses[status]["content"];
        for media_type in ["application/problem+json", "application/json"] {
            assert_eq!(
                content[media_type]["schema"]["$ref"],
                "#/components/schemas/PreconditionProblem"
            );
        }
        assert_eq!(content["text/plain"]["schema"]["type"], "string");
    }
}

#[test]
fn what_is_removed_has_no_tag_and_may_be_gone() {
    let item = described(&guard(), &json!({"delete": answering("204")}));
    let remove = &item["delete"];
    assert_eq!(statuses(remove), ["204", "400", "404", "412", "428", "503"]);
    assert_eq!(remove["responses"]["204"]["headers"], Value::Null);
}

#[test]
fn the_policy_decides() {
    let item =
        json!({"put": answering("200"), "post": answering("200"), "patch": answering("204")});
    let guard = guard().with_policy(
        Policy::new()
            .with_condition_optional(Method::PUT)
            .with_condition_exempt(Method::POST)
            .with_creating_methods([Method::PATCH]),
    );
    let item = described(&guard, &item);
    assert_eq!(statuses(&item["put"]), ["200", "400", "404", "412", "503"]);
    assert_eq!(statuses(&item["post"]), ["200", "400", "404", "412", "503"]);
    assert_eq!(
        statuses(&item["patch"]),
        ["204", "400", "412", "428", "503"]
    );
    assert!(item["patch"]["responses"]["204"]["headers"]["ETag"].is_object());
}

#[test]
fn if_match_is_required_where_nothing_else_will_do() {
    let item = json!({"put": answering("200"), "patch": answering("200")});
    let required = |item: &Value, method: &str| {
        let if_match = &item[method]["parameters"][0];
        assert_eq!(if_match["name"], "If-Match");
        if_match["required"] == true
    };

    let dated = described(&guard(), &item);
    assert!(!required(&dated, "patch") && !required(&dated, "put"));

    let undated = described(&guarding(Undated), &item);
    // Only PUT creates, by If-None-Match.
    assert!(required(&undated, "patch") && !required(&undated, "put"));
}

#[test]
fn what_is_only_reported_is_not_refused() {
    let item = json!({"get": answering("200"), "patch": answering("200")});
    let item = described(
        &guarding(Undated).with_policy(Policy::new().with_report_only()),
        &item,
    );
    assert_eq!(
        statuses(&item["patch"]),
        ["200", "400", "404", "412", "503"]
    );
    assert_eq!(item["patch"]["parameters"][0]["required"], false);
    let told = |method: &str| &item[method]["responses"]["200"]["headers"]["If-Match-Report"];
    assert!(told("patch").is_object() && told("get").is_null());
}

#[test]
fn a_wildcard_that_is_refused_is_not_recommended() {
    let of = |guard: &IfMatchLayer<_, Finder>| {
        let item = described(guard, &json!({"patch": answering("200")}));
        item["patch"]["parameters"][0]["description"].to_string()
    };
    assert!(of(&guard()).contains("stands for any version"));
    assert!(
        of(&guard().with_policy(Policy::new().with_wildcard_refused())).contains("does not count")
    );
}

#[test]
fn what_is_declared_stays() {
    let own = json!({"description": "Mine", "content": {
        "application/problem+json": {"schema": {"type": "object"}},
    }});
    let item = json!({
        "parameters": [{"name": "IF-UNMODIFIED-SINCE", "in": "header", "required": false}],
        "put": {
            "parameters": [
                {"name": "If-None-Match", "in": "query", "required": false},
                {"$ref": "#/components/parameters/Held"},
            ],
            "responses": {
                "200": {"description": "Done", "headers": {"etag": {"description": "Mine"}}},
                "400": {"$ref": "#/components/responses/Mine"},
                "412": own,
            },
        },
    });
    let write = &described(&guard(), &item)["put"];
    // The field of the query is another parameter.
    assert_eq!(
        fields(write),
        ["If-None-Match", "a reference", "If-None-Match"]
    );
    let responses = &write["responses"];
    assert_eq!(
        responses["200"]["headers"],
        json!({"etag": {"description": "Mine"}})
    );
    assert_eq!(
        responses["400"],
        json!({"$ref": "#/components/responses/Mine"})
    );
    assert_eq!(responses["412"]["description"], "Mine");
    let content = &responses["412"]["content"];
    assert_eq!(
        content["application/problem+json"],
        own["content"]["application/problem+json"]
    );
    // What the layer answers all the same is added.
    assert!(content["text/plain"].is_object());
    assert!(responses["412"]["headers"]["ETag"].is_object());
}

#[test]
fn to_describe_twice_is_to_describe_once() {
    let item =
        json!({"get": answering("200"), "put": answering("200"), "delete": answering("204")});
    let mut document = document(&item);
    describe(&mut document, PATH, &guard().contract());
    let once = serde_json::to_value(&document).unwrap();
    describe(&mut document, PATH, &guard().contract());
    assert_eq!(serde_json::to_value(&document).unwrap(), once);
}

#[test]
fn a_collection_has_no_version() {
    let item = json!({"get": answering("200"), "post": answering("201")});
    let mut document = document(&item);
    describe_collection(&mut document, PATH, &guard().contract());
    let described = path_of(&document);
    assert_eq!(described["get"], item["get"]);
    assert_eq!(statuses(&described["post"]), ["201", "400", "412"]);
    assert_eq!(described["post"]["parameters"], Value::Null);
    assert_eq!(
        described["post"]["responses"]["201"],
        item["post"]["responses"]["201"]
    );
}

#[test]
fn what_is_not_guarded_is_left_alone() {
    let item = json!({"options": answering("200"), "trace": answering("200")});
    assert_eq!(described(&guard(), &item), item);
}

#[test]
fn methods_without_a_name_in_openapi_are_writes() {
    let item = json!({"additionalOperations": {"PUBLISH": answering("200")}});
    let item = described(&guard(), &item);
    assert_eq!(
        statuses(&item["additionalOperations"]["PUBLISH"]),
        ["200", "400", "404", "412", "428", "503"]
    );
}

#[test]
fn a_conflict_tells_what_a_get_answers_where_it_tells_anything() {
    let schema = json!({"type": "string"});
    let item = json!({
        "get": {"responses": {"200": {"description": "Done", "content": {
            "application/json": {"schema": schema},
        }}}},
        "put": answering("200"),
    });
    let failed = |item: &Value, method: &str| {
        item[method]["responses"]["412"]["content"]["application/json"]["schema"].clone()
    };

    let told = described(&guard().with_public_conflicts(), &item);
    assert_eq!(
        failed(&told, "put")["allOf"][1]["properties"]["conflict"]["properties"]["current"],
        schema
    );
    // The client of a read has the representation in any case.
    assert_eq!(failed(&told, "get")["allOf"], Value::Null);

    let mut collection = document(&item);
    let telling = guard().with_public_conflicts().contract();
    describe_collection(&mut collection, PATH, &telling);
    assert_eq!(failed(&path_of(&collection), "put")["allOf"], Value::Null);

    let untold = described(&guard(), &item);
    assert_eq!(failed(&untold, "put")["allOf"], Value::Null);
}

#[test]
fn links_lead_from_a_tag_to_the_writes_that_take_it() {
    let named = |id: &str, status: &str| {
        let mut operation = answering(status);
        operation["operationId"] = id.into();
        operation
    };
    let item = json!({
        "get": named("read", "200"),
        "put": named("replace", "200"),
        "patch": answering("200"),
        "delete": named("remove", "204"),
    });
    let item = described(&guard(), &item);
    for method in ["get", "put", "patch"] {
        let links = &item[method]["responses"]["200"]["links"];
        let names: Vec<_> = links.as_object().unwrap().keys().collect();
        assert_eq!(names, ["remove", "replace"], "{method}");
        assert_eq!(
            links["remove"]["parameters"],
            json!({
                "header.If-Match": "$response.header.ETag",
                "path.id": "$request.path.id",
            })
        );
    }
    assert_eq!(item["delete"]["responses"]["204"]["links"], Value::Null);
}

/// The statuses are those of the reasons, and the schema has each reason.
#[test]
fn every_refusal_but_that_of_a_broken_service_is_described() {
    let item = described(&guard(), &json!({"patch": answering("200")}));
    let described: BTreeSet<_> = statuses(&item["patch"]).into_iter().collect();
    let mut answered: BTreeSet<_> = Reason::ALL
        .iter()
        .map(|reason| reason.status().as_str().to_owned())
        .collect();
    answered.remove("500");
    // The handler's own, and a resource that vanished.
    answered.extend(["200".to_owned(), "404".to_owned()]);
    assert!(answered.iter().eq(described), "{answered:?}");

    let mut document = document(&json!({"patch": answering("200")}));
    describe(&mut document, PATH, &guard().contract());
    let document = serde_json::to_value(&document).unwrap();
    let schemas = &document["components"]["schemas"];
    let reasons: Vec<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(schemas["PreconditionReason"]["enum"], json!(reasons));
    assert!(schemas["PreconditionProblem"]["properties"]["conflict"].is_object());
}

#[test]
#[should_panic(expected = "the document has no path /post/{id}")]
fn a_path_that_the_document_lacks_is_a_slip() {
    describe(&mut document(&json!({})), "/post/{id}", &guard().contract());
}

/// What is stored is of no account here.
#[derive(Clone)]
struct Post;

impl Describe for Post {
    fn changed_since(&self, _: &Self) -> Vec<String> {
        Vec::new()
    }

    fn to_json(&self) -> String {
        "null".to_owned()
    }
}

/// A store whose dates are too coarse for conditions.
#[derive(Clone)]
struct Undated;

impl VersionStore for Undated {
    type Key = u64;
    type Revision = u64;
    type Error = Infallible;

    async fn current(&self, _: &u64) -> Result<Option<Version>, Infallible> {
        Ok(None)
    }
}
