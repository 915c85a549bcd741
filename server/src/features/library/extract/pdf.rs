//! PDF, page by page.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Document, PlainTextOutput, output_doc_page};

use super::{Out, Reason};

pub(super) fn read<W: Write>(bytes: &[u8], out: &mut Out<W>) -> Result<(), Reason> {
    let document = Document::load_mem(bytes).map_err(|_| Reason::Damaged)?;
    // Many documents are only locked against changes: the empty password has opened them by now.
    if document.trailer.get(b"Encrypt").is_ok() {
        return Err(Reason::Encrypted);
    }
    let numbers: Vec<u32> = document.get_pages().into_keys().collect();
    if numbers.is_empty() {
        return Err(Reason::Damaged);
    }
    let mut failed = false;
    for number in numbers {
        // One page that cannot be read takes no other with it.
        let text = catch_unwind(AssertUnwindSafe(|| {
            let mut text = String::new();
            output_doc_page(&document, &mut PlainTextOutput::new(&mut text), number).map(|()| text)
        }));
        let text = match text {
            Ok(Ok(text)) => Some(text),
            _ => simpler(&document, number),
        };
        match text {
            Some(text) => out.page(i32::try_from(number).unwrap_or(i32::MAX), "", false, &text)?,
            None => failed = true,
        }
    }
    if failed { Err(Reason::Damaged) } else { Ok(()) }
}

/// A page's text without its layout, where the layout is beyond the reader; `None`: there is none.
fn simpler(document: &Document, number: u32) -> Option<String> {
    let text = catch_unwind(AssertUnwindSafe(|| document.extract_text(&[number]))).ok()?.ok()?;
    (!text.trim().is_empty()).then_some(text)
}
