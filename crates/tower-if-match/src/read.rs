//! A read's way: the handler answers first, then its tag is made and its conditions are evaluated.
//!
//! Not before, because the conditions play no part where the answer without them would be another
//! than a success (RFC 9110 §13.2.1).

use std::borrow::Cow;

use http::header::{
    CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    LAST_MODIFIED, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_precondition::{
    Conditions, EntityTag, EntityTagRef, HttpDate, Representation, TagCondition, Validators,
    Verdict, evaluate,
};
use version_store::handover::Mark;
use version_store::{Version, VersionStore};

use crate::body::RefusalBody;
use crate::config::Config;
use crate::decide::{reason_of, why};
use crate::refusal::Reason;
use crate::refusal::Refusal;
use crate::request::{Head, Kept};
use crate::tag::{CurrentState, has_no_variant, without_suffix};
use crate::variant::CodingNamed;

/// A read whose handler runs.
pub(crate) struct Reading<S: VersionStore> {
    /// Where the request has conditions; without any its answer can only be the handler's.
    pub(crate) kept: Option<Box<Kept>>,
    pub(crate) key: S::Key,
    /// The version that was read before the handler ran, where the owner asked for that.
    pub(crate) before: Option<Box<Version<S::Revision>>>,
}

impl<S: VersionStore, F, W> Config<S, F, W> {
    /// Tags the handler's answer and evaluates the request's conditions on it.
    pub(crate) fn conclude_read<B: RefusalBody>(
        &self,
        reading: &Reading<S>,
        mut response: Response<B>,
    ) -> Response<B> {
        let marked = Mark::<S::Revision>::take(&mut response);
        if !response.status().is_success() {
            return response;
        }
        let (version, variant) = match (&marked, &reading.before) {
            (Some((version, variant)), _) => (Some(version), variant.as_deref()),
            (None, before) => (before.as_deref(), None),
        };
        let fields = response.headers_mut();
        // A handler that cannot tell the version may know that its body varies, and say so weakly.
        let own = marked.is_none() && fields.contains_key(ETAG);
        let representation = match version.filter(|_| !own) {
            Some(version) => self.tag_representation(fields, &reading.key, version, variant),
            None => self.own_representation(fields, &reading.key),
        };
        CodingNamed::mark(&mut response, version.is_some() && !own);
        match &reading.kept {
            Some(kept) => {
                let state =
                    version.map(|version| CurrentState::new(&self.tags, &reading.key, version));
                self.evaluate_read(kept.head(), state.as_ref(), representation, response)
            }
            None => response,
        }
    }

    /// Makes tag and date of the version that the body was read with.
    fn tag_representation(
        &self,
        fields: &mut HeaderMap,
        key: &S::Key,
        version: &Version<S::Revision>,
        variant: Option<&str>,
    ) -> Representation {
        // An encoded body is not the plain one, and must not share its strong tag.
        let coding = fields
            .get(CONTENT_ENCODING)
            .map(|coding| coding.to_str().unwrap_or_default());
        let variant = match (variant, coding) {
            (Some(variant), Some(coding)) if !names(variant, coding) => {
                Some(Cow::Owned(format!("{}.{coding}", no_coding(variant))))
            }
            (Some(variant), None) => Some(no_coding(variant)),
            (variant, coding) => variant.or(coding).map(Cow::Borrowed),
        };
        let entity_tag = self.tags.representation(key, version, variant.as_deref());
        match &entity_tag {
            Some(tag) => fields.insert(ETAG, tag.to_header_value()),
            None => fields.remove(ETAG),
        };
        let last_modified = version.modified_at().map(HttpDate::from);
        if let Some(date) = last_modified {
            // What is served must not be later than Date (RFC 9110 §8.8.2.1); what conditions are
            // compared with is the stored date.
            let served = date.min(HttpDate::from((self.settings.clock)()));
            fields.insert(LAST_MODIFIED, served.to_header_value());
        }
        Representation {
            entity_tag,
            last_modified,
        }
    }

    /// The validators that the handler set itself. A strong tag that no write would recognise is
    /// removed: a client that sends it back would be refused for ever.
    fn own_representation(&self, fields: &mut HeaderMap, key: &S::Key) -> Representation {
        let mut entity_tag = fields
            .get(ETAG)
            .and_then(|tag| EntityTag::try_from(tag).ok());
        let several = fields.get_all(ETAG).iter().count() > 1;
        let unrecognised = match &entity_tag {
            _ if several => true,
            Some(tag) => !tag.is_weak() && !self.tags.minted_for(key, tag.as_tag()),
            None => fields.contains_key(ETAG),
        };
        if unrecognised {
            tracing::error!(
                tag = ?fields.get(ETAG),
                "a handler set an entity tag that its resource's writes would not recognise; it was \
                 removed. Answer with `Versioned`, or mint the tag with the layer's `TagMint`"
            );
            fields.remove(ETAG);
            entity_tag = None;
        }
        let date = fields.get(LAST_MODIFIED).map(http::HeaderValue::as_bytes);
        let last_modified =
            date.and_then(|date| HttpDate::parse(date, || HttpDate::from((self.settings.clock)())));
        Representation {
            entity_tag,
            last_modified,
        }
    }

    fn evaluate_read<B: RefusalBody>(
        &self,
        head: Head<'_>,
        state: Option<&CurrentState<'_, S>>,
        representation: Representation,
        response: Response<B>,
    ) -> Response<B> {
        let served = Served(&representation);
        match evaluate(head.method(), head.conditions(), Some(&served), false) {
            Verdict::Proceed(_) | Verdict::Ignored | Verdict::Required => response,
            Verdict::NotModified(_) => {
                let mut response = not_modified(response);
                if let Some(suffixed) = served.named_with_a_suffix(head.conditions()) {
                    response.headers_mut().insert(ETAG, suffixed);
                }
                response
            }
            Verdict::Failed(field) => {
                let reason = match state {
                    Some(_) => why(head.conditions(), state, field).0,
                    None => Reason::UnknownTag,
                };
                let refusal = Refusal::new(reason).of_field(field);
                self.refuse(
                    head,
                    refusal.with_current_tag(representation.entity_tag),
                    None,
                )
            }
            Verdict::Refused(field, defect) => {
                self.refuse(head, Refusal::new(reason_of(defect)).of_field(field), None)
            }
        }
    }
}

/// What would be sent, as a client knows it that is behind an intermediary which encodes bodies and puts a
/// suffix behind their tags: it holds this representation, and the tag that it got for it.
struct Served<'a>(&'a Representation);

