//! The plain way to write a document gives the same bytes as the general one.

use http::Request;
use http_precondition::{EntityTag, Field};
use proptest::prelude::*;

use super::*;
use crate::config::Config;
use crate::refusal::{Reason, Refusal};
use crate::request::{Fields, Head};
use crate::respond::texts::Texts;

fn tags() -> impl Strategy<Value = Option<EntityTag>> {
    let octets = prop_oneof![
        "[!#-~]{0,60}".prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..60),
    ];
    (octets, any::<bool>(), any::<bool>()).prop_map(|(opaque, weak, there)| {
        let tag = if weak {
            EntityTag::weak(opaque)
        } else {
            EntityTag::strong(opaque)
        };
        tag.ok().filter(|_| there)
    })
}

/// The plain document, and the general one.
fn both(path: &str, id: Option<&str>, refusal: &Refusal) -> Option<(Option<Bytes>, Bytes)> {
    let mut request = Request::put(path);
    if let Some(id) = id {
        request = request.header("x-request-id", id);
    }
    let (parts, ()) = request.body(()).ok()?.into_parts();
    let config = Config::<u64, u64>::new("posts".into());
    let fields = Fields::of(&parts.headers);
    let conditions = config.conditions(&parts, &fields);
    let head = Head::Whole {
        parts: &parts,
        fields: &fields,
        conditions: &conditions,
        taken: None,
    };
    let texts = Texts::new("https://example.com/problems", "post");
    let members = Members::OfOne(None, 0);
    let draft = Draft::new(&texts, 1, texts.of(refusal), head, refusal, members);
    Some((draft.plain_document(), draft.any_document().into_json()))
}

proptest! {
    #[test]
    fn both_ways_write_the_same(
        path in prop_oneof!["/[a-zA-Z0-9/._~%-]{0,40}", "/[ -~é]{0,40}"],
        id in proptest::option::of("[ -~]{0,20}"),
        tag in tags(),
        reason in prop::sample::select(&Reason::EACH[..]),
        failed in proptest::option::of(prop::sample::select(&[Field::IfMatch, Field::IfNoneMatch][..])),
    ) {
        let mut refusal = Refusal::new(reason).with_current_tag(tag);
        if let Some(field) = failed {
            refusal = refusal.of_field(field);
        }
        if let Some((Some(plain), any)) = both(&path, id.as_deref(), &refusal) {
            prop_assert_eq!(plain, any);
        }
    }
}

#[test]
fn what_would_be_escaped_is_not_plain() {
    let with = |tag: &[u8]| {
        let tag = EntityTag::strong(tag).unwrap();
        Refusal::new(Reason::StaleVersion).with_current_tag(Some(tag))
    };
    let plain = |path: &str, refusal: &Refusal| both(path, None, refusal).unwrap().0.is_some();
    assert!(plain("/posts/7", &with(b"v6")));
    assert!(!plain("/posts/7", &with(b"a\\b")));
    assert!(!plain("/posts/7", &with(b"\xe9")));
    assert!(!plain("/posts/'7'", &with(b"v6")));
}
