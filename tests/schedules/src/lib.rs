//! Every schedule of a few writers, and many of more.
