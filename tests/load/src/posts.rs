//! The store of the handlers that are guarded by hand or not at all: a map behind a mutex.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;

use crate::load::TEXT;

#[derive(Clone, Debug)]
pub(crate) struct Posts(Arc<Mutex<HashMap<u64, Post>>>);

#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) revision: u64,
    pub(crate) text: Bytes,
}

impl Posts {
    /// So many posts, with the ids from 0.
    pub(crate) fn new(count: u16) -> Self {
        let post = |id| {
            let text = Bytes::from_static(TEXT.as_bytes());
            (id, Post { revision: 1, text })
        };
        let rows = (0..u64::from(count)).map(post).collect();
        Self(Arc::new(Mutex::new(rows)))
    }

    pub(crate) fn rows(&self) -> MutexGuard<'_, HashMap<u64, Post>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Post {
    pub(crate) fn replace(&mut self, text: Bytes) {
        self.revision += 1;
        self.text = text;
    }
}
