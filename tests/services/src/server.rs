//! A database server's incarnation.

use std::{fs, path::PathBuf};

use crate::{Database, Product, Program, Watched, programs::Programs};

/// A running server, that is stopped and removed when this is dropped or the process ends.
#[derive(Debug)]
pub struct Server {
    product: Product,
    watched: Watched,
}

impl Server {
    pub(crate) async fn start(product: Product, programs: &Programs) -> Self {
        let mut watched = Watched::new(&Program {
            name: product.name(),
            user: product.user(),
            install: product.install(),
            serve: product.serve(),
            stop: product.stop(),
            paths: vec![
                ("INSTALL", programs.install.clone()),
                ("SERVE", programs.serve.clone()),
            ],
        });
        let data = watched.data();
        let answers = |port| product.serves(port, &data);
        watched.start(|_| Ok(()), answers).await;
        Self { product, watched }
    }

    /// A new, empty database.
    ///
    /// # Panics
    /// If the server does not make one.
    pub async fn database(&self) -> Database {
        Database::at(self.product, &self.url()).await
    }

    /// Kills the server with all its processes, as a loss of power would, and waits until they are
    /// gone. Whatever it was about to answer is not answered.
    ///
    /// # Panics
    /// If a process is still there after a minute.
    pub async fn kill9(&self) {
        self.watched.kill9().await;
    }

    /// Starts the server again after [`kill9`](Self::kill9), with its data and at its port, and
    /// waits until it answers.
    ///
    /// # Panics
    /// If the server still runs, or does not answer within a minute.
    pub async fn start_again(&self) {
        let data = self.data();
        for name in self.product.stale() {
            let _ = fs::remove_file(data.join(name));
        }
        let answers = |port| self.product.serves(port, &data);
        self.watched.start_again(answers).await;
    }

    /// What the server has written to its log.
    pub fn log(&self) -> String {
        self.watched.log()
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.watched.data()
    }

    /// The numbers of the server's processes, the first one's first.
    pub fn process_ids(&self) -> Vec<u32> {
        self.watched.process_ids()
    }

    /// The URL of the database that is always there.
    pub(crate) fn url(&self) -> String {
        let database = self.product.first_database();
        self.product.url(self.watched.port(), database)
    }
}
