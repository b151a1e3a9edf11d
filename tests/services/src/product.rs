//! What differs between the two products.

use std::{fmt, path::Path};

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, PgConnection};

/// A database product.
///
/// ```
/// # async fn example() {
/// if let Some(server) = services::Product::Postgres.own().await {
///     let database = server.database().await;
///     server.kill9().await;
///     server.start_again().await; // same data, same URL
/// }
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Product {
    /// PostgreSQL.
    Postgres,
    /// MariaDB.
    MariaDb,
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Product {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
        }
    }

    /// The environment variable with the URL of a server to use in place of one of ours.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "POSTGRES_URL",
            Self::MariaDb => "MARIADB_URL",
        }
    }

    /// Debian's package.
    pub(crate) fn package(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::MariaDb => "mariadb-server",
        }
    }

    /// The user that the package makes.
    pub(crate) fn user(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MariaDb => "mysql",
        }
    }

    /// The program that makes a data folder and the one that serves it.
    pub(crate) fn programs(self) -> (&'static str, &'static str) {
        match self {
            Self::Postgres => ("initdb", "postgres"),
            Self::MariaDb => ("mariadb-install-db", "mariadbd"),
        }
    }

    /// The shell command that makes the data folder, which it runs in. Data that is not there yet
    /// needs no care: this need not be durable.
    pub(crate) fn install(self) -> &'static str {
        match self {
            Self::Postgres => {
                r#""$INSTALL" --no-sync --auth=trust --username=postgres --encoding=UTF8 \
                --locale=C --pgdata=."#
            }
            Self::MariaDb => {
                r#""$INSTALL" --no-defaults --datadir="$PWD" --skip-test-db \
                --auth-root-authentication-method=normal --innodb-log-file-size=16M"#
            }
        }
    }

    /// The shell command that serves the data folder, which it runs in, at `$port`.
    ///
    /// The settings of durability are the defaults. They are written out because tests depend on
    /// them: whoever makes the tests faster by turning them off shall see what that takes away. Only
    /// MariaDB's binary log is none: without it a commit is shown to others before it is on disk, so
    /// that a crash takes back what was read.
    pub(crate) fn serve(self) -> &'static str {
        match self {
            // Shared memory as files, in the data folder: a killed server leaves none behind.
            Self::Postgres => {
                r#""$SERVE" -D . -c listen_addresses=127.0.0.1 -c port="$port" \
                -c unix_socket_directories= -c dynamic_shared_memory_type=mmap \
                -c max_connections=200 -c shared_buffers=32MB \
                -c fsync=on -c synchronous_commit=on -c full_page_writes=on"#
            }
            // A relative path, because one to a socket must be short.
            Self::MariaDb => {
                r#""$SERVE" --no-defaults --datadir="$PWD" --bind-address=127.0.0.1 \
                --port="$port" --socket=socket --pid-file=pid --skip-name-resolve \
                --character-set-server=utf8mb4 --max-connections=200 \
                --innodb-log-file-size=16M --innodb-buffer-pool-size=32M \
                --innodb-flush-log-at-trx-commit=1 --innodb-doublewrite=1 \
                --log-bin=binlog --sync-binlog=1 --server-id=1"#
            }
        }
    }

    /// The shell command that ends the server `$server` and waits for nobody's work.
    pub(crate) fn stop(self) -> &'static str {
        match self {
            // QUIT is what ends it at once, together with its other processes. But a shell's
            // background process ignores QUIT until it has become the server; TERM ends it then.
            Self::Postgres => "kill -s TERM $server; kill -s QUIT $server",
            Self::MariaDb => "kill -s KILL $server",
        }
    }

    /// What a killed server leaves in its data folder that keeps the next one from starting.
    pub(crate) fn stale(self) -> &'static [&'static str] {
        match self {
            Self::Postgres => &["postmaster.pid"],
            Self::MariaDb => &["socket", "pid"],
        }
    }

    /// The URL of a database at a port of this machine.
    pub(crate) fn url(self, port: u16, database: &str) -> String {
        match self {
            Self::Postgres => format!("postgres://postgres@127.0.0.1:{port}/{database}"),
            Self::MariaDb => format!("mysql://root@127.0.0.1:{port}/{database}"),
        }
    }

    /// The database that every server has, for commands that need to be connected to one.
    pub(crate) fn first_database(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MariaDb => "mysql",
        }
    }

    pub(crate) fn create(self, name: &str) -> String {
        match self {
            // The other template may have tables, and must not be connected to meanwhile.
            Self::Postgres => format!("CREATE DATABASE {name} TEMPLATE template0"),
            Self::MariaDb => format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"),
        }
    }

    pub(crate) fn drop(self, name: &str) -> String {
        match self {
            Self::Postgres => format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            Self::MariaDb => format!("DROP DATABASE IF EXISTS {name}"),
        }
    }

    /// Whether a server answers at a port of this machine and has this data folder: another one may
    /// have got the port first.
    pub(crate) async fn serves(self, port: u16, data: &Path) -> bool {
        let url = self.url(port, self.first_database());
        let folder = self.data_folder(&url).await;
        folder.is_ok_and(|folder| Path::new(&folder) == data)
    }

    /// The data folder of the server at a URL, as it says itself.
    async fn data_folder(self, url: &str) -> sqlx::Result<String> {
        match self {
            Self::Postgres => {
                let mut connection = PgConnection::connect(url).await?;
                let folder = sqlx::query_scalar("SHOW data_directory");
                let folder = folder.fetch_one(&mut connection).await?;
                connection.close().await?;
                Ok(folder)
            }
            Self::MariaDb => {
                let mut connection = MySqlConnection::connect(url).await?;
                let folder = sqlx::query_scalar("SELECT @@datadir");
                let folder = folder.fetch_one(&mut connection).await?;
                connection.close().await?;
                Ok(folder)
            }
        }
    }

    /// Runs one statement, which this crate wrote.
    pub(crate) async fn execute(self, url: &str, statement: String) -> sqlx::Result<()> {
        let statement = sqlx::raw_sql(AssertSqlSafe(statement));
        match self {
            Self::Postgres => {
                let mut connection = PgConnection::connect(url).await?;
                connection.execute(statement).await?;
                connection.close().await
            }
            Self::MariaDb => {
                let mut connection = MySqlConnection::connect(url).await?;
                connection.execute(statement).await?;
                connection.close().await
            }
        }
    }
}
