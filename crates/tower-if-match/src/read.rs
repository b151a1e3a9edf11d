//! Reads: the handler responds first, then the tag is made and the conditions are evaluated.
//!
//! This order is required, because conditions are ignored if the response without them would not be a success
//! (RFC 9110 §13.2.1).

use std::borrow::Cow;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, ETAG, LAST_MODIFIED};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_precondition::{
    Conditions, EntityTag, EntityTagRef, HttpDate, Representation, TagCondition, Validators,
    Verdict, evaluate,
};
use version_store::handover::Mark;
use version_store::{Key, Revision, Version};

use crate::body::RefusalBody;
use crate::config::Config;
use crate::decide::{reason_of, why};
use crate::drop_fields::remove_body_fields;
use crate::refusal::{Reason, Refusal};
use crate::request::{Fields, Head, Kept};
#[cfg(feature = "variant")]
use crate::tag::CodingNamed;
use crate::tag::{CurrentState, has_no_variant, set_tag, variant_of, without_suffix};

/// A read whose handler is running.
pub(crate) struct Reading<K, R> {
    /// Kept only if the request has conditions; without any, the response can only be the handler's.
    kept: Option<Box<(Kept, Conditions)>>,
    key: K,
    /// The version that was read before the handler ran, if you opted in.
    before: Option<Box<Version<R>>>,
}

impl<K: Key, R: Revision> Reading<K, R> {
    pub(crate) fn of(
        config: &Config<K, R>,
        parts: &Parts,
        key: K,
        before: Option<Version<R>>,
    ) -> Self {
        let fields = Fields::of(&parts.headers);
        let conditional = !fields.are_unconditional();
        let kept = conditional.then(|| {
            let conditions = config.conditions(parts, &fields);
            let responder = &config.responder;
            let hooked = responder.is_hooked();
            let taken = hooked.then(|| Box::new(responder.take(parts)));
            let kept = Kept::of(parts, &fields, || conditions.clone(), taken);
            Box::new((kept, conditions))
        });
        Self {
            kept,
            key,
            before: before.map(Box::new),
        }
    }
}

/// Tags the handler's response and evaluates the request's conditions on it.
#[inline]
pub(crate) fn conclude<K: Key, R: Revision, B: RefusalBody>(
    config: &Config<K, R>,
    reading: &Reading<K, R>,
    response: &mut Response<B>,
) {
    let marked = Mark::<R>::take(response);
    if !response.status().is_success() {
        return;
    }
    let (version, variant) = match (&marked, &reading.before) {
        (Some((version, variant)), _) => (Some(version), variant.as_deref()),
        (None, before) => (before.as_deref(), None),
    };
    let fields = response.headers_mut();
    // A handler that does not know the version may know that its body varies, and set a weak tag.
    let own = marked.is_none() && fields.contains_key(ETAG);
    let tagged = version.filter(|_| !own);
    let representation = match (tagged, &reading.kept) {
        (Some(version), None) if variant.is_none() && !fields.contains_key(CONTENT_ENCODING) => {
            // Nobody asks what the validators are, and the state's tag is that of the body.
            set_tag(fields, config.tags.field_value(&reading.key, version));
            set_date(config, fields, version);
            return;
        }
        (Some(version), _) => tag_representation(config, fields, &reading.key, version, variant),
        (None, _) => own_representation(config, fields, &reading.key),
    };
    #[cfg(feature = "variant")]
    CodingNamed::mark(response, tagged.is_some());
    if let Some((kept, conditions)) = reading.kept.as_deref() {
        let state = version.map(|version| CurrentState::new(&config.tags, &reading.key, version));
        evaluate_read(
            config,
            kept.with(conditions),
            state.as_ref(),
            representation,
            response,
        );
    }
}

/// Derives tag and date from the version with which the body was read.
fn tag_representation<K: Key, R: Revision>(
    config: &Config<K, R>,
    fields: &mut HeaderMap,
    key: &K,
    version: &Version<R>,
    variant: Option<&str>,
) -> Representation {
    let coding = coding_of(fields);
    let variant = variant_of(variant, coding.as_deref());
    let entity_tag = config.tags.representation(key, version, variant.as_deref());
    set_tag(fields, entity_tag.as_ref().map(EntityTag::to_header_value));
    Representation {
        entity_tag,
        last_modified: set_date(config, fields, version),
    }
}

/// Sets the date of the version, and returns the one with which conditions are compared.
fn set_date<K: Key, R: Revision>(
    config: &Config<K, R>,
    fields: &mut HeaderMap,
    version: &Version<R>,
) -> Option<HttpDate> {
    let last_modified = version.modified_at().map(HttpDate::from)?;
    // The date in the response must not be later than Date (RFC 9110 §8.8.2.1); conditions are compared with
    // the stored date.
    let served = last_modified.min(config.now());
    fields.insert(LAST_MODIFIED, served.to_header_value());
    Some(last_modified)
}

