//! Keeps what is counted, as exporters do: series by their labels, one cell each. An exporter itself sets a
//! clock up by spinning, for a time that is never twice the same.

use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use metrics_util::registry::{AtomicStorage, Registry};

pub(crate) struct Kept(Registry<Key, AtomicStorage>);

impl Default for Kept {
    fn default() -> Self {
        Self(Registry::atomic())
    }
}

impl Recorder for Kept {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let cell = |cell: &Arc<_>| Counter::from_arc(Arc::clone(cell));
        self.0.get_or_create_counter(key, cell)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let cell = |cell: &Arc<_>| Gauge::from_arc(Arc::clone(cell));
        self.0.get_or_create_gauge(key, cell)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let cell = |cell: &Arc<_>| Histogram::from_arc(Arc::clone(cell));
        self.0.get_or_create_histogram(key, cell)
    }
}
