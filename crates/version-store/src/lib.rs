//! version-store
