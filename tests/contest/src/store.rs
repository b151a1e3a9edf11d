//! What stores a cell's posts.

use services::{Database, Server};
use tempfile::TempDir;

use crate::cell::Store;

/// A store that was just made, and ends with this value.
#[derive(Debug)]
pub struct Backend {
    url: String,
    keeps: Keeps,
}

#[derive(Debug)]
enum Keeps {
    Nothing,
    Folder { _folder: TempDir },
    Server { server: Server, _database: Database },
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
                Self {
                    url: format!("sqlite:{}", folder.path().join("posts.db").display()),
                    keeps: Keeps::Folder { _folder: folder },
                }
            }
            Store::Server(product) => {
                let Some(server) = product.own().await else {
                    return Ok(None);
                };
                let database = server.database().await;
                Self {
                    url: database.url().to_owned(),
                    keeps: Keeps::Server {
                        server,
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

    /// The database server, where there is one to be killed.
    pub fn database(&self) -> Option<&Server> {
        match &self.keeps {
            Keeps::Server { server, .. } => Some(server),
            Keeps::Nothing | Keeps::Folder { .. } => None,
        }
    }
}
