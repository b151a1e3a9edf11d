//! One example after the other, each on a service of its own.

use wire::Request;

use crate::posts::Post;
use crate::{Exchange, Scene};

/// What a request is an example of.
#[derive(Debug)]
pub struct Example {
    /// What had happened, and what the request wants.
    pub story: &'static str,
    /// What to do about it, in a word.
    pub cure: &'static str,
    /// What was sent and what came.
    pub exchange: Exchange,
}

const CONTENT: &str = r#"{"title":"What I wrote","author":"bob"}"#;
const PATCH: &str = r#"{"title":"What I wrote"}"#;

/// A request that replaces a post.
pub fn put(target: &str) -> Request {
    Request::new("PUT", target).json(CONTENT)
}

fn patch(target: &str) -> Request {
    Request::new("PATCH", target).json(PATCH)
}

/// Behind `Host`, before the fields of the body: where a person would write it.
trait Conditional {
    fn under(self, name: &str, value: &str) -> Self;
}

impl Conditional for Request {
    fn under(mut self, name: &str, value: &str) -> Self {
        let field = (name.to_owned(), value.as_bytes().to_vec());
        self.fields.insert(1, field);
        self
    }
}

/// An example of every reason, of some two.
pub async fn by_reason() -> Vec<Example> {
    let mut examples = refused_by_tag().await;
    examples.extend(refused_otherwise().await);
    examples.extend(refused_by_service().await);
    examples
}

async fn refused_by_tag() -> Vec<Example> {
    let mut examples = Vec::new();

    let scene = Scene::new().await;
    let tag = scene.stale_tag().await;
    let story = "Somebody wrote the post after the client had read it.";
    let request = put("/posts/1").under("If-Match", &tag);
    examples.push(scene.example("merge", story, request).await);

    let scene = Scene::new().await;
    let story =
        "Any version will do, and somebody writes between the handler's read and its write.";
    let request = patch("/overtaken/1").under("If-Match", "*");
    examples.push(scene.example("send again", story, request).await);

    let scene = Scene::new().await;
    let tag = scene.tag(2).await;
    let story = "The tag is that of post 2.";
    let request = put("/posts/1").under("If-Match", &tag);
    examples.push(scene.example("read again", story, request).await);

    let scene = Scene::new().await;
    let tag = scene.tag(1).await;
    scene.posts.erase(1);
    scene.posts.write(1, Post::new("Another post", "eve"));
    let story = "The post was deleted and created again after the client had read it.";
    let request = put("/posts/1").under("If-Match", &tag);
    examples.push(scene.example("read again", story, request).await);

    let scene = Scene::new().await;
    let tag = format!("W/{}", scene.tag(1).await);
    let story = "A proxy compressed what the client read, and weakened its tag.";
    let request = put("/posts/1").under("If-Match", &tag);
    examples.push(scene.example("send the origin's tag", story, request).await);

    let scene = Scene::new().await;
    let tag = scene.tag(1).await;
    let tag = format!("{}/edge-7\"", tag.trim_end_matches('"'));
    let story = "Something between server and client has put `/edge-7` behind the tag.";
    let request = put("/posts/1").under("If-Match", &tag);
    examples.push(
        scene
            .example("send the tag as it came", story, request)
            .await,
    );

    let scene = Scene::new().await;
    let story = "The client made up a tag of its own.";
    let request = put("/posts/1").under("If-Match", "\"5d41402abc4b2a76\"");
    examples.push(scene.example("read again", story, request).await);

    examples
}

async fn refused_otherwise() -> Vec<Example> {
    let mut examples = Vec::new();

    let scene = Scene::new().await;
    let tag = scene.tag(1).await;
    scene.posts.erase(1);
    let story = "The post was deleted after the client had read it. PUT would create it, so its condition is \
                 evaluated.";
    let request = put("/posts/1").under("If-Match", &tag);
    examples.push(scene.example("create, or drop it", story, request).await);

    let scene = Scene::new().await;
    let tag = scene.tag(1).await;
    let story =
        "Somebody else deletes the post between the evaluation of the condition and the write.";
    let request = Request::new("DELETE", "/overtaken/1").under("If-Match", &tag);
    examples.push(scene.example("drop it", story, request).await);

    let scene = Scene::new().await;
    let story = "The client wants to create what exists.";
    let request = put("/posts/1").under("If-None-Match", "*");
    examples.push(scene.example("read, then If-Match", story, request).await);

    let scene = Scene::new().await;
    let story = "Somebody wrote the post after the date that the client read it with.";
    let request = put("/posts/1").under("If-Unmodified-Since", "Thu, 20 Nov 2025 09:31:00 GMT");
    examples.push(scene.example("read again", story, request).await);

    let scene = Scene::new().await;
    let story = "The client sends no condition, and would overwrite what it has not seen.";
    examples.push(
        scene
            .example("read, then If-Match", story, put("/posts/1"))
            .await,
    );

    let scene = Scene::new().await;
    let story = "The same where there is no post yet.";
    examples.push(
        scene
            .example("If-None-Match: *", story, put("/posts/3"))
            .await,
    );

    let scene = Scene::new().await;
    let tag = scene.tag(1).await;
    let story = "The client has taken the quotes off the tag.";
    let request = put("/posts/1").under("If-Match", tag.trim_matches('"'));
    examples.push(
        scene
            .example("send the tag as it came", story, request)
            .await,
    );

    let scene = Scene::new().await;
    let tags: Vec<String> = (1..=65).map(|number| format!("\"tag-{number}\"")).collect();
    let story = "The client sends 65 tags.";
    let request = put("/posts/1").under("If-Match", &tags.join(", "));
    examples.push(scene.example("send one tag", story, request).await);

    examples
}

