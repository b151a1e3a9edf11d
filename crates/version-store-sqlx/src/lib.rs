//! Conditional writes on the tables that you have.
