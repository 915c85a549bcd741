//! Invented sample content.
