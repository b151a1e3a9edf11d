//! What the handlers answer.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tower_if_match::{Lost, WriteError};

use crate::post::Post;

/// The success of a PUT or PATCH.
pub fn written(created: bool, post: Post) -> (StatusCode, Json<Post>) {
    let status = if created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    (status, Json(post))
}

/// Why a handler did not do what it was asked.
#[derive(Debug)]
pub enum Refused {
    /// Someone was faster. The layer evaluates afresh, whatever stands here.
    Lost,
    /// There is no such post.
    Absent,
    /// The store failed.
    Failed(Failed),
}

/// How a store failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// Others held what was needed for too long. Nothing was written.
    Busy,
    /// Nothing was written.
    Unavailable,
    /// It may have been written.
    OutcomeUnknown,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, reason) = match self {
            Self::Lost => (StatusCode::PRECONDITION_FAILED, "lost_race"),
            Self::Absent => (StatusCode::NOT_FOUND, "absent"),
            Self::Failed(Failed::Busy) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Self::Failed(Failed::Unavailable) => {
                (StatusCode::SERVICE_UNAVAILABLE, "store_unavailable")
            }
            Self::Failed(Failed::OutcomeUnknown) => {
                (StatusCode::SERVICE_UNAVAILABLE, "outcome_unknown")
            }
        };
        (status, Json(json!({ "reason": reason }))).into_response()
    }
}

impl From<Failed> for Refused {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<Lost> for Refused {
    fn from(_: Lost) -> Self {
        Self::Lost
    }
}

impl From<WriteError<Failed>> for Refused {
    fn from(error: WriteError<Failed>) -> Self {
        match error {
            WriteError::Lost(lost) => lost.into(),
            WriteError::Absent => Self::Absent,
            WriteError::Backend(failed) => failed.into(),
        }
    }
}
