use http_precondition::{EntityTag, EntityTagRef, Validators};
use version_store::{Revision, RevisionText, Version};

use super::*;

fn mint() -> TagMint<u64> {
    TagMint::new("posts")
}

fn version(revision: u64) -> Version {
    Version::new(revision).with_incarnation(3)
}

fn text(tag: Option<EntityTag>) -> String {
    tag.unwrap().to_string()
}

/// The format is a stable promise: clients hold tags across deployments. If this test fails, every
/// tag in the hands of a client becomes unknown. The values are those of `tests/golden_tags.py`.
#[test]
fn golden() {
    let tags = mint();
    assert_eq!(text(tags.tag(&77, &version(6))), "\"v6-d107249bda6561fc\"");
    assert_eq!(
        text(tags.tag(&77, &Version::new(0))),
        "\"v0-5ac67ecf2e44619b\""
    );
    assert_eq!(
        text(tags.tag(&u64::MAX, &version(u64::MAX))),
        "\"v18446744073709551615-c9fd5f647803d85b\""
    );
    assert_eq!(
        text(tags.representation(&77, &version(6), Some("gzip"))),
        "\"v6-d107249bda6561fc.gzip\""
    );
    let own_key = TagMint::<u64>::with_keys("posts", [[7; 32]]);
    assert_eq!(
        text(own_key.tag(&77, &version(6))),
        "\"v6-aead7aa0a4b561b5\""
    );
    let composite = TagMint::<(String, u64)>::new("comments");
    let tag = composite.tag(&("ada".to_owned(), 5), &version(6));
    assert_eq!(text(tag), "\"v6-55df99eba0c9d7ef\"");
}

#[test]
fn scope_key_life_and_revision_each_make_another_tag() {
    let tags = mint();
    let tag = tags.tag(&77, &version(6));
    assert_eq!(tags.tag(&77, &version(6)), tag);
    assert_ne!(TagMint::<u64>::new("comments").tag(&77, &version(6)), tag);
    assert_ne!(tags.tag(&78, &version(6)), tag);
    assert_ne!(tags.tag(&77, &version(6).with_incarnation(4)), tag);
    assert_ne!(tags.tag(&77, &version(7)), tag);
}

fn matches(current: u64, presented: &str) -> bool {
    let tags = mint();
    let current = version(current);
    let presented = EntityTag::parse(presented.as_bytes()).unwrap();
    CurrentState::new(&tags, &77, &current).strong_match(presented.as_tag())
}

#[test]
fn a_write_compares_state_so_any_representation_of_it_matches() {
    let state = text(mint().tag(&77, &version(6)));
    let opaque = state.trim_matches('"');
    for fitting in [
        "", ".gzip", ".fr.br", ".en-GB", ".fr_FR", ".fr-gzip", ".fr;gzip", "-gzip", "--gzip",
        "-br", "-zstd", "-deflate", ";gzip", ";br", ";zstd", ";deflate", "+gzip",
    ] {
        assert!(matches(6, &format!("\"{opaque}{fitting}\"")), "{fitting}");
    }
    for other in [
        "x",
        "-",
        ".",
        ";",
        "-gzipx",
        "gzip",
        "-identity",
        " gzip",
        ".fr;x",
        "0",
        "-gzip-gzip",
    ] {
        if let Ok(tag) = EntityTag::parse(format!("\"{opaque}{other}\"").as_bytes()) {
            assert!(!matches(6, &tag.to_string()), "{other}");
        }
    }
    assert!(!matches(6, &format!("W/{state}")));
    assert!(!matches(7, &state));
}

#[test]
fn after_a_change_of_keys_the_old_tags_still_match() {
    let old = TagMint::<u64>::with_keys("posts", [[1; 32]]);
    let new = TagMint::<u64>::with_keys("posts", [[2; 32], [1; 32]]);
    let withdrawn = TagMint::<u64>::with_keys("posts", [[2; 32]]);
    let tag = old.tag(&77, &version(6)).unwrap();
    let current = version(6);
    assert!(CurrentState::new(&new, &77, &current).strong_match(tag.as_tag()));
    assert_ne!(
        new.tag(&77, &current),
        Some(tag.clone()),
        "minted with the first key"
    );
    assert!(!CurrentState::new(&withdrawn, &77, &current).strong_match(tag.as_tag()));
}

