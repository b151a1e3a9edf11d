//! Eight programs that count at once.

use std::fs;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use axum::routing::get;
use futures_util::future::join_all;
use tokio::process::Command;
use tokio::sync::Barrier;

use crate::{book, session};

const PROGRAMS: usize = 8;

/// Lets eight runs of the script in a chapter write to this path, all of which read before any of them
/// writes.
///
/// # Panics
///
/// Where the chapter has no script, or one of them fails.
pub async fn eight_scripts(app: &Router, file: &str, path: &str) {
    let chapter = book::read(file);
    let (_, behind) = chapter.split_once("```sh\n#!").expect("a script");
    let (script, _) = behind.split_once("```").expect("the end of the script");
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("count.sh");
    fs::write(&program, format!("#!{script}")).expect("room for a file");

    let address = session::serve(all_read_first(app.clone())).await;
    let runs = (0..PROGRAMS).map(|_| {
        let mut shell = Command::new("sh");
        shell.arg(&program).arg(format!("http://{address}{path}"));
        async move { shell.output().await.expect("a shell") }
    });
    for output in join_all(runs).await {
        assert!(output.status.success(), "{output:?}");
    }
}

/// The same app, whose first eight reads wait for each other.
fn all_read_first(app: Router) -> Router {
    let all = Arc::new(Barrier::new(PROGRAMS));
    let reads = Arc::new(AtomicUsize::new(0));
    app.layer(from_fn(move |request: Request, next: Next| {
        let (all, reads) = (Arc::clone(&all), Arc::clone(&reads));
        async move {
            let read = *request.method() == Method::GET;
            let answer = next.run(request).await;
            if read && reads.fetch_add(1, Ordering::Relaxed) < PROGRAMS {
                all.wait().await;
            }
            answer
        }
    }))
}

/// A counter that stores what it is sent, at `/counter`, and what it stores.
pub fn blind_counter() -> (Router, Arc<Mutex<String>>) {
    type Count = Arc<Mutex<String>>;
    let count: Count = Arc::new(Mutex::new("0".to_owned()));
    let read = async |State(count): State<Count>| {
        let count = count.lock().expect("nobody panics");
        ([("etag", "\"x\"")], count.clone())
    };
    let replace = async |State(count): State<Count>, sent: String| {
        *count.lock().expect("nobody panics") = sent;
    };
    let app = Router::new()
        .route("/counter", get(read).put(replace))
        .with_state(Arc::clone(&count));
    (app, count)
}
