//! A task's connection, opened again when it has ended.

use std::{net::SocketAddr, time::Duration};

use wire::{Connection, ErrorKind, Request, Response};

/// After so many failures in a row nobody is there.
const ATTEMPTS: usize = 3;

#[derive(Debug)]
pub(crate) struct Client {
    addr: SocketAddr,
    connection: Option<Connection>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The request was sent, at least in part.
    Unanswered(wire::Error),
    /// Nothing was sent, and no connection comes about any more.
    Gone(wire::Error),
}

/// How a client vanishes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HangUp {
    /// The share of the request's bytes that it writes.
    pub(crate) share: f64,
    /// How long it waits for an answer to begin.
    pub(crate) patience: Duration,
    /// Whether it resets the connection or closes it.
    pub(crate) resets: bool,
}

impl Client {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Self {
            addr,
            connection: None,
        }
    }

    /// Sends the request once; it is only sent again where the server cannot have seen it.
    pub(crate) async fn exchange(&mut self, request: &Request) -> Result<Response, Failure> {
        let mut attempts = 1;
        loop {
            let mut connection = self.connect().await.map_err(Failure::Gone)?;
            match connection.send(request).await {
                Ok(answer) => {
                    self.connection = Some(connection).filter(Connection::is_reusable);
                    return Ok(answer);
                }
                Err(error) if error.kind() == ErrorKind::NotSent && attempts < ATTEMPTS => {
                    attempts += 1;
                }
                Err(error) if error.kind() == ErrorKind::NotSent => {
                    return Err(Failure::Gone(error));
                }
                Err(error) => return Err(Failure::Unanswered(error)),
            }
        }
    }

    /// Sends the request, or a part of it, and is gone.
    pub(crate) async fn vanish(
        &mut self,
        request: &Request,
        how: HangUp,
    ) -> Result<(), wire::Error> {
        let mut connection = self.connect().await?;
        let bytes = request.bytes();
        // A connection that breaks now is a hang-up as well.
        let _ = connection
            .write_bytes(&bytes[..part(bytes.len(), how.share)])
            .await;
        if !how.patience.is_zero() {
            connection.answer_begins_within(how.patience).await;
        }
        if how.resets {
            connection.abort();
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<Connection, wire::Error> {
        if let Some(connection) = self.connection.take() {
            return Ok(connection);
        }
        let mut attempts = 1;
        loop {
            match Connection::open(self.addr).await {
                Err(_) if attempts < ATTEMPTS => attempts += 1,
                result => return result,
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)]
fn part(length: usize, share: f64) -> usize {
    ((length as f64 * share) as usize).min(length)
}
