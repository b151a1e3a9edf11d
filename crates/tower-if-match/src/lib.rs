//! tower-if-match
