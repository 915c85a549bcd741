//! Invented sample content.

use crate::app::AppState;

/// Fills an empty hub; the result is what to print, the error one line.
pub async fn fill(_state: &AppState) -> Result<String, String> {
    Err("demo: not there yet".into())
}
