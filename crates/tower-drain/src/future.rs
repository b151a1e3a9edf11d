use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::header::CONNECTION;
use http::{HeaderValue, Response, StatusCode};
use pin_project_lite::pin_project;

use crate::lent::{Drainable, Leftover};
use crate::rest::{Abandoned, Bounds, Draining};

pin_project! {
    /// The future of [`Drain`](crate::Drain).
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
            loan: Option<Loan<ReqBody>>,
        },
        Draining {
            response: Option<Response<ResBody>>,
            rest: Draining<ReqBody>,
        },
        Done,
    }
}

/// What is kept of a request while its body is lent.
#[derive(Debug)]
struct Loan<B> {
    leftover: Leftover<B>,
    expects_continue: bool,
    bounds: Bounds,
}

impl<F, ReqBody, ResBody> DrainFuture<F, ReqBody, ResBody> {
    pub(crate) fn untouched(inner: F) -> Self {
        let loan = None;
        Self {
            state: State::Inner { inner, loan },
        }
    }

    pub(crate) fn new(
        inner: F,
        leftover: Leftover<ReqBody>,
        expects_continue: bool,
        bounds: Bounds,
    ) -> Self {
        let loan = Some(Loan {
            leftover,
            expects_continue,
            bounds,
        });
        Self {
            state: State::Inner { inner, loan },
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
                StateProjection::Inner { inner, loan } => {
                    let response = ready!(inner.poll(cx))?;
                    let Some(loan) = loan.take() else {
                        return Poll::Ready(Ok(response));
                    };
                    // Drops the inner future: a body that it still holds is returned now.
                    state.set(State::Done);
                    match loan.rest(&response) {
                        Ok(None) => return Poll::Ready(Ok(response)),
                        Ok(Some(rest)) => state.set(State::Draining {
                            response: Some(response),
                            rest,
                        }),
                        Err(abandoned) => return Poll::Ready(Ok(closing(response, abandoned))),
                    }
                }
                StateProjection::Draining { response, rest } => {
                    let ended = ready!(rest.poll_end(cx));
                    let response = response.take().expect("polled after it was ready");
                    // Drops what could not be read before the answer goes out.
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

impl<B: Drainable> Loan<B> {
    /// What is left to read, if anything.
    fn rest<R>(self, response: &Response<R>) -> Result<Option<Draining<B>>, Abandoned> {
        // The connection no longer speaks HTTP.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(None);
        }
        match self.leftover.take() {
            Some(rest) => Draining::begin(rest, self.expects_continue, self.bounds),
            None => Ok(None),
        }
    }
}

/// An answer after which the server closes the connection.
fn closing<B>(mut response: Response<B>, abandoned: Abandoned) -> Response<B> {
    tracing::debug!(
        "the rest of a request's body is left unread, the connection closes: {abandoned}"
    );
    let fields = response.headers_mut();
    let says_close = fields.get_all(CONNECTION).iter().any(|line| {
        let mut options = line.as_bytes().split(|byte| *byte == b',');
        options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
    });
    if !says_close {
        fields.append(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
