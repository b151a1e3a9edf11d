//! Terminal sessions in the guide: ```` ```console ```` blocks whose commands begin with `$`.
//!
//! They are played on an app, and what comes back is compared with what stands in the chapter, with
//! dates, request ids and tags masked, the same tag always by the same mask. Where a command sends a
//! tag that was printed before, it sends the one that really came. With `UPDATE=1` in the environment
//! the chapter is written anew instead; in a command, `TAG0` is then the first tag that was printed.

use std::fmt::Write as _;
use std::path::Path;

use axum::Router;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::book;

/// Where the chapters say that the service listens.
const PRINTED: &str = "127.0.0.1:3000";

/// Plays the session under one heading of a chapter, or the whole chapter's: `clients.md#a-loop`. True,
/// so that a chapter's program can go on otherwise when it is not a test.
///
/// # Panics
///
/// Where something else comes back than stands there, or there is no session.
pub async fn plays(app: &Router, place: &str) -> bool {
    let (file, anchor) = place.split_once('#').unwrap_or((place, ""));
    let text = book::read(file);
    let steps = steps(book::section(&text, anchor));
    assert!(!steps.is_empty(), "no session in {place}");
    let address = serve(app.clone()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let update = std::env::var_os("UPDATE").is_some();

    let (mut expected, mut actual) = (Masks::default(), Masks::default());
    let mut rewritten = text.clone();
    for step in steps {
        let mut shown = step.command.clone();
        let mut command = step.command.replace(PRINTED, &address);
        for (number, came) in actual.tags.iter().enumerate() {
            let printed = expected.tags.get(number).unwrap_or(came);
            let placeholder = format!("TAG{number}");
            shown = shown.replace(&placeholder, printed);
            command = command.replace(&placeholder, came).replace(printed, came);
        }
        let came = run(&command, folder.path())
            .await
            .replace(&address, PRINTED);
        let same = actual.mask(&came) == expected.mask(&step.printed);
        if update && !(same && shown == step.command) {
            let before = format!("$ {}\n{}", step.command, step.printed);
            let after = format!("$ {shown}\n{}", actual.as_printed(&expected, came));
            assert!(rewritten.contains(&before), "{before}");
            rewritten = rewritten.replacen(&before, &after, 1);
        } else {
            assert!(same, "{command}\nprints\n{came}\nand not\n{}", step.printed);
        }
    }
    if update {
        book::write(file, &rewritten);
    }
    true
}

/// Serves this app on a port that is free, until the test's runtime ends.
pub(crate) async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// What a command prints, with one newline at its end.
async fn run(command: &str, folder: &Path) -> String {
    let mut shell = Command::new("sh");
    shell.args(["-c", command]).current_dir(folder);
    let output = shell.output().await.expect("a shell");
    assert!(output.status.success(), "{command}: {output:?}");
    let printed = String::from_utf8(output.stdout).expect("text");
    let mut printed = printed.replace('\r', "").trim_end().to_owned();
    if !printed.is_empty() {
        printed.push('\n');
    }
    printed
}

/// A command and what is printed under it.
#[derive(Debug, PartialEq)]
struct Step {
    command: String,
    printed: String,
}

fn steps(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut inside = false;
    let mut continued = false;
    for line in text.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ if continued => {
                let step = steps.last_mut().expect("a command is continued");
                let _ = write!(step.command, "\n{line}");
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
                    let step = steps.last_mut().expect("a session begins with a command");
                    let _ = writeln!(step.printed, "{line}");
                }
            }
        }
    }
    steps
}

/// What is masked behind these words, up to this character.
const MASKED: [(&str, char); 4] = [
    ("\"request_id\":\"", '"'),
    ("\nx-request-id: ", '\n'),
    ("\ndate: ", '\n'),
    ("\nlast-modified: ", '\n'),
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
                let (tag, behind) = rest.split_at(length);
                let known = self.tags.iter().position(|known| known == tag);
                let number = known.unwrap_or_else(|| {
                    self.tags.push(tag.to_owned());
                    self.tags.len() - 1
                });
                let _ = write!(masked, "TAG{number}");
                rest = behind;
            } else if let Some(length) = time_length(rest) {
                masked.push_str("TIME");
                rest = &rest[length..];
            } else if let Some((label, end)) =
                MASKED.iter().find(|(label, _)| rest.starts_with(label))
            {
                let _ = write!(masked, "{label}MASKED");
                rest = &rest[label.len()..];
                rest = &rest[rest.find(*end).unwrap_or(rest.len())..];
            } else {
                masked.push(character);
                rest = &rest[character.len_utf8()..];
            }
        }
        masked
    }
}

impl Masks {
    /// The text with the tags that stand in the chapter, where it has them already.
    fn as_printed(&self, chapter: &Self, text: String) -> String {
        let known = self.tags.iter().zip(&chapter.tags);
        known.fold(text, |text, (came, printed)| text.replace(came, printed))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_seen_behind_the_masks() {
        let masked = |text: &str| Masks::default().mask(text);
        let text = r#"{"a":"v6-9f1c2ab04d77e310","at":"2026-11-20T09:31:00Z"}"#;
        assert_eq!(masked(text), r#"{"a":"TAG0","at":"TIME"}"#);
        assert_ne!(
            masked("v1-9f1c2ab04d77e310 v1-9f1c2ab04d77e310"),
            masked("v1-9f1c2ab04d77e310 v2-9f1c2ab04d77e310")
        );
        assert_eq!(masked("v1-short"), "v1-short");
    }

    #[test]
    fn commands_are_told_from_what_they_print() {
        let text = "```console\n$ one \\\n    two\nprinted\n$ three\n```\n$ no\n";
        let step = |command: &str, printed: &str| Step {
            command: command.to_owned(),
            printed: printed.to_owned(),
        };
        assert_eq!(
            steps(text),
            [step("one \\\n    two", "printed\n"), step("three", "")]
        );
    }

    /// The negative control: an app that answers otherwise is found out.
    #[tokio::test]
    #[should_panic(expected = "404 Not Found")]
    async fn another_app_does_not_play_the_session() {
        plays(&Router::new(), "five-minutes.md").await;
    }

    #[tokio::test]
    #[should_panic(expected = "no session")]
    async fn a_chapter_without_a_session_fails() {
        plays(&Router::new(), "cost.md").await;
    }
}
