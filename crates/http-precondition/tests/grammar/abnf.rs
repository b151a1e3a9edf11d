//! A grammar as data (RFC 5234), and the set of places where a match of it can end.

use std::collections::BTreeSet;

#[derive(Clone)]
pub(crate) enum Abnf {
    /// `%xLOW-HIGH`
    Octet(u8, u8),
    /// Elements one after another; none of them is the empty text.
    Sequence(Vec<Abnf>),
    /// `a / b`
    Either(Vec<Abnf>),
    /// `*a`
    Many(Box<Abnf>),
}

pub(crate) fn text(text: &str) -> Abnf {
    Abnf::Sequence(
        text.bytes()
            .map(|octet| Abnf::Octet(octet, octet))
            .collect(),
    )
}

pub(crate) fn octets(low: u8, high: u8) -> Abnf {
    Abnf::Octet(low, high)
}

pub(crate) fn sequence<const N: usize>(elements: [Abnf; N]) -> Abnf {
    Abnf::Sequence(Vec::from(elements))
}

pub(crate) fn either<const N: usize>(elements: [Abnf; N]) -> Abnf {
    Abnf::Either(Vec::from(elements))
}

pub(crate) fn any_text(texts: &[&str]) -> Abnf {
    Abnf::Either(texts.iter().copied().map(text).collect())
}

pub(crate) fn many(element: Abnf) -> Abnf {
    Abnf::Many(Box::new(element))
}

pub(crate) fn optional(element: Abnf) -> Abnf {
    either([sequence([]), element])
}

/// RFC 9110 §5.6.3
pub(crate) fn ows() -> Abnf {
    many(any_text(&[" ", "\t"]))
}

impl Abnf {
    /// Whether the grammar generates the whole text.
    pub(crate) fn generates(&self, text: &[u8]) -> bool {
        self.ends(text, &BTreeSet::from([0])).contains(&text.len())
    }

    fn ends(&self, text: &[u8], starts: &BTreeSet<usize>) -> BTreeSet<usize> {
        match self {
            Self::Octet(low, high) => starts
                .iter()
                .filter(|&&start| {
                    text.get(start)
                        .is_some_and(|octet| (low..=high).contains(&octet))
                })
                .map(|start| start + 1)
                .collect(),
            Self::Sequence(elements) => elements.iter().fold(starts.clone(), |starts, element| {
                element.ends(text, &starts)
            }),
            Self::Either(elements) => elements
                .iter()
                .flat_map(|element| element.ends(text, starts))
                .collect(),
            Self::Many(element) => {
                let mut all = starts.clone();
                let mut latest = starts.clone();
                while !latest.is_empty() {
                    latest = &element.ends(text, &latest) - &all;
                    all.extend(&latest);
                }
                all
            }
        }
    }
}
