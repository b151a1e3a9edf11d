//! What stores a cell's posts.

use std::io::Write as _;

use services::{Database, Product, Server};
use sqlx::{MySql, Postgres, Sqlite};
use tempfile::TempDir;

use crate::cell::Store;
use crate::rows::Posted;

/// A store that was just made, and ends with this value.
#[derive(Debug)]
pub struct Backend {
    url: String,
    keeps: Keeps,
}

#[derive(Debug)]
enum Keeps {
    Nothing,
    Folder {
        _folder: TempDir,
    },
    Server {
        server: Server,
        may_crash: bool,
        _database: Database,
    },
}

impl Backend {
    /// Starts the store, with an empty table in it; `None` where it is not installed, which has been
    /// printed.
    ///
    /// # Errors
    ///
    /// One line for people.
    pub async fn start(store: Store) -> Result<Option<Self>, String> {
        let backend = match store {
            Store::Memory => Self {
                url: "memory:".to_owned(),
                keeps: Keeps::Nothing,
            },
            Store::Sqlite => {
                let folder = TempDir::new().map_err(|error| error.to_string())?;
                let url = format!("sqlite:{}", folder.path().join("posts.db").display());
                Sqlite::prepare(&url).await?;
                Self {
                    url,
                    keeps: Keeps::Folder { _folder: folder },
                }
            }
            Store::Server(product) => {
                let Some(server) = product.own().await else {
                    return Ok(None);
                };
                let database = server.database().await;
                let may_crash = match product {
                    Product::Postgres => prepare::<Postgres>(database.url()).await?,
                    _ => prepare::<MySql>(database.url()).await?,
                };
                if !may_crash {
                    // Not `eprintln!`, which a test captures.
                    let _ = writeln!(
                        std::io::stderr(),
                        "SKIPPED: {product} is not killed: without a binary log (log_bin, \
                         sync_binlog=1) it shows commits that a crash takes back"
                    );
                }
                Self {
                    url: database.url().to_owned(),
                    keeps: Keeps::Server {
                        server,
                        may_crash,
                        _database: database,
                    },
                }
            }
        };
        Ok(Some(backend))
    }

    /// What `contest-server` takes as `--store`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database server, where there is one that keeps its promises when it is killed.
    pub fn database(&self) -> Option<&Server> {
        match &self.keeps {
            Keeps::Server {
                server,
                may_crash: true,
                ..
            } => Some(server),
            _ => None,
        }
    }
}

/// Whether the database may be killed.
async fn prepare<D: Posted>(url: &str) -> Result<bool, String> {
    D::prepare(url).await?;
    let keeps = D::keeps_what_it_showed(url).await;
    keeps.map_err(|error| error.to_string())
}
