//! The items of one request, once they are known to be decidable.

use http::Method;
use http::request::Parts;
use http_precondition::Conditions;
use version_store::{Key, KeyEncoder};

use super::item::Item;
use crate::request::{Head, Kept};

/// The items of one request: at least one, not too many, no two of one resource.
pub(super) struct Items<K> {
    pub(super) keys: Vec<K>,
    pub(super) order: Order,
    conditions: Vec<(Whose, Conditions)>,
    /// The request's head, and one for each other method among the items.
    heads: Vec<Kept>,
}

/// The index of an item's head.
type Whose = usize;

/// Why items cannot be decided on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// There are no items, so nothing would be guarded.
    None,
    TooMany,
    /// The items at these two indices name the same resource.
    Twice(usize, usize),
}

impl<K: Key> Items<K> {
    /// `head` is what was kept of the request's head; `keep` does the same for a head with another method.
    pub(super) fn of(
        items: Vec<Item<K>>,
        most: usize,
        head: Kept,
        parts: &mut Parts,
        keep: impl Fn(&Parts) -> Kept,
    ) -> Result<Self, Unfit> {
        if items.is_empty() {
            return Err(Unfit::None);
        }
        if items.len() > most {
            return Err(Unfit::TooMany);
        }
        let order = Order::of(items.iter().map(|item| &item.key))?;
        let mut all = Self {
            keys: Vec::with_capacity(items.len()),
            order,
            conditions: Vec::with_capacity(items.len()),
            heads: vec![head],
        };
        for item in items {
            let whose = match item.method {
                None => 0,
                Some(method) => all.head_with(method, parts, &keep),
            };
            all.keys.push(item.key);
            all.conditions.push((whose, item.conditions));
        }
        Ok(all)
    }

    /// The index of the head with this method.
    fn head_with(
        &mut self,
        method: Method,
        parts: &mut Parts,
        keep: impl Fn(&Parts) -> Kept,
    ) -> Whose {
        let mut heads = self.heads.iter();
        let known = heads.position(|kept| *kept.head().method() == method);
        known.unwrap_or_else(|| {
            // Hooks see the item's method.
            let own = std::mem::replace(&mut parts.method, method);
            self.heads.push(keep(parts));
            parts.method = own;
            self.heads.len() - 1
        })
    }
}

impl<K> Items<K> {
    /// Each item as a request of its own, in the order of the body.
    pub(super) fn each(&self) -> impl Iterator<Item = (&K, Head<'_>)> {
        let heads = self
            .conditions
            .iter()
            .map(|(whose, conditions)| self.heads[*whose].with(conditions));
        self.keys.iter().zip(heads)
    }

    /// The head of the request itself.
    pub(super) fn head(&self) -> Head<'_> {
        self.heads[0].head()
    }
}

/// The order in which every request acquires several resources: that of the canonical encoding of their keys.
#[derive(Clone, Debug)]
pub struct Order {
    /// Which index in the body comes first, second, and so on.
    places: Vec<usize>,
}

impl Order {
    /// The order of these keys, which must be distinct.
    pub(super) fn of<'a, K: Key>(keys: impl Iterator<Item = &'a K>) -> Result<Self, Unfit> {
        let mut encoded: Vec<(KeyEncoder, usize)> = keys
            .enumerate()
            .map(|(place, key)| (KeyEncoder::of(key), place))
            .collect();
        encoded.sort_unstable();
        for neighbours in encoded.windows(2) {
            if let [(one, place), (other, again)] = neighbours
                && one == other
            {
                return Err(Unfit::Twice(*place, *again));
            }
        }
        let places = encoded.into_iter().map(|(_, place)| place).collect();
        Ok(Self { places })
    }

    /// Rearranges values from the order of the body to this order.
    pub(super) fn sorted<T: Clone>(&self, of_content: &[T]) -> Vec<T> {
        let at = |place: &usize| of_content[*place].clone();
        self.places.iter().map(at).collect()
    }

    /// Rearranges values from this order to that of the body.
    pub(super) fn of_content<T>(&self, sorted: Vec<T>) -> Vec<T> {
        let mut placed: Vec<(usize, T)> = self.places.iter().copied().zip(sorted).collect();
        placed.sort_unstable_by_key(|(place, _)| *place);
        placed.into_iter().map(|(_, value)| value).collect()
    }
}
