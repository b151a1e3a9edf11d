//! Throwaway PostgreSQL and MariaDB servers for tests, from the distribution's packages.
//!
//! | need | where |
//! | --- | --- |
//! | a fresh, empty database | [`postgres`], [`mariadb`] |
//! | a server of one's own, to kill and start again | [`Product::own`], [`Server`] |
//! | another program, that ends with the test process | [`Program`], [`Watched`]; [`program`] finds one, [`not_installed`] tells that it is missing |
//!
//! The first database that a test process asks for starts the server that all its tests share;
//! starting takes about a second. Each call makes a new database in it. The server listens on
//! loopback only, keeps its data in a temporary folder, and ends with the test process, however
//! that ends. Durability is on, as in production: a commit that was answered is on disk.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), sqlx::Error> {
//! use sqlx::{Connection, PgConnection};
//!
//! let Some(database) = services::postgres().await else {
//!     return Ok(()); // PostgreSQL is not installed; this was printed
//! };
//! let mut connection = PgConnection::connect(database.url()).await?;
//! sqlx::query("CREATE TABLE posts (id bigint PRIMARY KEY)").execute(&mut connection).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Environment
//!
//! | variable | effect |
//! | --- | --- |
//! | `POSTGRES_URL`, `MARIADB_URL` | databases are made in the server at this URL, and dropped with their [`Database`]; none is started. The URL names a database to connect to for that, and a user who may create others. `compose.yaml` has two such servers |
//! | `REQUIRE_SERVICES` | set to anything but nothing or `0`: what is not installed fails the test, in place of skipping it |
//!
//! Servers are started on Linux only: their processes are found in `/proc`. Elsewhere set the URLs.
//! A server refuses to run as root; where the tests do, it runs as the package's user.

mod account;
mod database;
mod product;
mod programs;
mod server;
mod source;
mod watched;

use tokio::sync::OnceCell;

pub use self::{
    database::Database,
    product::Product,
    programs::program,
    server::Server,
    source::not_installed,
    watched::{Program, Watched},
};
use self::{programs::Programs, source::Source};

/// A fresh, empty PostgreSQL database; `None`, and a line on stderr, where there is no server.
///
/// # Panics
/// If the server fails, or is missing while `REQUIRE_SERVICES` is set.
pub async fn postgres() -> Option<Database> {
    static SHARED: OnceCell<Server> = OnceCell::const_new();
    fresh(Product::Postgres, &SHARED).await
}

/// A fresh, empty MariaDB database; `None`, and a line on stderr, where there is no server.
///
/// # Panics
/// If the server fails, or is missing while `REQUIRE_SERVICES` is set.
pub async fn mariadb() -> Option<Database> {
    static SHARED: OnceCell<Server> = OnceCell::const_new();
    fresh(Product::MariaDb, &SHARED).await
}

async fn fresh(product: Product, shared: &OnceCell<Server>) -> Option<Database> {
    let variable = product.variable();
    let given = std::env::var(variable).ok();
    match source::found(product, given, &format!(", or set {variable}"))? {
        Source::Given(url) => Some(Database::given(product, &url).await),
        Source::Installed(programs) => {
            let server = shared.get_or_init(|| Server::start(product, &programs));
            Some(server.await.database().await)
        }
    }
}

impl Product {
    /// A server of one's own, for a test that kills it; `None`, and a line on stderr, where it is
    /// not installed. The URL in the environment is not used here: that server is not ours to kill.
    ///
    /// # Panics
    /// If the server fails, or is missing while `REQUIRE_SERVICES` is set.
    pub async fn own(self) -> Option<Server> {
        match source::found(self, None, "")? {
            Source::Installed(programs) => Some(Server::start(self, &programs).await),
            Source::Given(_) => unreachable!("no URL was given"),
        }
    }
}
