//! http-precondition
