//! Mentions and tags in the tree of a text: which text nodes may hold them, and their links. On the
//! tree, so that code, links and addresses are never touched.

use comrak::Arena;
use comrak::arena_tree::NodeEdge;
use comrak::nodes::{AstNode, Node, NodeValue};

use super::markdown::{Links, Rendered};
use super::mentions::{Piece, handles, pieces};
use super::tags::fold_tag;

/// Mentions and tags that a text reports; more in one text is not conversation.
const MAX_FOUND: usize = 50;
/// How far a `</sub>` may be from its `<sub>`, in nodes.
const PAIR_REACH: usize = 20;

/// A text node that may hold mentions and tags.
pub(super) struct Linkable<'a> {
    pub(super) node: Node<'a>,
    /// The character in front of it.
    pub(super) before: Option<char>,
    quoted: bool,
}

/// Text outside links and images. Passing by, it also frees the few harmless raw elements.
pub(super) fn linkable<'a>(root: Node<'a>) -> Vec<Linkable<'a>> {
    let (mut found, mut inert, mut quotes) = (Vec::new(), 0_usize, 0_usize);
    let mut free = Vec::new();
    for edge in root.traverse() {
        let (node, entering) = match edge {
            NodeEdge::Start(node) => (node, true),
            NodeEdge::End(node) => (node, false),
        };
        let counter = match node.data().value {
            NodeValue::Link(_) | NodeValue::Image(_) => &mut inert,
            NodeValue::BlockQuote => &mut quotes,
            NodeValue::Text(_) if entering && inert == 0 => {
                found.push(Linkable { node, before: character_before(node), quoted: quotes > 0 });
                continue;
            }
            NodeValue::HtmlInline(_) if entering => {
                free.push(node);
                continue;
            }
            _ => continue,
        };
        *counter = if entering { *counter + 1 } else { counter.saturating_sub(1) };
    }
    // Backwards, so that an inner pair is free before its outer one looks for its end.
    free.into_iter().rev().for_each(free_element);
    found
}

fn character_before(node: Node<'_>) -> Option<char> {
    let before = node.previous_sibling()?;
    match before.data().value {
        NodeValue::Text(ref text) => text.chars().next_back(),
        // `a\@b`: what was escaped is a part of the word.
        NodeValue::Escaped | NodeValue::Code(_) | NodeValue::Math(_) => Some('\\'),
        _ => None,
    }
}

pub(super) fn link_words<'a>(arena: &'a Arena<'a>, text: &Linkable<'a>, links: &Links<'_>, rendered: &mut Rendered) {
    let data = text.node.data();
    let NodeValue::Text(ref literal) = data.value else {
        return;
    };
    let pieces = pieces(literal, text.before);
    let mut linked = Vec::with_capacity(pieces.len());
    for piece in pieces {
        linked.push(match piece {
            Piece::Text(plain) => NodeValue::Text(plain.to_owned().into()),
            Piece::Mention(written) => {
                let known = handles(written).find(|handle| links.members.contains(handle));
                if !text.quoted {
                    let handle = known.clone().or_else(|| handles(written).next());
                    handle.into_iter().for_each(|handle| note(&mut rendered.mentions, handle));
                }
                mention(written, known)
            }
            Piece::Tag(written) => {
                // Letters, digits and four signs: nothing of it is markup.
                let tag = fold_tag(written.trim_start_matches('#'));
                let link = format!("<a class=\"tag\" href=\"/tags/{tag}\">{written}</a>");
                note(&mut rendered.tags, tag);
                NodeValue::Raw(link)
            }
        });
    }
    drop(data);
    if linked.is_empty() {
        return;
    }
    for value in linked {
        text.node.insert_before(arena.alloc(AstNode::from(value)));
    }
    text.node.detach();
}

/// A link if the handle is known. Only `[a-z0-9_-]` come here, so nothing needs escaping.
fn mention(written: &str, known: Option<String>) -> NodeValue {
    let Some(handle) = known else {
        return NodeValue::Text(written.to_owned().into());
    };
    let (name, rest) = written.split_at_checked(handle.len() + 1).unwrap_or((written, ""));
    NodeValue::Raw(format!("<a class=\"mention\" href=\"/people/{handle}\">{name}</a>{rest}"))
}

pub(super) fn note(found: &mut Vec<String>, word: String) {
    if found.len() < MAX_FOUND && !found.contains(&word) {
        found.push(word);
    }
}

/// `<br>`, which tables need, and `<kbd>`, `<sub>`, `<sup>` if their end is near with no other
/// element between, so that what is let through is always whole.
fn free_element(node: Node<'_>) {
    let raw = |node: Node<'_>| match node.data().value {
        NodeValue::HtmlInline(ref literal) => Some(literal.to_ascii_lowercase()),
        _ => None,
    };
    let Some(open) = raw(node) else { return };
    let close = match open.as_str() {
        "<br>" | "<br/>" | "<br />" => {
            node.data_mut().value = NodeValue::Raw("<br>".to_owned());
            return;
        }
        "<kbd>" => "</kbd>",
        "<sub>" => "</sub>",
        "<sup>" => "</sup>",
        _ => return,
    };
    let end = node.following_siblings().skip(1).take(PAIR_REACH).find(|next| raw(next).is_some());
    if let Some(end) = end.filter(|end| raw(end).as_deref() == Some(close)) {
        node.data_mut().value = NodeValue::Raw(open);
        end.data_mut().value = NodeValue::Raw(close.to_owned());
    }
}
