use std::io;

use sqlx::Pool;
use sqlx::pool::PoolConnection;
use tokio::runtime::Handle;

use crate::driver::Driver;

/// A connection of a pool, which returns to it only if it can be used again.
///
/// A future that is dropped midway leaves a connection with half an answer unread. Sqlx's drivers for
/// SQLite and PostgreSQL read the rest before the next statement; the one for MariaDB may take the
/// rest of one answer for another's, so there such a connection is closed.
pub(crate) struct Lease<D: Driver> {
    connection: Option<PoolConnection<D>>,
    sound: bool,
}

impl<D: Driver> Lease<D> {
    pub(crate) async fn from_pool(pool: &Pool<D>) -> Result<Self, sqlx::Error> {
        let connection = match pool.acquire().await {
            // Where there is none at all the database is away, and not busy.
            Err(sqlx::Error::PoolTimedOut) if pool.size() == 0 => {
                return Err(io::Error::from(io::ErrorKind::NotConnected).into());
            }
            acquired => acquired?,
        };
        Ok(Self {
            connection: Some(connection),
            sound: D::RECOVERS,
        })
    }

    pub(crate) fn connection(&mut self) -> &mut D::Connection {
        self.connection.as_mut().expect(UNTIL_DROPPED)
    }

    pub(crate) fn connection_ref(&self) -> &D::Connection {
        self.connection.as_ref().expect(UNTIL_DROPPED)
    }

    /// To the pool, after statements that ended.
    pub(crate) fn give_back(mut self) {
        self.sound = true;
    }

    /// Not to the pool.
    pub(crate) fn discard(mut self) {
        self.sound = false;
    }
}

const UNTIL_DROPPED: &str = "the connection is there until the lease is dropped";

impl<D: Driver> Drop for Lease<D> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        // The way back to the pool is a task.
        if self.sound && Handle::try_current().is_ok() {
            drop(connection);
        } else {
            // The database rolls back and unlocks when it finds the connection closed.
            drop(connection.detach());
        }
    }
}
