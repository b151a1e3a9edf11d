use http::{Response, StatusCode};
use http_precondition::{EntityTag, Field, Problem};
use serde::Serialize;
use version_store::VersionStore;

use super::decide::chief;
use super::guard::BulkGuard;
use super::item::InvalidItems;
use super::items::{Items, Unfit};
use crate::body::RefusalBody;
use crate::refusal::{Reason, Refusal};
use crate::respond::{cut, plain};

/// What the response says about one item.
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

impl<S: VersionStore, W> BulkGuard<S, W> {
    /// The response to a request with refused items. It is logged here.
    pub(super) fn refuse<B: RefusalBody>(
        &self,
        items: &Items<S::Key>,
        refusals: &[Option<Refusal>],
    ) -> Response<B> {
        let responder = &self.guard.config.responder;
        let head = items.head();
        let Some(chief) = chief(refusals) else {
            // This is never called without a refusal; if it were, the request still must not proceed.
            return responder.refuse(head, Refusal::new(Reason::Unkeyed));
        };
        let members: Vec<ItemMember<'_>> =
            refusals.iter().enumerate().map(ItemMember::of).collect();
        let client = responder.client(head);
        tracing::info!(
            method = %head.method(),
            resource = cut(head.instance()),
            status = chief.status().as_u16(),
            reason = chief.reason().as_str(),
            items = refusals.len(),
            refused = refusals.iter().flatten().count(),
            client = client.as_deref(),
            request_id = head.request_id(),
            "refused"
        );
        let members = |problem: Problem| problem.member("items", &members);
        responder.refuse_several(head, chief, &members, client)
    }
}

impl Unfit {
    /// The response. It is not a [`Refusal`]: it says nothing about conditions.
    pub(super) fn response<B: RefusalBody>(&self, most: usize, instance: &str) -> Response<B> {
        match self {
            Self::None => bad_request("The body has no items.", instance),
            Self::TooMany => {
                let title = "Content Too Large";
                let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, title)
                    .detail(&format!("The body has more than {most} items."))
                    .instance(instance);
                plain(problem)
            }
            Self::Twice(one, other) => {
                let detail = format!("The items {one} and {other} name the same resource.");
                bad_request(&detail, instance)
            }
        }
    }
}

impl InvalidItems {
    pub(super) fn response<B: RefusalBody>(&self, instance: &str) -> Response<B> {
        bad_request(&self.0, instance)
    }
}

fn bad_request<B: RefusalBody>(detail: &str, instance: &str) -> Response<B> {
    let problem = Problem::new(StatusCode::BAD_REQUEST, "Bad Request");
    plain(problem.detail(detail).instance(instance))
}