/// The check of eight bits is right by chance once in 256 times: with another key than the one that a
/// tag was minted with, too.
#[test]
fn a_stale_tag_of_an_old_key_is_never_called_foreign() {
    let old = TagMint::<u64>::with_keys("posts", [[1; 32]]);
    let new = TagMint::<u64>::with_keys("posts", [[2; 32], [1; 32]]);
    let current = version(2000);
    let state = CurrentState::new(&new, &77, &current);
    for revision in 0..2000 {
        let stale = old.tag(&77, &version(revision)).unwrap();
        assert_eq!(
            state.recognise(stale.as_tag()),
            Recognised::Stale(Some(revision))
        );
    }
}

fn recognised(presented: &EntityTag) -> Recognised<u64> {
    let tags = mint();
    let current = version(6);
    CurrentState::new(&tags, &77, &current).recognise(presented.as_tag())
}

#[test]
fn why_a_tag_does_not_match_is_told_apart() {
    let tags = mint();
    let weak = |tag: EntityTag| EntityTag::weak(tag.opaque()).unwrap();
    let stale = tags.tag(&77, &version(5)).unwrap();
    let current = tags.tag(&77, &version(6)).unwrap();
    assert_eq!(recognised(&stale), Recognised::Stale(Some(5)));
    assert_eq!(recognised(&weak(stale)), Recognised::Stale(Some(5)));
    assert_eq!(recognised(&weak(current.clone())), Recognised::Weakened);
    let earlier = tags.tag(&77, &version(6).with_incarnation(2)).unwrap();
    assert_eq!(recognised(&earlier), Recognised::EarlierIncarnation);
    assert_eq!(
        recognised(&tags.tag(&78, &version(6)).unwrap()),
        Recognised::Foreign
    );
    let other_scope = TagMint::<u64>::new("comments")
        .tag(&77, &version(6))
        .unwrap();
    assert_eq!(recognised(&other_scope), Recognised::Foreign);

    let opaque = String::from_utf8(current.opaque().to_vec()).unwrap();
    let changed = |text: String| recognised(&EntityTag::strong(text).unwrap());
    assert_eq!(changed(format!("{opaque}-identity")), Recognised::Mangled);
    assert_eq!(changed(format!("{opaque}abc")), Recognised::Mangled);
    for invented in [
        "v1",
        "6",
        "",
        "v6-",
        "v6-0123456789abcdef",
        "v-0123456789abcdef",
        "abc",
    ] {
        assert_eq!(
            changed(invented.to_owned()),
            Recognised::Unknown,
            "{invented}"
        );
    }
}

#[test]
fn a_tag_that_a_handler_set_is_known_by_the_resource_that_it_is_of() {
    let tags = mint();
    let of = |tag: Option<EntityTag>| tags.minted_for(&77, tag.unwrap().as_tag());
    assert!(of(tags.tag(&77, &version(6))));
    assert!(of(tags.representation(&77, &version(6), Some("fr"))));
    assert!(!of(tags.tag(&78, &version(6))));
    assert!(!tags.minted_for(&77, EntityTagRef::parse(b"\"abc\"").unwrap()));

    let old = TagMint::<u64>::with_keys("posts", [[1; 32]]);
    let new = TagMint::<u64>::with_keys("posts", [[2; 32], [1; 32]]);
    let by_the_old_key = old.tag(&77, &version(6)).unwrap();
    assert!(new.minted_for(&77, by_the_old_key.as_tag()));

    let opaque = String::from_utf8(tags.tag(&77, &version(6)).unwrap().opaque().to_vec()).unwrap();
    let (before_check, check) = opaque.split_at(opaque.len() - 2);
    assert_ne!(check, "00");
    for changed in [format!("{opaque}x"), format!("{before_check}00")] {
        let changed = EntityTag::strong(&changed).unwrap();
        assert!(!tags.minted_for(&77, changed.as_tag()), "{changed}");
    }
}

