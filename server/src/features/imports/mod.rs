//! Loading what other programs exported.
