//! What a history consists of.

use std::{
    fmt,
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    },
};

/// What one write leaves in the content, so that a later read tells which write it sees.
///
/// ```
/// use history::Marker;
///
/// let marker = Marker::fresh();
/// assert_eq!(Marker::read(&format!("{marker} {marker}")), Some(marker));
/// assert_eq!(Marker::read(&format!("{marker} {}", Marker::fresh())), None, "torn");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Marker(pub u64);

impl Marker {
    /// A marker that no other call gives, in this process or, but for a chance of one in 2^32, in an
    /// earlier one that left its posts in a database.
    pub fn fresh() -> Self {
        static NEXT: LazyLock<AtomicU64> =
            LazyLock::new(|| AtomicU64::new(u64::from(rand::random::<u32>()) << 32));
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// The marker that every word of the text is; `None` where it has other words, several markers,
    /// or no word.
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let first = words.next()?;
        let digits = first
            .strip_prefix('m')
            .filter(|digits| digits.len() == 16)?;
        let marker = u64::from_str_radix(digits, 16).ok()?;
        words.all(|word| word == first).then_some(Self(marker))
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m{:016x}", self.0)
    }
}

/// A point in the order in which things began and ended within this process; not a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Moment(pub u64);

impl Moment {
    /// Before everything that was recorded.
    pub const START: Self = Self(0);
    /// After everything that was recorded: the end of an operation whose answer never came.
    pub const NEVER: Self = Self(u64::MAX);

    /// The next moment.
    pub fn now() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::SeqCst))
    }
}

/// From before a request was sent until after its answer had arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Before the first byte was written.
    pub began: Moment,
    /// After the last byte was read.
    pub ended: Moment,
}

/// Which write it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `PUT` with `If-Match`: replaces title and content.
    Put,
    /// `PATCH` with `If-Match`: replaces the content and keeps the title.
    Patch,
    /// `DELETE` with `If-Match`: ends an incarnation.
    Delete,
    /// `PUT` with `If-None-Match: *`: begins an incarnation.
    Create,
}

/// How a write ended for its client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A success.
    Acknowledged {
        /// The answer's `ETag`, absent for a delete.
        tag: Option<String>,
        /// Whether the answer says that the post was created (201).
        created: bool,
    },
    /// An answer that says that nothing was written, or one that the contract does not have.
    Refused {
        /// The status code.
        status: u16,
        /// The problem document's `reason`; empty where there is none.
        reason: String,
    },
    /// The connection ended before the answer: the write took effect or not.
    Unknown,
}

/// A conditional write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The post's id.
    pub key: u64,
    /// Which write it was.
    pub kind: Kind,
    /// The tag in `If-Match`; `None` for a [`Create`](Kind::Create).
    pub sent: Option<String>,
    /// What it wrote, or would have; a delete has one only to be told apart.
    pub marker: Marker,
    /// How it ended.
    pub outcome: Outcome,
    /// When.
    pub span: Span,
}

/// What is known about the effect of a write from its outcome alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Happened,
    Nothing,
    Open,
}

impl Operation {
    pub(crate) fn effect(&self) -> Effect {
        match &self.outcome {
            Outcome::Acknowledged { .. } => Effect::Happened,
            // A commit whose acknowledgement was lost, by its own words.
            Outcome::Refused { reason, .. } if reason == "outcome_unknown" => Effect::Open,
            Outcome::Refused {
                status: 400..=499 | 503,
                ..
            } => Effect::Nothing,
            Outcome::Refused { .. } | Outcome::Unknown => Effect::Open,
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.marker)?;
        if let Some(sent) = &self.sent {
            write!(f, " under {sent}")?;
        }
        match &self.outcome {
            Outcome::Acknowledged { tag: Some(tag), .. } => write!(f, " (acknowledged as {tag})"),
            Outcome::Acknowledged { tag: None, .. } => write!(f, " (acknowledged)"),
            Outcome::Refused { status, reason } => write!(f, " (refused: {status} {reason})"),
            Outcome::Unknown => write!(f, " (outcome unknown)"),
        }
    }
}

/// The markers in a post's two members. `None` stands for text that no operation writes: an earlier
/// one, or a torn one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Content {
    /// The last write that replaced the whole post.
    pub title: Option<Marker>,
    /// The last write.
    pub content: Option<Marker>,
}

impl Content {
    /// What a put or a create leaves.
    pub fn replaced(by: Marker) -> Self {
        Self {
            title: Some(by),
            content: Some(by),
        }
    }

    /// What a patch leaves of this.
    #[must_use]
    pub fn patched(self, by: Marker) -> Self {
        Self {
            content: Some(by),
            ..self
        }
    }
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |marker: Option<Marker>| {
            marker.map_or("no marker".to_owned(), |marker| marker.to_string())
        };
        write!(
            f,
            "title {}, content {}",
            text(self.title),
            text(self.content)
        )
    }
}

/// What a post is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// There is none (404).
    Absent,
    /// There is this one.
    Present {
        /// Its entity tag.
        tag: String,
        /// What it contains.
        content: Content,
    },
}

impl State {
    /// The entity tag, if there is a post.
    pub fn tag(&self) -> Option<&str> {
        match self {
            Self::Absent => None,
            Self::Present { tag, .. } => Some(tag),
        }
    }
}

/// An answer that shows a state: of a `GET`, of a write, or of a refusal that brings the current
/// representation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The post's id.
    pub key: u64,
    /// What it showed.
    pub state: State,
    /// When.
    pub span: Span,
}
