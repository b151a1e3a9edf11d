//! An encoder outside the layer, and `VariantLayer` outside the encoder: no strong tag is shared by
//! bodies that differ. Each promise has the same exchange without the layer as its negative control.

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, get};
use tower::{Layer, ServiceBuilder};
use tower_http::compression::CompressionLayer;
use tower_if_match::{IfMatchLayer, PathKey, VariantLayer};

use crate::posts::{self, Answer, Posts, with_methods};
use crate::representation::ask;

/// Long enough to be encoded.
pub(crate) fn long(word: &str) -> String {
    format!("{word} ").repeat(50)
}

/// One post, number 7, with these methods, without any encoder.
pub(crate) fn plain(methods: MethodRouter<Posts>) -> Router {
    let posts = Posts::new();
    posts.create(7, long("first"));
    let guard = IfMatchLayer::new("posts", posts.clone(), PathKey);
    with_methods(&posts, guard, methods)
}

/// An encoder around it, with the layer or, as the control, without.
pub(crate) fn encoded(app: Router, with_variants: bool) -> Router {
    let encoder = CompressionLayer::new();
    if with_variants {
        let layers = ServiceBuilder::new().layer(VariantLayer::new());
        app.layer(layers.layer(encoder))
    } else {
        app.layer(encoder)
    }
}

pub(crate) fn varied() -> Router {
    encoded(plain(posts::methods()), true)
}

pub(crate) fn control() -> Router {
    encoded(plain(posts::methods()), false)
}

pub(crate) async fn get_as(app: &Router, coding: &str) -> Answer {
    ask(app, "GET /posts/7", &[("accept-encoding", coding)], "").await
}

pub(crate) fn tag(answer: &Answer) -> String {
    answer.etag().unwrap().to_owned()
}

/// What stands between the quotes, with a variant behind it.
pub(crate) fn with(state: &str, variant: &str) -> String {
    format!("\"{}.{variant}\"", state.trim_matches('"'))
}

/// Whether any two of these answers have one strong tag and other bodies.
fn share(answers: &[Answer]) -> bool {
    let is_strong = |answer: &Answer| answer.etag().is_some_and(|tag| tag.starts_with('"'));
    answers.iter().enumerate().any(|(index, one)| {
        answers[..index]
            .iter()
            .any(|other| is_strong(one) && one.etag() == other.etag() && one.body != other.body)
    })
}

async fn all_codings(app: &Router) -> Vec<Answer> {
    let mut answers = Vec::new();
    for coding in ["identity", "gzip", "br"] {
        answers.push(get_as(app, coding).await);
    }
    answers
}

#[tokio::test]
async fn plain_and_coded_bodies_share_no_strong_tag() {
    let app = varied();
    let answers = all_codings(&app).await;
    assert!(!share(&answers));
    let state = tag(&answers[0]);
    assert_eq!(answers[0].field(axum::http::header::CONTENT_ENCODING), None);
    assert_eq!(tag(&answers[1]), with(&state, "gzip"));
    assert_eq!(answers[1].body[..2], [0x1f, 0x8b], "that is gzip");
    assert_eq!(tag(&answers[2]), with(&state, "br"));
    for answer in &answers {
        let lines: Vec<_> = answer.headers.get_all(VARY).iter().collect();
        assert_eq!(lines, ["accept-encoding"]);
    }
    assert!(share(&all_codings(&control()).await));
}

#[tokio::test]
async fn what_is_too_small_to_be_encoded_stays_plain() {
    let (posts, guard) = posts::posts();
    let app = encoded(posts::app(&posts, guard), true);
    let state = tag(&get_as(&app, "identity").await);
    let answer = get_as(&app, "gzip").await;
    assert_eq!((tag(&answer), answer.body), (state, b"first".to_vec()));
    assert_eq!(answer.headers[VARY], "accept-encoding");
}

#[tokio::test]
async fn the_tag_of_any_variant_writes() {
    for coding in ["identity", "gzip", "br", "gzip;q=0.5, br;q=0.1"] {
        let app = varied();
        let held = tag(&get_as(&app, coding).await);
        let written = posts::put(&app, &held, &long("second")).await;
        assert_eq!(written.status, StatusCode::OK, "{held}");
        let state = tag(&get_as(&app, "identity").await);
        assert_eq!(
            tag(&written),
            state,
            "the answer to a write names the state"
        );
        let refused = posts::put(&app, &held, &long("third")).await;
        assert_eq!(refused.reason(), "stale_version", "{held}");
        assert_eq!(tag(&refused), state, "and so does a 412");
    }
}

