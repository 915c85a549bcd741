//! The frame around a table, so that a wide one scrolls by itself and can be reached and named.

use std::fmt::{self, Write};

use comrak::html::Context;
use comrak::nodes::{Node, NodeValue};

use super::format::Page;

const LABEL_CHARS: usize = 80;

/// Opens the frame; the caller closes the `div`.
pub(super) fn open(context: &mut Context<Page<'_>>, table: Node<'_>) -> fmt::Result {
    let label = label(context, table);
    context.cr()?;
    context.write_str("<div class=\"table-wrap\" role=\"group\" tabindex=\"0\" aria-label=\"")?;
    context.escape(&label)?;
    context.write_str("\">")?;
    context.user.table_labels.push(label);
    Ok(())
}

/// Regions of one page need names of their own: the word for a table and its column heads, and a
/// number if a text repeats them.
fn label(context: &Context<Page<'_>>, table: Node<'_>) -> String {
    let word = context.user.links.words.table;
    let heads = table.first_child().map(|row| text_of(row, LABEL_CHARS)).unwrap_or_default();
    let base = if heads.is_empty() { word.to_owned() } else { format!("{word}: {heads}") };
    let same = context.user.table_labels.iter().filter(|used| used.starts_with(&base)).count();
    if same == 0 { base } else { format!("{base} ({})", same + 1) }
}

/// The words of a node, of about `max` characters, cells parted by commas.
pub(super) fn text_of(node: Node<'_>, max: usize) -> String {
    let mut text = String::new();
    for inner in node.descendants() {
        match inner.data().value {
            NodeValue::Text(ref literal) => text.push_str(literal),
            NodeValue::Code(ref code) => text.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => text.push(' '),
            NodeValue::TableCell if !text.is_empty() && !text.ends_with(", ") => text.push_str(", "),
            _ => {}
        }
        if text.len() > max * 4 {
            break;
        }
    }
    text.trim().trim_end_matches(',').chars().take(max).collect()
}