/// What a text can hold at most is recognised as what is shorter is.
#[test]
fn a_revision_of_64_octets_is_recognised() {
    let tags: TagMint<u64, String> = TagMint::new("texts");
    let stale = "_".repeat(64);
    let tag = tags.tag(&1, &Version::new(stale.clone())).unwrap();
    let current = Version::new("current".to_owned());
    let state = CurrentState::new(&tags, &1, &current);
    assert_eq!(
        state.recognise(tag.as_tag()),
        Recognised::Stale(Some(stale))
    );
}

/// Whatever its check: one in 256 is right by chance, and none of these was ever minted.
#[test]
fn what_has_not_the_form_of_a_tag_is_unknown() {
    let zeros = "0".repeat(14);
    for before_check in [
        format!("v6-g{}", &zeros[1..]),
        format!("v6-A{}", &zeros[1..]),
        format!("v6-{}", &zeros[1..]),
        format!("v-{zeros}"),
        format!("v{}-{zeros}", "6".repeat(65)),
    ] {
        for check in 0..=u8::MAX {
            let invented = EntityTag::strong(format!("{before_check}{check:02x}")).unwrap();
            assert_eq!(recognised(&invented), Recognised::Unknown, "{invented}");
        }
    }
}

#[test]
fn what_has_no_text_has_no_tag() {
    let tags: TagMint<u64, String> = TagMint::new("texts");
    assert!(tags.tag(&1, &Version::new("ok_1".to_owned())).is_some());
    for unfit in ["", "a-b", "a.b", "é", &"x".repeat(65)] {
        assert!(
            tags.tag(&1, &Version::new(unfit.to_owned())).is_none(),
            "{unfit}"
        );
    }
}

/// Only the text that a revision writes is read as one.
#[test]
fn a_number_has_one_spelling() {
    for (text, revision) in [("0", Some(0)), ("7", Some(7)), ("10", Some(10))] {
        assert_eq!(u64::from_text(text), revision);
        assert_eq!(i64::from_text(text), revision.map(u64::cast_signed));
    }
    for unfit in ["", "00", "07", "+7", "-7", "7_", "18446744073709551616"] {
        assert_eq!(u64::from_text(unfit), None, "{unfit}");
    }
    assert_eq!(i64::from_text("9223372036854775808"), None);
    let text = |revision: &dyn Fn(&mut RevisionText)| {
        let mut text = RevisionText::default();
        revision(&mut text);
        text.as_str().map(str::to_owned)
    };
    assert_eq!(text(&|to| (-7_i64).write_text(to)), None);
    assert_eq!(text(&|to| 7_i64.write_text(to)).as_deref(), Some("7"));
    let most = u128::MAX.to_string();
    assert_eq!(text(&|to| u128::MAX.write_text(to)), Some(most));
}

#[test]
fn one_unfit_part_makes_a_text_unfit_whatever_follows() {
    let text = |parts: &[&str]| {
        let mut text = RevisionText::default();
        for part in parts {
            text.push_str(part);
        }
        text.push_decimal(7_u8);
        text.as_str().map(str::to_owned)
    };
    assert_eq!(text(&["a", "b_"]).as_deref(), Some("ab_7"));
    assert_eq!(text(&["a-", "b"]), None);
    assert_eq!(text(&[&"x".repeat(64)]), None);
    assert_eq!(text(&[&"x".repeat(65), "y"]), None);
}

#[test]
fn an_unfit_variant_makes_the_tag_weak() {
    let tags = mint();
    for fit in ["a", "a.b-c_D", &"x".repeat(64)] {
        let tag = tags.representation(&77, &version(6), Some(fit)).unwrap();
        assert!(!tag.is_weak(), "{fit}");
    }
    for unfit in ["", "a b", "a\"b", &"x".repeat(65)] {
        assert!(
            tags.representation(&77, &version(6), Some(unfit))
                .unwrap()
                .is_weak()
        );
    }
    let own = version(6).with_own_tag(EntityTag::strong("own").unwrap());
    assert!(!tags.tag(&77, &own).unwrap().is_weak());
    assert!(
        tags.representation(&77, &own, Some("fr"))
            .unwrap()
            .is_weak()
    );
}