/// The coding that the handler gave the body. Several field lines are one list (RFC 9110 §5.3).
fn coding_of(fields: &HeaderMap) -> Option<Cow<'_, str>> {
    let mut lines = fields.get_all(CONTENT_ENCODING).iter();
    let text = |line: &HeaderValue| line.to_str().unwrap_or_default().to_owned();
    let first = lines.next()?;
    match lines.next() {
        None => Some(Cow::Borrowed(first.to_str().unwrap_or_default())),
        Some(second) => {
            let all = [first, second].into_iter().chain(lines).map(text);
            Some(Cow::Owned(all.collect::<Vec<_>>().join(", ")))
        }
    }
}

/// The validators that the handler set itself. A strong tag that no write would recognise is removed: a client
/// that sends it back would always be refused.
fn own_representation<K: Key, R: Revision>(
    config: &Config<K, R>,
    fields: &mut HeaderMap,
    key: &K,
) -> Representation {
    let mut entity_tag = fields
        .get(ETAG)
        .and_then(|tag| EntityTag::try_from(tag).ok());
    let several = fields.get_all(ETAG).iter().count() > 1;
    let unrecognised = match &entity_tag {
        _ if several => true,
        Some(tag) => !tag.is_weak() && !config.tags.minted_for(key, tag.as_tag()),
        None => fields.contains_key(ETAG),
    };
    if unrecognised {
        tracing::error!(
            tag = ?fields.get(ETAG),
            "a handler set an entity tag that writes would not recognise, so the layer removed it; \
             return `Versioned`, or mint the tag with the layer's `TagMint`"
        );
        fields.remove(ETAG);
        entity_tag = None;
    }
    let date = fields.get(LAST_MODIFIED).map(HeaderValue::as_bytes);
    let last_modified = date.and_then(|date| HttpDate::parse(date, || config.now()));
    Representation {
        entity_tag,
        last_modified,
    }
}

fn evaluate_read<K: Key, R: Revision, B: RefusalBody>(
    config: &Config<K, R>,
    head: Head<'_>,
    state: Option<&CurrentState<'_, K, R>>,
    representation: Representation,
    response: &mut Response<B>,
) {
    let responder = &config.responder;
    let served = Served(&representation);
    match evaluate(head.method(), head.conditions(), Some(&served), false) {
        Verdict::Proceed(_) | Verdict::Ignored | Verdict::Required => {}
        Verdict::NotModified(_) => {
            not_modified(response);
            if let Some(suffixed) = served.named_with_a_suffix(head.conditions()) {
                response.headers_mut().insert(ETAG, suffixed);
            }
        }
        Verdict::Failed(field) => {
            let reason = match state {
                Some(_) => why(head.conditions(), state, field).0,
                None => Reason::UnknownTag,
            };
            let refusal = Refusal::new(reason).of_field(field);
            let refusal = refusal.with_current_tag(representation.entity_tag);
            *response = responder.refuse(head, refusal);
        }
        Verdict::Refused(field, defect) => {
            let refusal = Refusal::new(reason_of(defect)).of_field(field);
            *response = responder.refuse(head, refusal);
        }
    }
}

/// The representation as seen by a client behind an intermediary that encodes bodies and appends a suffix to
/// their tags: the client holds this representation under the suffixed tag.
struct Served<'a>(&'a Representation);

impl Served<'_> {
    fn is_named(&self, tag: EntityTagRef<'_>) -> bool {
        let own = self.0.entity_tag.as_ref().map(EntityTag::opaque);
        let stripped = without_suffix(tag.opaque());
        // Not after a variant: `pt-br` ends like brotli, but is a different body from `pt`.
        stripped.is_some_and(|stripped| own == Some(stripped) && has_no_variant(stripped))
    }

    /// The tag for the 304, if it is not the representation's own: the one that the client holds, because a cache
    /// uses it to find the stored response to freshen (RFC 9111 §4.3.4).
    fn named_with_a_suffix(&self, conditions: &Conditions) -> Option<HeaderValue> {
        let TagCondition::Tags(tags) = &conditions.if_none_match else {
            return None;
        };
        if tags.iter().any(|tag| self.0.weak_match(tag)) {
            return None;
        }
        let named = tags.iter().find(|tag| self.is_named(*tag))?;
        Some(named.to_owned().to_header_value())
    }
}

impl Validators for Served<'_> {
    fn strong_match(&self, tag: EntityTagRef<'_>) -> bool {
        self.0.strong_match(tag)
    }

    fn weak_match(&self, tag: EntityTagRef<'_>) -> bool {
        self.0.weak_match(tag) || self.is_named(tag)
    }

    fn last_modified(&self) -> Option<HttpDate> {
        self.0.last_modified()
    }
}

/// Turns a success into 304. All fields stay, including Vary, Cache-Control, Content-Location, Expires and Date
/// (RFC 9110 §15.4.5), except those that describe the body, which is dropped.
fn not_modified<B: RefusalBody>(response: &mut Response<B>) {
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let fields = response.headers_mut();
    remove_body_fields(fields);
    // The tag is more precise (RFC 9110 §15.4.5).
    if fields.contains_key(ETAG) {
        fields.remove(LAST_MODIFIED);
    }
    *response.body_mut() = B::from_text(Bytes::new());
}
