//! PDF, page by page.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pdf_extract::{Document, PlainTextOutput, output_doc_page};

use super::{Out, Reason};

pub(super) fn read<W: Write>(bytes: &[u8], out: &mut Out<W>) -> Result<(), Reason> {
    let mut document = Document::load_mem(bytes).map_err(|error| why(&error.to_string()))?;
    // Many documents are only locked against changes: their password for reading is empty.
    if document.is_encrypted() && document.decrypt("").is_err() {
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
        match text {
            Ok(Ok(text)) => out.page(i32::try_from(number).unwrap_or(i32::MAX), "", false, &text)?,
            _ => failed = true,
        }
    }
    if failed { Err(Reason::Damaged) } else { Ok(()) }
}

fn why(said: &str) -> Reason {
    let said = said.to_lowercase();
    if said.contains("password") || said.contains("decrypt") || said.contains("encrypt") {
        Reason::Encrypted
    } else {
        Reason::Damaged
    }
}
