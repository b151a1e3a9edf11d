use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::CONNECTION;
use http::{HeaderValue, Response, StatusCode};
use pin_project_lite::pin_project;

use super::lent::{Drainable, Left};
use super::rest::{Abandoned, Bounds, Reading};
use crate::sync::PoisonError;

pin_project! {
    /// The future of [`Drain`](super::Drain).
    #[derive(Debug)]
    pub struct DrainFuture<F, ReqBody, ResBody> {
        #[pin]
        state: State<F, ReqBody, ResBody>,
    }
}

pin_project! {
    #[derive(Debug)]
    #[project = StateProjection]
    enum State<F, ReqBody, ResBody> {
        Inner {
            #[pin]
            inner: F,
            lending: Option<Lending<ReqBody>>,
        },
        Reading {
            response: Option<Response<ResBody>>,
            rest: Reading<ReqBody>,
        },
        Done,
    }
}

/// What is kept of a request whose content is lent.
#[derive(Debug)]
struct Lending<B> {
    left: Left<B>,
    held_back: bool,
    bounds: Bounds,
}

impl<F, ReqBody, ResBody> DrainFuture<F, ReqBody, ResBody> {
    pub(super) fn untouched(inner: F) -> Self {
        let lending = None;
        Self {
            state: State::Inner { inner, lending },
        }
    }

    pub(super) fn new(inner: F, left: Left<ReqBody>, held_back: bool, bounds: Bounds) -> Self {
        let lending = Some(Lending {
            left,
            held_back,
            bounds,
        });
        Self {
            state: State::Inner { inner, lending },
        }
    }
}

impl<F, ReqBody, ResBody, E> Future for DrainFuture<F, ReqBody, ResBody>
where
    F: Future<Output = Result<Response<ResBody>, E>>,
    ReqBody: Drainable,
{
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut state = self.as_mut().project().state;
            match state.as_mut().project() {
                StateProjection::Inner { inner, lending } => {
                    let response = ready!(inner.poll(cx))?;
                    let Some(lending) = lending.take() else {
                        return Poll::Ready(Ok(response));
                    };
                    // What the inner future still holds comes back now.
                    state.set(State::Done);
                    match lending.rest(&response) {
                        Ok(None) => return Poll::Ready(Ok(response)),
                        Ok(Some(rest)) => state.set(State::Reading {
                            response: Some(response),
                            rest,
                        }),
                        Err(abandoned) => return Poll::Ready(Ok(closing(response, abandoned))),
                    }
                }
                StateProjection::Reading { response, rest } => {
                    let ended = ready!(rest.poll_end(cx));
                    let response = response.take().expect("polled after it was ready");
                    // What could not be read is given up before the answer goes out.
                    state.set(State::Done);
                    return Poll::Ready(Ok(match ended {
                        Ok(()) => response,
                        Err(abandoned) => closing(response, abandoned),
                    }));
                }
                StateProjection::Done => panic!("polled after it was ready"),
            }
        }
    }
}

impl<B: Drainable> Lending<B> {
    /// What there is to read, where anything is.
    fn rest<R>(self, response: &Response<R>) -> Result<Option<Reading<B>>, Abandoned> {
        // The connection is no longer HTTP's.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(None);
        }
        let rest = self
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        match rest {
            Some(rest) => Reading::begin(rest, self.held_back, self.bounds),
            None => Ok(None),
        }
    }
}

/// An answer after which the server closes the connection.
fn closing<B>(mut response: Response<B>, abandoned: Abandoned) -> Response<B> {
    tracing::debug!("the rest of a request's content is not read: {abandoned}");
    let fields = response.headers_mut();
    let said = fields.get_all(CONNECTION).iter().any(|line| {
        let mut options = line.as_bytes().split(|octet| *octet == b',');
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
    });
    if !said {
        fields.append(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
