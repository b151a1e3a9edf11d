//! Tags are minted twice: here, and by a second program that was written from the documentation of their format.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tower_if_match::{Key, PUBLIC_TAG_KEY, TagKey, TagMint, Version};

/// What the second program is asked, and what this crate mints.
struct Pair {
    asked: String,
    minted: String,
}

fn pair(
    tag_key: TagKey,
    scope: &str,
    (key, named): (&impl Key, &str),
    incarnation: u64,
    revision: &str,
) -> Pair {
    let tags = TagMint::<_, String>::with_keys(scope, [tag_key]);
    let version = Version::new(revision.to_owned()).with_incarnation(incarnation);
    let (high, low) = tag_key.split_at(16);
    let [high, low] = [high, low].map(|half| half.try_into().map_or(0, u128::from_be_bytes));
    Pair {
        asked: format!("{high:032x}{low:032x} {scope} {named} {incarnation} {revision}"),
        minted: tags
            .tag(key, &version)
            .expect("a revision with a text")
            .to_string(),
    }
}

fn many() -> Vec<Pair> {
    let mut runner = TestRunner::deterministic();
    let any = (
        any::<TagKey>(),
        "[a-z]{1,200}",
        any::<(i64, u64)>(),
        "[a-zé]{1,9}",
        any::<u64>(),
        "[A-Za-z0-9_]{1,64}",
    );
    let mut pairs = Vec::new();
    for _ in 0..500 {
        let drawn = any.new_tree(&mut runner).expect("no filter").current();
        let (own_key, scope, (signed, unsigned), text, incarnation, revision) = drawn;
        for tag_key in [own_key, PUBLIC_TAG_KEY] {
            let mut add = |pair: Pair| pairs.push(pair);
            let of = (&signed, &*format!("i:{signed}"));
            add(pair(tag_key, &scope, of, incarnation, &revision));
            let of = (&unsigned, &*format!("u:{unsigned}"));
            add(pair(tag_key, &scope, of, incarnation, &revision));
            let named = format!("s:{text},u:{unsigned}");
            let of = (&(text.clone(), unsigned), &*named);
            add(pair(tag_key, &scope, of, incarnation, &revision));
        }
    }
    pairs
}

#[test]
fn a_second_program_mints_the_same_tags() {
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden_tags.py");
    let spawned = Command::new("python3")
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut second = match spawned {
        Ok(second) => second,
        Err(error) if std::env::var_os("REQUIRE_SERVICES").is_none() => {
            eprintln!("SKIPPED: python3 does not run here: {error}");
            return;
        }
        Err(error) => panic!("python3: {error}"),
    };
    let pairs = many();
    let asked: Vec<_> = pairs.iter().map(|pair| &*pair.asked).collect();
    let mut stdin = second.stdin.take().unwrap();
    let questions = asked.join("\n");
    let writer = std::thread::spawn(move || stdin.write_all(questions.as_bytes()));
    let output = second.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    let answers = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answers.lines().count(), pairs.len());
    for (pair, answer) in pairs.iter().zip(answers.lines()) {
        assert_eq!(pair.minted, answer, "{}", pair.asked);
    }
}
