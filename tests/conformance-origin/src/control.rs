//! The body of `PUT /_control/NAME`:
//!
//! ```json
//! {"resource": {"exists": true, "etag": "\"v1\"", "last_modified": null},
//!  "last_modified_nanos": 0, "missing_creates": null, "inner": null, "inner_phase": null, "clock": null}
//! ```
//!
//! All but `resource` may be missing, and members that are not known are ignored, so that a client
//! can send a whole vector. One character U+0000 to U+00FF of a string is one byte.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde::Deserialize;
use tower_if_match::Version;
use tower_if_match::http_precondition::{EntityTag, HttpDate};

use crate::date;
use crate::resource::{Inner, Phase, Script};

#[derive(Deserialize)]
struct Message {
    resource: Current,
    last_modified_nanos: Option<u32>,
    missing_creates: Option<bool>,
    inner: Option<u16>,
    inner_phase: Option<Phase>,
    clock: Option<String>,
}

#[derive(Deserialize)]
struct Current {
    exists: bool,
    etag: Option<String>,
    last_modified: Option<String>,
}

/// Why a message sets no state.
#[derive(Debug)]
pub(crate) enum Malformed {
    Json(serde_json::Error),
    NotBytes(&'static str),
    EntityTag,
    LastModified,
    Nanos,
    Inner,
    Clock,
}

/// Reads a message.
pub(crate) fn script(content: &[u8]) -> Result<Script, Malformed> {
    let message: Message = serde_json::from_slice(content).map_err(Malformed::Json)?;
    let clock = message.clock.as_deref().map(clock).transpose()?;
    let current = version(&message, clock)?;
    Ok(Script {
        version: message.resource.exists.then_some(current),
        missing_creates: message.missing_creates,
        inner: message
            .inner
            .map(|status| inner(status, message.inner_phase))
            .transpose()?,
        clock,
    })
}

fn version(message: &Message, clock: Option<SystemTime>) -> Result<Version, Malformed> {
    // Nothing is ever written, so one revision is enough.
    let version = Version::new(1);
    let version = match &message.resource.etag {
        Some(tag) => {
            let tag = bytes(tag).ok_or(Malformed::NotBytes("etag"))?;
            version.with_own_tag(EntityTag::parse(&tag).map_err(|_| Malformed::EntityTag)?)
        }
        None => version.without_tag(),
    };
    let Some(date) = &message.resource.last_modified else {
        return Ok(version);
    };
    let date = bytes(date).ok_or(Malformed::NotBytes("last_modified"))?;
    let now = || HttpDate::from(clock.unwrap_or_else(SystemTime::now));
    let date = HttpDate::parse(&date, now).and_then(HttpDate::to_system_time);
    let nanos = message.last_modified_nanos.unwrap_or(0);
    if nanos >= 1_000_000_000 {
        return Err(Malformed::Nanos);
    }
    let at = date.and_then(|date| date.checked_add(Duration::from_nanos(nanos.into())));
    Ok(version.with_modified_at(at.ok_or(Malformed::LastModified)?))
}

fn inner(status: u16, phase: Option<Phase>) -> Result<Inner, Malformed> {
    // An interim status is no answer.
    let last = StatusCode::from_u16(status)
        .ok()
        .filter(|status| !status.is_informational());
    Ok(Inner {
        status: last.ok_or(Malformed::Inner)?,
        phase: phase.unwrap_or_default(),
    })
}

fn clock(text: &str) -> Result<SystemTime, Malformed> {
    date::rfc3339(text)
        .and_then(HttpDate::to_system_time)
        .ok_or(Malformed::Clock)
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    text.chars()
        .map(|character| u8::try_from(character).ok())
        .collect()
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "the content is no state: {error}"),
            Self::NotBytes(member) => {
                write!(
                    f,
                    "`{member}` has a character above U+00FF, which is no byte"
                )
            }
            Self::EntityTag => f.write_str("`etag` is no entity tag, such as \"v1\" or W/\"v1\""),
            Self::LastModified => f.write_str("`last_modified` is no date of RFC 9110 §5.6.7"),
            Self::Nanos => f.write_str("`last_modified_nanos` is not below 1000000000"),
            Self::Inner => f.write_str("`inner` is no final status"),
            Self::Clock => f.write_str("`clock` is not of the form 2026-08-22T00:00:00Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use tower_if_match::version_store::Tagging;

    use super::*;

    fn read(content: &str) -> Result<Script, Malformed> {
        script(content.as_bytes())
    }

    #[test]
    fn one_character_is_one_byte() {
        let script = read(r#"{"resource": {"exists": true, "etag": "\"\u0080\u00e9\""}}"#).unwrap();
        let version = script.version.unwrap();
        let Tagging::Own(tag) = version.tagging() else {
            panic!("{version:?}")
        };
        assert_eq!(tag.as_bytes(), b"\"\x80\xe9\"");
        let error = read(r#"{"resource": {"exists": true, "etag": "\"\u0100\""}}"#).unwrap_err();
        assert!(matches!(error, Malformed::NotBytes("etag")), "{error}");
    }

    #[test]
    fn a_date_has_its_part_of_a_second() {
        let script = read(
            r#"{"resource": {"exists": true, "etag": null,
                "last_modified": "Sun, 06 Nov 1994 08:49:37 GMT"}, "last_modified_nanos": 999000000}"#,
        )
        .unwrap();
        let version = script.version.unwrap();
        assert_eq!(version.tagging(), &Tagging::Untagged);
        let since = version
            .modified_at()
            .unwrap()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        assert_eq!(since, Duration::new(784_111_777, 999_000_000));
    }

    #[test]
    fn an_absent_resource_has_no_version_and_a_phase_has_a_default() {
        let script = read(r#"{"resource": {"exists": false}, "inner": 401, "id": "any"}"#).unwrap();
        assert!(script.version.is_none());
        assert_eq!(script.inner.unwrap().phase, Phase::Head);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let exists = r#""resource": {"exists": true}"#;
        for wrong in [
            String::new(),
            "{}".to_owned(),
            "[]".to_owned(),
            r#"{"resource": {}}"#.to_owned(),
            r#"{"resource": {"exists": true, "etag": "v1"}}"#.to_owned(),
            r#"{"resource": {"exists": true, "last_modified": "yesterday"}}"#.to_owned(),
            r#"{"resource": {"exists": true, "last_modified": "Sun, 06 Nov 1994 08:49:37 GMT"},
                "last_modified_nanos": 1000000000}"#
                .to_owned(),
            format!(r#"{{{exists}, "inner": 103}}"#),
            format!(r#"{{{exists}, "inner": 9999}}"#),
            format!(r#"{{{exists}, "inner_phase": "body"}}"#),
            format!(r#"{{{exists}, "clock": "2026-08-22"}}"#),
        ] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
        assert!(read(&format!("{{{exists}}}")).is_ok());
    }
}
