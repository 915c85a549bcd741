//! Colours for code, on the server and by class only: `<span class="hl-keyword">`. One flat span a
//! token with the few classes the style sheet knows, instead of a nest of every scope: a tenth of
//! the HTML. The class names are those of syntect's `ClassStyle::SpacedPrefixed` with `hl-`.

use std::sync::LazyLock;
use std::time::Duration;

use syntect::easy::ScopeRegionIterator;
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxReference, SyntaxSet};
use syntect::util::LinesWithEndings;

use super::budget::Deadline;
use super::format::escape;

const BLOCK_BYTES: usize = 20_000;
const DOCUMENT_BYTES: usize = 50_000;
/// Grammars are regular expressions that look backwards; long lines are where they are slow.
const LINE_BYTES: usize = 1_000;
/// Of a document. The first use of a language compiles its grammar, some tens of milliseconds.
const DOCUMENT_TIME: Duration = Duration::from_millis(400);

static SYNTAXES: LazyLock<SyntaxSet> = LazyLock::new(SyntaxSet::load_defaults_newlines);
static CLASSES: LazyLock<Vec<(Scope, &'static str)>> = LazyLock::new(|| {
    let known = CLASS_OF_SCOPE.iter();
    known.filter_map(|(scope, class)| Scope::new(scope).ok().map(|scope| (scope, *class))).collect()
});

/// The first that is a prefix of a scope wins, so the special come before the general.
const CLASS_OF_SCOPE: [(&str, &str); 18] = [
    ("comment", "hl-comment"),
    ("string", "hl-string"),
    ("constant", "hl-constant"),
    ("entity", "hl-entity"),
    ("invalid", "hl-invalid"),
    ("keyword", "hl-keyword"),
    ("storage", "hl-storage"),
    ("support", "hl-support"),
    ("variable.parameter", "hl-variable hl-parameter"),
    ("variable.language", "hl-variable hl-language"),
    ("variable", "hl-variable"),
    ("markup.inserted", "hl-markup hl-inserted"),
    ("markup.deleted", "hl-markup hl-deleted"),
    ("markup.bold", "hl-markup hl-bold"),
    ("markup.italic", "hl-markup hl-italic"),
    ("markup.heading", "hl-markup hl-heading"),
    ("punctuation.section.interpolation", ""),
    ("punctuation", "hl-punctuation"),
];

/// Highlights the code blocks of one document, within its share of bytes and time.
pub(super) struct Highlighter {
    bytes_left: usize,
    deadline: Option<Deadline>,
}

impl Highlighter {
    pub(super) fn new() -> Self {
        Self { bytes_left: DOCUMENT_BYTES, deadline: None }
    }

    /// Escaped HTML with spans; `None` (unknown language, too long, too slow): show it plain.
    pub(super) fn highlight(&mut self, language: &str, code: &str) -> Option<String> {
        if language.is_empty() || code.len() > BLOCK_BYTES.min(self.bytes_left) {
            return None;
        }
        if code.lines().any(|line| line.len() > LINE_BYTES) {
            return None;
        }
        let syntax = syntax_of(language)?;
        self.bytes_left -= code.len();
        let deadline = *self.deadline.get_or_insert_with(|| Deadline::after(DOCUMENT_TIME));
        spans(syntax, code, deadline)
    }
}

fn syntax_of(language: &str) -> Option<&'static SyntaxReference> {
    let language = language.to_ascii_lowercase();
    // Names people write that the bundled grammars lack, by their nearest relative.
    let token = match language.as_str() {
        "typescript" | "ts" | "tsx" | "jsx" | "node" => "js",
        "shell" | "console" | "shell-session" | "zsh" => "bash",
        "jsonc" | "json5" => "json",
        "csharp" | "c#" => "cs",
        "golang" => "go",
        "python3" | "py3" | "ipython" => "py",
        "text" | "plain" | "txt" | "none" => return None,
        other => other,
    };
    SYNTAXES.find_syntax_by_token(token)
}

fn spans(syntax: &SyntaxReference, code: &str, deadline: Deadline) -> Option<String> {
    let mut state = ParseState::new(syntax);
    let mut stack = ScopeStack::new();
    let mut html = String::with_capacity(code.len() * 3);
    let mut open = "";
    for line in LinesWithEndings::from(code) {
        if deadline.passed() {
            return None;
        }
        let operations = state.parse_line(line, &SYNTAXES).ok()?;
        for (text, operation) in ScopeRegionIterator::new(&operations, line) {
            stack.apply(operation).ok()?;
            if text.is_empty() {
                continue;
            }
            // White space keeps the class that is open: fewer spans, same picture.
            let class = if text.trim().is_empty() { open } else { class_of(stack.as_slice()) };
            if class != open {
                close(&mut html, open);
                if !class.is_empty() {
                    html.extend(["<span class=\"", class, "\">"]);
                }
                open = class;
            }
            escape(text, &mut html);
        }
    }
    close(&mut html, open);
    Some(html)
}

fn close(html: &mut String, open: &str) {
    if !open.is_empty() {
        html.push_str("</span>");
    }
}

/// The innermost known scope decides, but the quotes of a string are string and the slashes of a
/// comment are comment.
fn class_of(stack: &[Scope]) -> &'static str {
    let mut punctuation = "";
    for scope in stack.iter().rev() {
        let class = CLASSES.iter().find(|(known, _)| known.is_prefix_of(*scope)).map_or("", |(_, class)| *class);
        match class {
            "" => {}
            "hl-punctuation" => punctuation = class,
            "hl-comment" | "hl-string" => return class,
            _ if punctuation.is_empty() => return class,
            _ => {}
        }
    }
    punctuation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flat_spans_that_hold_the_code() {
        let mut highlighter = Highlighter::new();
        let html = highlighter.highlight("python", "def f(x):\n    return \"<b>\" # 1\n").unwrap_or_default();
        assert!(html.contains("<span class=\"hl-string\">&quot;&lt;b&gt;&quot; </span>"), "{html}");
        assert!(html.contains("<span class=\"hl-comment\"># 1\n"), "{html}");
        assert!(html.contains("hl-keyword") && html.contains("hl-variable hl-parameter"), "{html}");
        assert!(!html.contains("style="));
    }

    #[test]
    fn unknown_or_long_is_plain() {
        let mut highlighter = Highlighter::new();
        assert!(highlighter.highlight("klingon", "x").is_none());
        assert!(highlighter.highlight("", "x").is_none());
        assert!(highlighter.highlight("rust", &"x".repeat(LINE_BYTES + 1)).is_none());
        assert!(highlighter.highlight("rust", &"x\n".repeat(BLOCK_BYTES)).is_none());
        let mut spent = Highlighter { bytes_left: 9, deadline: None };
        assert!(spent.highlight("rust", "let x;\n").is_some());
        assert!(spent.highlight("rust", "let x;\n").is_none(), "the document's share is spent");
    }
}
