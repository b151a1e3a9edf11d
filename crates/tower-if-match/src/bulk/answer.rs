use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use http_precondition::{EntityTag, Field, PROBLEM_JSON, Problem};
use serde::Serialize;
use version_store::VersionStore;

use super::decision::chief;
use super::item::InvalidItems;
use super::request::{Items, Unfit};
use crate::body::RefusalBody;
use crate::config::Config;
use crate::refusal::Reason;
use crate::refusal::{Refusal, Refused};
use crate::request::Head;

/// What the answer tells of one item.
#[derive(Serialize)]
struct ItemMember<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_condition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    current_etag: Option<&'a EntityTag>,
}

impl<'a> ItemMember<'a> {
    fn of((index, refusal): (usize, &'a Option<Refusal>)) -> Self {
        let refusal = refusal.as_ref();
        Self {
            index,
            status: refusal.map(|refusal| refusal.status().as_u16()),
            reason: refusal.map(|refusal| refusal.reason().as_str()),
            failed_condition: refusal.and_then(Refusal::failed_condition).map(Field::name),
            current_etag: refusal.and_then(Refusal::current_tag),
        }
    }
}

impl<S: VersionStore, W> Config<S, (), W> {
    /// The answer to a request some of whose items are refused, which is logged here.
    pub(super) fn refuse_items<B: RefusalBody>(
        &self,
        items: &Items<S::Key>,
        refusals: &[Option<Refusal>],
    ) -> Response<B> {
        let conditions = http_precondition::Conditions::default();
        let head = Head::Whole(items.parts(), &conditions);
        let Some(chief) = chief(refusals) else {
            // Nobody asks for the refusal of nothing; whoever did would not have it go on.
            return self.refuse(head, Refusal::new(Reason::Unkeyed), None);
        };
        let members: Vec<ItemMember<'_>> =
            refusals.iter().enumerate().map(ItemMember::of).collect();
        let client = self.client(head);
        tracing::info!(
            method = %head.method(),
            resource = crate::respond::cut(head.instance()),
            status = chief.status().as_u16(),
            reason = chief.reason().as_str(),
            items = refusals.len(),
            refused = refusals.iter().flatten().count(),
            client = client.as_deref(),
            request_id = head.request_id(),
            "refused"
        );
        // Without tag and field: they are one item's, not the answer's.
        let shown = chief.of_several().by(self.tags.scope().name());
        let members = |problem: Problem| problem.member("items", &members);
        let begun = self.settings.documents.begun(chief);
        let mut response = self.answer(head, begun, &shown, &members);
        Refused::mark(&mut response, shown, client);
        response
    }
}

impl Unfit {
    /// The answer. Not a refusal of the layer's: it says nothing about conditions.
    pub(super) fn answer<B: RefusalBody>(&self, most: usize, instance: &str) -> Response<B> {
        let (status, detail) = match self {
            Self::None => (
                StatusCode::BAD_REQUEST,
                "The content has no items.".to_owned(),
            ),
            Self::TooMany => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The content has more than {most} items."),
            ),
            Self::Twice(one, other) => (
                StatusCode::BAD_REQUEST,
                format!("The items {one} and {other} name the same resource."),
            ),
        };
        plain(status, &detail, instance)
    }
}

impl InvalidItems {
    pub(super) fn answer<B: RefusalBody>(&self, instance: &str) -> Response<B> {
        plain(StatusCode::BAD_REQUEST, &self.0, instance)
    }
}

fn plain<B: RefusalBody>(status: StatusCode, detail: &str, instance: &str) -> Response<B> {
    let title = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Content Too Large",
        _ => "Bad Request",
    };
    of_problem(
        Problem::new(status, title)
            .detail(detail)
            .instance(instance),
    )
}

fn of_problem<B: RefusalBody>(problem: Problem) -> Response<B> {
    let status = problem.status();
    let text: Bytes = problem.into_json();
    let mut response = Response::new(B::from_text(text));
    *response.status_mut() = status;
    let fields = response.headers_mut();
    fields.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
