//! The document that shows the matrix.

use std::path::Path;
use std::{env, fs};

use proxies::{Proxy, SetUp};

use crate::matrix::{measure, table};
use crate::origins::Origin;

const BEGINNING: &str = "\
# Tags through proxies

What clients see of entity tags, and what becomes of their conditions, behind nginx, Apache httpd and HAProxy
as a distribution has them, each once as it is and once encoding JSON: nginx with `gzip on`, Apache with
`mod_deflate` (`DeflateAlterETag` as by default), HAProxy with `compression algo gzip`. The client accepts
gzip. A test makes this file of what it measures (`UPDATE=1 cargo test -p proxies`).

`v` stands for the opaque tag that names the state. A write ended in the same way through every proxy of the
table and through none, so the table does not tell them apart: how a tag came decides, not how it goes back.
The last two columns are about the tag on the answer of a write, which proxies may change, too.
";

#[tokio::test]
async fn the_matrix_is_as_documented() {
    let mut text = BEGINNING.to_owned();
    for (origin, title, explanation) in Origin::SHOWN {
        let rows = measure(origin).await;
        if rows.len() != 1 + Proxy::ALL.len() * SetUp::ALL.len() {
            return; // A proxy is not installed; this was printed.
        }
        text.extend(["\n## ", title, "\n\n", explanation, "\n\n", &table(&rows)]);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("matrix.md");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let documented = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        documented == text,
        "what is measured is not what {} says (UPDATE=1 writes it anew):\n{text}",
        path.display()
    );
}