async fn refused_by_service() -> Vec<Example> {
    let mut examples = Vec::new();
    let broken = [
        (
            "/away/1",
            "wait, then send again",
            "The database cannot be reached.",
        ),
        (
            "/busy/1",
            "wait, then send again",
            "Somebody holds the row for too long.",
        ),
        (
            "/cut-off/1",
            "read, then decide",
            "The connection to the database breaks while it commits.",
        ),
        (
            "/careless/1",
            "read, and report it",
            "The handler writes, and knows nothing of conditions.",
        ),
        (
            "/posts/1/notes/1",
            "report it",
            "The path has two parameters, and the key of a post is one number.",
        ),
    ];
    for (target, cure, story) in broken {
        let scene = Scene::new().await;
        let tag = scene.tag(1).await;
        let request = put(target).under("If-Match", &tag);
        examples.push(scene.example(cure, story, request).await);
    }
    examples
}

/// The other forms that an answer can have: each with its heading.
pub async fn by_form() -> Vec<(&'static str, Example)> {
    let mut examples = Vec::new();
    let scene = Scene::new().await;
    let tag = scene.stale_tag().await;
    let refused = |request: Request| request.under("If-Match", &tag);

    let story = "The same document, for clients that know no problem documents.";
    let request = refused(put("/posts/1").under("Accept", "application/json"));
    examples.push((
        "`application/json`",
        scene.example("", story, request).await,
    ));

    let story =
        "For people at a terminal. The request bears an id, which every form of answer returns.";
    let request = put("/posts/1").under("X-Request-Id", "4f9d2c");
    let request = refused(request.under("Accept", "text/plain"));
    examples.push(("`text/plain`", scene.example("", story, request).await));

    let story = "The fields of the answer to a GET, without its content.";
    let request = refused(Request::new("HEAD", "/posts/1"));
    examples.push(("HEAD", scene.example("", story, request).await));

    let story = "Where the service opted in, the client has all that it needs to merge.";
    let request = refused(put("/public/1"));
    examples.push((
        "A conflict that is told",
        scene.example("", story, request).await,
    ));

    let content = format!(
        r#"[{{"id":1,"etag":{tag:?},"title":"What I wrote"}},{{"id":2,"etag":{:?},"title":"And here"}},{{"id":3,"title":"And there"}}]"#,
        scene.tag(2).await
    );
    let story = "One post has changed, one has not, one does not exist. Nothing is written.";
    let request = Request::new("PATCH", "/posts").json(content);
    examples.push((
        "Several resources in one request",
        scene.example("", story, request).await,
    ));

    examples
}

/// What report-only mode lets go on, each with its heading.
pub async fn reported() -> Vec<(&'static str, Example)> {
    let mut examples = Vec::new();

    let scene = Scene::new().await;
    let story = "The write takes place, and its answer tells what it would have been refused for.";
    let request = put("/reporting/1");
    examples.push((
        "Report-only: no condition",
        scene.example("", story, request).await,
    ));

    let scene = Scene::new().await;
    let tag = scene.tag(1).await;
    let story =
        "The handler knows nothing of conditions, so nobody knows which version it made: no tag.";
    let request = put("/reporting-careless/1").under("If-Match", &tag);
    examples.push((
        "Report-only: a handler that does not settle",
        scene.example("", story, request).await,
    ));

    let scene = Scene::new().await;
    let tag = scene.stale_tag().await;
    let story = "A condition that was sent is held to all the same.";
    let request = put("/reporting/1").under("If-Match", &tag);
    examples.push((
        "Report-only: a condition that is false",
        scene.example("", story, request).await,
    ));

    examples
}