impl Served<'_> {
    fn is_named(&self, tag: EntityTagRef<'_>) -> bool {
        let own = self.0.entity_tag.as_ref().map(EntityTag::opaque);
        let stripped = without_suffix(tag.opaque());
        // Not behind a variant: `pt-br` ends like brotli, and is another body than `pt`.
        stripped.is_some_and(|stripped| own == Some(stripped) && has_no_variant(stripped))
    }

    /// The tag to answer 304 with where it is not the representation's own: the one that the client
    /// holds, which is how a cache finds what it is to freshen (RFC 9111 §4.3.4).
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

/// A variant that ends as a coding is called, `br` for Breton, kept apart from the variant that the plain body
/// gets when it is encoded.
fn no_coding(variant: &str) -> Cow<'_, str> {
    const CODINGS: [&str; 8] = [
        "br", "compress", "dcb", "dcz", "deflate", "gzip", "x-gzip", "zstd",
    ];
    let last = variant.rsplit('.').next().unwrap_or_default();
    if CODINGS
        .iter()
        .any(|coding| coding.eq_ignore_ascii_case(last))
    {
        Cow::Owned(format!("{variant}_"))
    } else {
        Cow::Borrowed(variant)
    }
}

/// Whether a variant that the handler named tells the coding already.
fn names(variant: &str, coding: &str) -> bool {
    variant.split('.').any(|part| part == coding)
}

/// Turns a success into 304: all fields stay, Vary, Cache-Control, Content-Location, Expires and
/// Date among them (RFC 9110 §15.4.5), but for those that describe the content, which is left out.
fn not_modified<B: RefusalBody>(response: Response<B>) -> Response<B> {
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    remove_content_fields(&mut parts.headers);
    // The tag says it better (RFC 9110 §15.4.5).
    if parts.headers.contains_key(ETAG) {
        parts.headers.remove(LAST_MODIFIED);
    }
    Response::from_parts(parts, B::from_text(bytes::Bytes::new()))
}

pub(crate) fn remove_content_fields(fields: &mut HeaderMap) {
    const OF_THE_CONTENT: [HeaderName; 6] = [
        CONTENT_ENCODING,
        CONTENT_LANGUAGE,
        CONTENT_LENGTH,
        CONTENT_RANGE,
        CONTENT_TYPE,
        TRANSFER_ENCODING,
    ];
    for name in OF_THE_CONTENT {
        fields.remove(name);
    }
}
