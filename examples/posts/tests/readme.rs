//! The session in the README, played as it is printed: what comes back is compared with what stands
//! there, with times, request ids and tags masked, the same tag always by the same mask. Where a command
//! sends a tag that was printed before, it sends the one that really came.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by panicking")]

use std::process::Command;

use wire::Server;

const README: &str = include_str!("../../../README.md");
const PRINTED: &str = "127.0.0.1:3000";

/// A command and what is printed under it.
struct Step {
    command: String,
    printed: String,
}

/// The steps of the README's terminal sessions, in order.
fn steps() -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    let mut continued = false;
    for line in README.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ if continued => {
                let step = steps.last_mut().unwrap();
                step.command.push('\n');
                step.command.push_str(line);
                continued = line.ends_with('\\');
            }
            _ => {
                if let Some(command) = line.strip_prefix("$ ") {
                    steps.push(Step {
                        command: command.to_owned(),
                        printed: String::new(),
                    });
                    continued = command.ends_with('\\');
                } else {
                    let step = steps.last_mut().unwrap();
                    step.printed.push_str(line);
                    step.printed.push('\n');
                }
            }
        }
    }
    steps
}

/// What is masked behind these words, up to this character.
const MASKED: [(&str, char); 3] = [
    ("\"request_id\":\"", '"'),
    ("\nx-request-id: ", '\n'),
    ("\ndate: ", '\n'),
];

/// Masks of one session.
#[derive(Default)]
struct Masks {
    tags: Vec<String>,
}

impl Masks {
    fn mask(&mut self, text: &str) -> String {
        let mut masked = String::new();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if let Some(length) = tag_length(rest) {
                let tag = &rest[..length];
                let known = self.tags.iter().position(|known| known == tag);
                let number = known.unwrap_or_else(|| {
                    self.tags.push(tag.to_owned());
                    self.tags.len() - 1
                });
                masked.push_str("TAG");
                masked.push_str(&number.to_string());
                rest = &rest[length..];
            } else if let Some(length) = time_length(rest) {
                masked.push_str("TIME");
                rest = &rest[length..];
            } else if let Some((label, end)) =
                MASKED.iter().find(|(label, _)| rest.starts_with(label))
            {
                masked.push_str(label);
                masked.push_str("MASKED");
                rest = &rest[label.len()..];
                rest = &rest[rest.find(*end).unwrap()..];
            } else {
                masked.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
        masked
    }
}

/// Of `v6-9f1c2ab04d77e310`, where the text begins so.
fn tag_length(text: &str) -> Option<usize> {
    let digits = text.strip_prefix('v')?.split('-').next()?.len();
    let state = text.get(digits + 2..digits + 18)?;
    let revision = &text[1..=digits];
    let valid = digits > 0
        && revision.bytes().all(|byte| byte.is_ascii_digit())
        && state.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then_some(digits + 18)
}

/// Of `2026-11-20T09:31:00Z`, where the text begins so.
fn time_length(text: &str) -> Option<usize> {
    const FORM: &str = "0000-00-00T00:00:00Z";
    let time = text.get(..FORM.len())?;
    let fits = time.bytes().zip(FORM.bytes()).all(|(byte, form)| {
        if form == b'0' {
            byte.is_ascii_digit()
        } else {
            byte == form
        }
    });
    fits.then_some(FORM.len())
}

#[tokio::test]
async fn the_session_in_the_readme_is_what_happens() {
    let mut steps = steps().into_iter();
    let serve = steps.next().unwrap();
    assert_eq!(serve.command, "cargo run -p posts");
    assert_eq!(serve.printed, format!("listening on http://{PRINTED}\n"));

    // The default store is a file in the working directory.
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_posts"));
    command
        .args(["--listen", "127.0.0.1:0"])
        .current_dir(folder.path());
    let server = Server::spawn(command).await.unwrap();
    let addr = server.addr().to_string();

    let (mut expected, mut actual) = (Masks::default(), Masks::default());
    let mut statuses = Vec::new();
    for step in steps {
        if step.command == "cargo test --workspace" {
            continue;
        }
        assert!(step.command.starts_with("curl "), "{}", step.command);
        let mut command = step.command.replace(PRINTED, &addr);
        for (printed, came) in expected.tags.iter().zip(&actual.tags) {
            command = command.replace(printed, came);
        }
        let output = Command::new("sh").args(["-c", &command]).output().unwrap();
        assert!(output.status.success(), "{command}: {output:?}");
        let printed = String::from_utf8(output.stdout).unwrap().replace('\r', "");
        let printed = printed.replace(&addr, PRINTED) + "\n";
        assert_eq!(
            actual.mask(&printed),
            expected.mask(&step.printed),
            "{command}"
        );
        statuses.push(printed["HTTP/1.1 ".len()..][..3].to_owned());
    }
    assert_eq!(statuses, ["428", "201", "200", "412"]);
    for came in &actual.tags {
        assert!(
            !expected.tags.contains(came),
            "a new file repeats {came} of another"
        );
    }
    assert!(folder.path().join("posts.db").exists());
}

/// What the README shows as code is cut out of the example that it names.
#[test]
fn the_code_in_the_readme_is_the_examples() {
    let trimmed = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    let hello = include_str!("../../hello/src/main.rs");
    let mut shown = 0;
    for block in README.split("```rust\n").skip(1) {
        let (code, _) = block.split_once("```").unwrap();
        for part in code.split("\n\n") {
            assert!(trimmed(hello).contains(&trimmed(part)), "{part}");
        }
        shown += 1;
    }
    assert_eq!(shown, 2);
    assert!(hello.lines().count() <= 60);
}

/// The masks mask no more than they should.
#[test]
fn a_difference_is_seen_behind_the_masks() {
    let masked = |text: &str| Masks::default().mask(text);
    let text = r#"{"a":"v6-9f1c2ab04d77e310","at":"2026-11-20T09:31:00Z","request_id":"x"}"#;
    assert_eq!(
        masked(text),
        r#"{"a":"TAG0","at":"TIME","request_id":"MASKED"}"#
    );
    assert_ne!(
        masked("v1-9f1c2ab04d77e310 v1-9f1c2ab04d77e310"),
        masked("v1-9f1c2ab04d77e310 v2-9f1c2ab04d77e310")
    );
    assert_eq!(
        masked("v1-short very-9f1c2ab04d77e310"),
        "v1-short very-9f1c2ab04d77e310"
    );
}