/// The answer to a write may be encoded too. Its tag says which version was made, in any coding.
#[tokio::test]
async fn the_answer_to_a_write_has_the_tag_of_its_coding_and_a_refusal_that_of_the_state() {
    let app = varied();
    let held = tag(&get_as(&app, "gzip").await);
    let fields = [("accept-encoding", "gzip"), ("if-match", held.as_str())];
    let written = ask(&app, "PUT /posts/7", &fields, &long("second")).await;
    assert_eq!(written.body[..2], [0x1f, 0x8b]);
    assert_eq!(tag(&written), tag(&get_as(&app, "gzip").await));
    let refused = ask(&app, "PUT /posts/7", &fields, &long("third")).await;
    assert_eq!(refused.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(tag(&refused), tag(&get_as(&app, "identity").await));
    let next = [("if-match", tag(&written))].map(|(name, value)| (name, value.leak() as &str));
    let next = ask(&app, "PUT /posts/7", &next, &long("third")).await;
    assert_eq!(next.status, StatusCode::OK);
}

/// Nothing acceptable to say it in is no reason to say that a write did not take place.
#[tokio::test]
async fn nothing_is_answered_406() {
    for accepted in ["identity;q=0", "deflate, *;q=0"] {
        // The control: the encoder alone.
        for (app, status) in [
            (varied(), StatusCode::OK),
            (control(), StatusCode::NOT_ACCEPTABLE),
        ] {
            let held = tag(&get_as(&app, "identity").await);
            let fields = [("accept-encoding", accepted), ("if-match", held.as_str())];
            let answer = ask(&app, "PUT /posts/7", &fields, &long("second")).await;
            assert_eq!(answer.status, status, "{accepted}");
            assert_ne!(tag(&get_as(&app, "identity").await), held, "it took place");
            assert_eq!(get_as(&app, accepted).await.status, status, "{accepted}");
            let absent = ask(&app, "GET /posts/9", &fields[..1], "").await;
            let absent_status = if status == StatusCode::OK {
                StatusCode::NOT_FOUND
            } else {
                status
            };
            assert_eq!(absent.status, absent_status);
        }
    }
}

async fn head_and_get<S>(app: &S, fields: &[(&str, &str)]) -> (Answer, Answer)
where
    S: tower::Service<
            axum::http::Request<axum::body::Body>,
            Response = axum::http::Response<axum::body::Body>,
            Error = std::convert::Infallible,
        > + Clone,
{
    let head = ask(app, "HEAD /posts/7", fields, "").await;
    assert!(head.body.is_empty());
    (head, ask(app, "GET /posts/7", fields, "").await)
}

#[tokio::test]
async fn a_head_has_the_fields_of_the_get() {
    let app = varied();
    for coding in ["identity", "gzip", "br"] {
        let (head, get) = head_and_get(&app, &[("accept-encoding", coding)]).await;
        assert_eq!(head.headers, get.headers, "{coding}");
        let fields = [("accept-encoding", coding), ("if-none-match", &tag(&get))];
        let (head, get) = head_and_get(&app, &fields).await;
        assert_eq!(head.status, StatusCode::NOT_MODIFIED, "{coding}");
        assert_eq!(head.headers, get.headers, "{coding}");
    }
}

/// Where something inside takes the body off, an encoder does not encode it. To ask for it with GET is
/// the cure, and not to do so the control.
#[tokio::test]
async fn around_a_whole_router_a_head_is_a_get_inside() {
    use axum::body::Body;
    use axum::http::Response;
    let encoder = ServiceBuilder::new()
        .map_response(|answer: Response<_>| answer.map(Body::new))
        .layer(VariantLayer::new().with_head_as_get())
        .layer(CompressionLayer::new());
    let app = encoder.service(plain(posts::methods()));
    for coding in ["identity", "gzip", "br"] {
        let (head, get) = head_and_get(&app, &[("accept-encoding", coding)]).await;
        assert_eq!(head.headers, get.headers, "{coding}");
        let ranged = [("accept-encoding", coding), ("range", "bytes=0-1")];
        let (head, _) = head_and_get(&app, &ranged).await;
        assert_eq!(head.headers, get.headers, "{coding}");
    }
    let control = ServiceBuilder::new()
        .map_response(|answer: Response<_>| answer.map(Body::new))
        .layer(VariantLayer::new())
        .layer(CompressionLayer::new())
        .service(plain(posts::methods()));
    let (head, get) = head_and_get(&control, &[("accept-encoding", "gzip")]).await;
    assert_ne!(tag(&head), tag(&get));
}

/// Such a handler: the media type is negotiated, and who looks at it changes what is shown.
async fn read_variant(State(posts): State<Posts>, fields: HeaderMap) -> impl IntoResponse {
    let post = posts.get(&7).unwrap();
    let is = |name, value: &str| fields.get(name).is_some_and(|sent| sent == value);
    let csv = is(ACCEPT.as_str(), "text/csv");
    let editor = is("x-viewer", "editor");
    let variant = match (csv, editor) {
        (false, false) => "json",
        (true, false) => "csv",
        (false, true) => "json.editor",
        (true, true) => "csv.editor",
    };
    let media_type = if csv { "text/csv" } else { "application/json" };
    let shown = post.map(|text| format!("{variant}: {text}"));
    shown.with_variant(variant).map(|text| {
        (
            [(CONTENT_TYPE, media_type)],
            [(VARY, "accept, x-viewer")],
            text,
        )
    })
}

#[tokio::test]
async fn media_type_viewer_and_coding_each_make_a_variant() {
    let app = encoded(plain(get(read_variant)), true);
    let answers = read_variants(&app).await;
    for (variant, coding, answer) in &answers {
        let expected = match *coding {
            "identity" => format!(".{variant}\""),
            coding => format!(".{variant}.{coding}\""),
        };
        assert!(tag(answer).ends_with(&expected), "{:?}", answer.etag());
    }
    let bodies = |answers: Vec<(_, _, Answer)>| -> Vec<_> {
        answers.into_iter().map(|(_, _, answer)| answer).collect()
    };
    assert!(!share(&bodies(answers)));
    let control = encoded(plain(get(read_variant)), false);
    assert!(share(&bodies(read_variants(&control).await)));
}

#[tokio::test]
async fn any_of_these_variants_writes() {
    let app = encoded(plain(get(read_variant).put(posts::replace)), true);
    for index in 0..12 {
        let held = tag(&read_variants(&app).await[index].2);
        let written = posts::put(&app, &held, &long("again")).await;
        assert_eq!(written.status, StatusCode::OK, "{held}");
    }
}

/// Each variant in each coding.
async fn read_variants(app: &Router) -> Vec<(&'static str, &'static str, Answer)> {
    let mut answers = Vec::new();
    for (accept, viewer, variant) in [
        ("application/json", "reader", "json"),
        ("text/csv", "reader", "csv"),
        ("application/json", "editor", "json.editor"),
        ("text/csv", "editor", "csv.editor"),
    ] {
        for coding in ["identity", "gzip", "br"] {
            let fields = [
                ("accept", accept),
                ("x-viewer", viewer),
                ("accept-encoding", coding),
            ];
            let answer = ask(app, "GET /posts/7", &fields, "").await;
            answers.push((variant, coding, answer));
        }
    }
    answers
}

/// `br` is a coding, and Breton. A layer that took the language for the coding would add nothing.
#[tokio::test]
async fn a_variant_that_is_called_like_a_coding_is_not_taken_for_it() {
    let breton = async |State(posts): State<Posts>| posts.get(&7).unwrap().with_variant("br");
    let app = encoded(plain(get(breton)), true);
    let answers = all_codings(&app).await;
    assert!(!share(&answers));
    assert!(tag(&answers[0]).ends_with(".br_\""));
    assert!(tag(&answers[2]).ends_with(".br_.br\""));
    assert!(share(
        &all_codings(&encoded(plain(get(breton)), false)).await
    ));
}

/// The text that has no variant is encoded in brotli, and the Breton one is not encoded at all.
#[tokio::test]
async fn breton_and_brotli_are_two_variants() {
    let handler = async |State(posts): State<Posts>, fields: HeaderMap| {
        let post = posts.get(&7).unwrap();
        match fields.get("accept-language") {
            Some(_) => post.map(|_| long("brezhoneg")).with_variant("br"),
            None => post,
        }
    };
    let app = encoded(plain(get(handler)), true);
    let breton = ask(&app, "GET /posts/7", &[("accept-language", "br")], "").await;
    let brotli = get_as(&app, "br").await;
    assert_ne!(breton.body, brotli.body);
    assert_ne!(tag(&breton), tag(&brotli));
    let held = tag(&breton);
    let fields = [("accept-encoding", "br"), ("if-none-match", held.as_str())];
    let answer = ask(&app, "GET /posts/7", &fields, "").await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// A handler with encoded files of its own has its tag from the layer inside.
#[tokio::test]
async fn what_the_handler_encoded_gets_its_coding_once() {
    use axum::http::header::CONTENT_ENCODING;
    let precompressed = async |State(posts): State<Posts>| {
        let post = posts.get(&7).unwrap();
        post.map(|text| ([(CONTENT_ENCODING, "gzip")], text))
    };
    let app = encoded(plain(get(precompressed)), true);
    let tag = tag(&get_as(&app, "gzip, br").await);
    assert!(
        tag.ends_with(".gzip\"") && !tag.ends_with(".gzip.gzip\""),
        "{tag}"
    );
}

/// `RepresentationLayer` mints its tags in the same form.
#[tokio::test]
async fn a_service_that_is_its_own_store_has_variants_too() {
    let (router, texts) = crate::representation::legacy();
    texts.write(7, &long("first"));
    let guarded = crate::representation::guard().layer(router);
    let app = encoded(Router::new().fallback_service(guarded), true);
    let answers = all_codings(&app).await;
    assert!(!share(&answers));
    for answer in &answers[..2] {
        let held = tag(answer);
        let put = [("if-match", held.as_str())];
        let written = ask(&app, "PUT /posts/7", &put, &long("first")).await;
        assert!(written.status.is_success(), "{held}: {written:?}");
    }
    assert_eq!(tag(&answers[1]), with(&tag(&answers[0]), "gzip"));
    assert_eq!(answers[1].field(CONTENT_LENGTH), None);
}
