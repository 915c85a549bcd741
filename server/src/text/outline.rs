//! Headings of a text that is a section of a page, so that whoever goes from heading to heading
//! misses none.

use comrak::nodes::{Node, NodeValue};

/// Makes the highest headings of a text its first level, and none more than one level below the
/// heading that it belongs to.
pub(super) fn settle(root: Node<'_>) {
    let mut above: Vec<u8> = Vec::new();
    for node in root.descendants() {
        if let NodeValue::Heading(ref mut heading) = node.data_mut().value {
            above.retain(|level| *level < heading.level);
            above.push(heading.level);
            heading.level = u8::try_from(above.len()).unwrap_or(heading.level);
        }
    }
}
