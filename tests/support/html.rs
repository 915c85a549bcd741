//! Whether a page is what every page has to be: valid, with one `h1`, a `main`, a title, ids
//! that are there once, and nothing that a strict Content-Security-Policy refuses.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::rc::Rc;

use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeBuilderOpts, TreeSink};
use html5ever::{Attribute, ExpandedName, ParseOpts, QualName, parse_document, parse_fragment};

#[derive(Debug)]
pub struct Node {
    name: QualName,
    attributes: Vec<(String, String)>,
    text: RefCell<String>,
    contents: Option<Rc<Node>>,
}

impl Node {
    fn tag(&self) -> &str {
        &self.name.local
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What the parser met.
#[derive(Default)]
struct Met {
    elements: RefCell<Vec<Rc<Node>>>,
    errors: RefCell<Vec<String>>,
    line: RefCell<u64>,
    quirks: RefCell<bool>,
}

fn node(tag: &str) -> Rc<Node> {
    let name = QualName::new(None, html5ever::ns!(html), tag.into());
    Rc::new(Node { name, attributes: Vec::new(), text: RefCell::default(), contents: None })
}

impl TreeSink for Met {
    type Handle = Rc<Node>;
    type Output = Self;
    type ElemName<'a> = ExpandedName<'a>;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, message: Cow<'static, str>) {
        self.errors.borrow_mut().push(format!("line {}: {message}", self.line.borrow()));
    }

    fn get_document(&self) -> Rc<Node> {
        node("#document")
    }

    fn elem_name<'a>(&'a self, target: &'a Rc<Node>) -> ExpandedName<'a> {
        target.name.expanded()
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Rc<Node> {
        let attributes = attributes.iter().map(|a| (a.name.local.to_string(), a.value.to_string())).collect();
        let contents = flags.template.then(|| node("#contents"));
        let made = Rc::new(Node { name, attributes, text: RefCell::default(), contents });
        self.elements.borrow_mut().push(Rc::clone(&made));
        made
    }

    fn create_comment(&self, _text: StrTendril) -> Rc<Node> {
        node("#comment")
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> Rc<Node> {
        node("#pi")
    }

    fn append(&self, parent: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        if let NodeOrText::AppendText(text) = child {
            parent.text.borrow_mut().push_str(&text);
        }
    }

    fn append_based_on_parent_node(&self, _element: &Rc<Node>, before: &Rc<Node>, child: NodeOrText<Rc<Node>>) {
        self.append(before, child);
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {}

    fn get_template_contents(&self, target: &Rc<Node>) -> Rc<Node> {
        Rc::clone(target.contents.as_ref().expect("a template"))
    }

    fn same_node(&self, x: &Rc<Node>, y: &Rc<Node>) -> bool {
        Rc::ptr_eq(x, y)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        *self.quirks.borrow_mut() = mode != QuirksMode::NoQuirks;
    }

    fn append_before_sibling(&self, _sibling: &Rc<Node>, _node: NodeOrText<Rc<Node>>) {}

    fn add_attrs_if_missing(&self, _target: &Rc<Node>, _attributes: Vec<Attribute>) {}

    fn remove_from_parent(&self, _target: &Rc<Node>) {}

    fn reparent_children(&self, _node: &Rc<Node>, _parent: &Rc<Node>) {}

    fn set_current_line(&self, line: u64) {
        *self.line.borrow_mut() = line;
    }
}

fn options() -> ParseOpts {
    ParseOpts { tree_builder: TreeBuilderOpts { exact_errors: true, ..Default::default() }, ..Default::default() }
}

/// Fails with every fault of a whole page.
#[track_caller]
pub fn check_html(page: &str) {
    let faults = faults(page);
    assert!(faults.is_empty(), "{}\n\n{page}", faults.join("\n"));
}

/// What is wrong with a whole page; empty if nothing is.
pub fn faults(page: &str) -> Vec<String> {
    let met = parse_document(Met::default(), options()).one(page);
    let mut faults = common(&met);
    if *met.quirks.borrow() {
        faults.push("no doctype".into());
    }
    let elements = met.elements.borrow();
    for tag in ["h1", "main", "title"] {
        let count = elements.iter().filter(|node| node.tag() == tag && node.name.ns == html5ever::ns!(html)).count();
        if count != 1 {
            faults.push(format!("{count} elements {tag}"));
        }
    }
    let title = elements.iter().find(|node| node.tag() == "title");
    if title.is_none_or(|title| title.text.borrow().trim().is_empty()) {
        faults.push("an empty title".into());
    }
    if !elements.iter().any(|node| node.tag() == "html" && node.attribute("lang").is_some()) {
        faults.push("no language".into());
    }
    if !elements.iter().any(|node| node.tag() == "a" && node.attribute("href") == Some("#main")) {
        faults.push("no skip link".into());
    }
    faults
}

/// The same for a part of a page.
#[track_caller]
pub fn check_fragment(part: &str) {
    let context = QualName::new(None, html5ever::ns!(html), "body".into());
    let met = parse_fragment(Met::default(), options(), context, Vec::new(), false).one(part);
    let faults = common(&met);
    assert!(faults.is_empty(), "{}\n\n{part}", faults.join("\n"));
}

fn common(met: &Met) -> Vec<String> {
    let mut faults = met.errors.borrow().clone();
    let elements = met.elements.borrow();
    let mut ids = HashSet::new();
    for node in elements.iter() {
        if let Some(id) = node.attribute("id")
            && !ids.insert(id)
        {
            faults.push(format!("the id {id} twice"));
        }
        for (name, value) in &node.attributes {
            if name == "style" || name.starts_with("on") {
                faults.push(format!("{name}=\"{value}\" on {}", node.tag()));
            }
            // What somebody typed into a field is given back, and leads nowhere.
            let leads = name != "value";
            if leads && value.trim_start().to_lowercase().starts_with("javascript:") {
                faults.push(format!("{name}=\"{value}\" on {}", node.tag()));
            }
            // What the page loads or sends to is the hub's own.
            let local = value.starts_with('/') && !value.starts_with("//") || value.starts_with('#');
            if matches!(name.as_str(), "src" | "action" | "formaction") && !local {
                faults.push(format!("{name}=\"{value}\" on {} leads elsewhere", node.tag()));
            }
        }
        let data = matches!(node.attribute("type"), Some("application/json" | "application/ld+json"));
        if node.tag() == "script" && node.attribute("src").is_none() && !data {
            faults.push("an inline script".into());
        }
        if node.tag() == "style" {
            faults.push("an inline style".into());
        }
        if node.tag() == "img" && node.attribute("alt").is_none() {
            faults.push("an image without alt".into());
        }
    }
    for node in elements.iter() {
        for name in ["for", "aria-labelledby", "aria-describedby"] {
            for id in node.attribute(name).unwrap_or_default().split_whitespace() {
                if !ids.contains(id) {
                    faults.push(format!("{name} of {} names {id}, which is not there", node.tag()));
                }
            }
        }
    }
    let words = ["forum.", "frame.", "spaces.", "people.", "accounts.", "playbooks."];
    for node in elements.iter() {
        let text = node.text.borrow();
        let text = text.trim();
        if words.iter().any(|word| text.starts_with(word)) && !text.contains(' ') && node.tag() != "code" {
            faults.push(format!("a key without a word: {text}"));
        }
    }
    faults
}

#[test]
fn the_check_finds_what_is_wrong() {
    let good = "<!doctype html><html lang=en><head><title>A</title></head><body><a href=\"#main\">s</a>\
                <main id=main><h1>A</h1><form action=/x method=post><label for=y>Y</label><input id=y></form></main></body></html>";
    assert_eq!(faults(good), Vec::<String>::new());
    for (from, to) in [
        ("</form>", "</from>"),
        ("<h1>A</h1>", ""),
        ("id=y", "id=main"),
        ("for=y", "for=z"),
        ("<main", "<main onclick=x()"),
        ("<input", "<img src=/a><input"),
        ("action=/x", "action=//x"),
        ("<title>A</title>", "<title>A</title><script>1</script>"),
        ("<h1>A</h1>", "<h1>A</h1><p><div></div></p>"),
        (" lang=en", ""),
        ("#main", "#m"),
    ] {
        assert_ne!(faults(&good.replacen(from, to, 1)), Vec::<String>::new(), "{from} → {to}");
    }
}
