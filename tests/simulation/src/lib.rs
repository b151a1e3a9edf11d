//! The layer in simulated networks.
