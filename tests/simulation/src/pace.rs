//! How long things take.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

/// Draws how long a step takes on the simulation's clock, so that steps of different requests come
/// between each other. The seed determines all of it.
#[derive(Clone, Debug)]
pub struct Pace(Arc<Mutex<StdRng>>);

impl Pace {
    /// The pace of one host.
    pub fn of(seed: u64, host: u64) -> Self {
        Self(Arc::new(Mutex::new(draws(seed, host))))
    }

    /// A step that takes up to so many milliseconds.
    pub async fn step(&self, longest: u64) {
        let millis = {
            let mut draws = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            draws.random_range(0..=longest)
        };
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

/// What one part of a simulation draws from.
pub fn draws(seed: u64, part: u64) -> StdRng {
    StdRng::seed_from_u64(seed ^ (part << 48))
}
