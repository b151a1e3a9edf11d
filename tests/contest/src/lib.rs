//! The campaign that tries to lose an update.
