//! Whether the page of the document is all there.

use crate::{get, serve};

#[tokio::test]
async fn the_page_loads_what_it_needs_from_this_program() {
    let server = serve("memory:").await;
    let front = get(&server, "/").await.text();
    assert!(front.contains(r#"href="/docs""#), "{front}");
    let moved = get(&server, "/docs").await;
    assert_eq!(moved.header("location"), Some("/docs/"));

    let page = get(&server, "/docs/").await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.header("content-type"), Some("text/html"));
    let page = page.text();
    let loaded = loaded(&page);
    for needed in [
        "swagger-ui-bundle.js",
        "swagger-initializer.js",
        "swagger-ui.css",
    ] {
        assert!(loaded.contains(&needed), "{loaded:?}");
    }
    for target in loaded {
        let answer = get(&server, &format!("/docs/{target}")).await;
        assert_eq!(answer.status(), 200, "{target}");
        assert!(!answer.body().is_empty(), "{target}");
    }

    // It shows this program's document, and has nobody else look at it.
    let start = get(&server, "/docs/swagger-initializer.js").await.text();
    assert!(start.contains(r#""url": "/openapi.json""#), "{start}");
    assert!(start.contains(r#""validatorUrl": "none""#), "{start}");
    assert!(!start.contains("://"), "{start}");
}

/// What a page loads, relative to itself.
fn loaded(page: &str) -> Vec<&str> {
    let values = [r#"src=""#, r#"href=""#].map(|attribute| page.split(attribute).skip(1));
    let values = values.into_iter().flatten();
    values
        .map(|rest| rest.split('"').next().unwrap())
        .map(|target| target.strip_prefix("./").unwrap_or(target))
        .collect()
}

#[test]
fn what_a_page_loads_from_elsewhere_is_seen() {
    let page = r#"<link href="./a.css"><script src="https://cdn.example/b.js">"#;
    assert_eq!(loaded(page), ["https://cdn.example/b.js", "a.css"]);
}
