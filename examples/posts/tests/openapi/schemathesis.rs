//! Whether the program keeps what its document says, as schemathesis finds out. The short runs are the same each
//! time; a long one, of other requests each time, is
//!
//!     SCHEMATHESIS_EXAMPLES=2000 cargo test -p posts --test openapi keeps_what

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use wire::Server;

use crate::document::operations;
use crate::run::{CONFIGURATION, Outcome, Run};
use crate::{get, serve, serve_by};

const ALL_PHASES: &str = "examples,coverage,fuzzing,stateful";

#[tokio::test]
async fn the_program_keeps_what_its_document_says_in_memory() {
    let server = serve("memory:").await;
    if let Some(outcome) = kept(&server, 170).await {
        assert!(outcome.cases >= 2000, "{}", outcome.told);
    }
}

#[tokio::test]
async fn the_program_keeps_what_its_document_says_in_transactions() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("posts.db").display());
    kept(&serve_by("transaction", &store).await, 40).await;
}

#[tokio::test]
async fn the_program_keeps_what_its_document_says_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", folder.path().join("posts.db").display());
    kept(&serve(&store).await, 40).await;
}

async fn kept(server: &Server, examples: u32) -> Option<Outcome> {
    let url = format!("http://{}", server.addr());
    let long = std::env::var("SCHEMATHESIS_EXAMPLES").ok();
    let run = Run {
        document: format!("{url}/openapi.json"),
        server: url,
        examples: long.as_ref().map_or(examples, |long| long.parse().unwrap()),
        phases: ALL_PHASES,
        seed: long.is_none().then_some(1),
    };
    let outcome = run.outcome().await?;
    assert_eq!(outcome.findings, [""; 0], "{}", outcome.told);
    println!("{} requests, nothing found", outcome.cases);
    Some(outcome)
}

/// The control: a document that does not say what the program does is found out, by each kind of check.
#[tokio::test]
async fn a_document_that_lies_is_found_out() {
    let server = serve("memory:").await;
    let mut document = get(&server, "/openapi.json").await.json().unwrap();
    lie(&mut document);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openapi.json");
    std::fs::write(&file, document.to_string()).unwrap();

    let run = Run {
        document: file.to_str().unwrap().to_owned(),
        server: format!("http://{}", server.addr()),
        examples: 10,
        phases: "examples,coverage",
        seed: Some(1),
    };
    let Some(outcome) = run.outcome().await else {
        return;
    };
    for expected in [
        "Undocumented status code",
        "Undocumented Content-Type",
        "Response violates schema",
        "Response header does not conform to the schema",
        "Schema-valid request rejected",
        "Schema-violating request accepted",
    ] {
        let found = outcome.findings.iter().any(|finding| finding == expected);
        assert!(
            found,
            "{expected}: {:?}: {}",
            outcome.findings, outcome.told
        );
    }
}

fn lie(document: &mut Value) {
    let item = &mut document["paths"]["/api/posts/{id}"];
    for operation in item.as_object_mut().unwrap().values_mut() {
        operation["responses"]
            .as_object_mut()
            .unwrap()
            .remove("428");
    }
    document["paths"]["/metrics"]["get"]["responses"]["200"]["content"] =
        json!({"application/json": {}});
    let created = &mut document["paths"]["/api/posts"]["post"]["responses"]["201"];
    created["headers"]["ETag"]["schema"] = json!({"type": "string", "pattern": "^[a-z]+$"});
    let schemas = &mut document["components"]["schemas"];
    schemas["PreconditionReason"]["enum"] = json!(["lost_race"]);
    let draft = &mut schemas["Draft"]["properties"];
    draft["title"]["maxLength"] = 300.into();
    draft["author"]["maxLength"] = 8.into();
}

/// What the settings allow is no more than what the document declares, and they switch nothing off.
#[tokio::test]
async fn the_settings_allow_declared_statuses_and_nothing_else() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(CONFIGURATION);
    let settings = std::fs::read_to_string(path).unwrap();
    let server = serve("memory:").await;
    let document = get(&server, "/openapi.json").await.json().unwrap();
    assert_eq!(liberties(&settings, &document), [""; 0]);

    for liberty in [
        settings.replace("412, 428]", "412, 500]"),
        settings.replace("expected-statuses", "enabled = false\nexpected-statuses"),
        settings.replace("412, 428]", "\"4xx\"]"),
        format!("{settings}[checks.unsupported_method]\nenabled = false\n"),
    ] {
        assert_ne!(liberties(&liberty, &document), [""; 0], "{liberty}");
    }
}

/// What the settings say that they must not.
fn liberties(settings: &str, document: &Value) -> Vec<String> {
    let declared: BTreeSet<&str> = operations(document)
        .filter(|(path, ..)| *path == "/api/posts/{id}")
        .flat_map(|(_, _, operation)| operation["responses"].as_object().unwrap().keys())
        .map(String::as_str)
        .collect();
    let allowed = [
        "[[operations]]",
        r#"include-path = "/api/posts/{id}""#,
        "[operations.checks.positive_data_acceptance]",
        "[operations.checks.negative_data_rejection]",
        "[warnings]",
        "fail-on = [",
        "]",
    ];
    let lines = settings.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let liberty = |line: &&str| {
        let is_name = line.starts_with('"') && line.ends_with("\",");
        if let Some(statuses) = line.strip_prefix("expected-statuses = [") {
            let statuses = statuses.trim_end_matches(']').split(',');
            !statuses
                .map(str::trim)
                .all(|status| declared.contains(status))
        } else {
            !allowed.contains(line) && !is_name
        }
    };
    lines.filter(liberty).map(str::to_owned).collect()
}
