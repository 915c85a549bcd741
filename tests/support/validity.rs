//! Is a page valid? The parser of the HTML standard says so, and a few rules of the house.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink as _};
use html5ever::{Attribute, LocalName, Namespace, ParseOpts, QualName, parse_document};

/// One element, in the order of the source.
#[derive(Clone, Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Keeps names and attributes in a list; of the tree only what the parser itself asks for.
#[derive(Default)]
struct Sink {
    nodes: RefCell<Vec<Option<(QualName, Element)>>>,
    faults: RefCell<Vec<String>>,
    line: Cell<u64>,
}

#[derive(Debug)]
struct Name(QualName);

impl ElemName for Name {
    fn ns(&self) -> &Namespace {
        &self.0.ns
    }

    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}

impl Sink {
    fn add(&self, node: Option<(QualName, Element)>) -> usize {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(node);
        nodes.len()
    }
}

impl TreeSink for Sink {
    type Handle = usize;
    type Output = Self;
    type ElemName<'a> = Name;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, message: Cow<'static, str>) {
        self.faults.borrow_mut().push(format!("line {}: {message}", self.line.get()));
    }

    fn set_current_line(&self, line: u64) {
        self.line.set(line);
    }

    fn get_document(&self) -> usize {
        0
    }

    fn elem_name<'a>(&'a self, target: &'a usize) -> Name {
        Name(self.nodes.borrow()[*target - 1].as_ref().unwrap().0.clone())
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> usize {
        let attributes =
            attributes.into_iter().map(|one| (one.name.local.to_string(), one.value.to_string())).collect();
        let element = Element { name: name.local.to_string(), attributes };
        self.add(Some((name, element)))
    }

    fn create_comment(&self, _: StrTendril) -> usize {
        self.add(None)
    }

    fn create_pi(&self, _: StrTendril, _: StrTendril) -> usize {
        self.add(None)
    }

    fn get_template_contents(&self, _: &usize) -> usize {
        self.add(None)
    }

    fn same_node(&self, left: &usize, right: &usize) -> bool {
        left == right
    }

    fn append(&self, _: &usize, _: NodeOrText<usize>) {}
    fn append_based_on_parent_node(&self, _: &usize, _: &usize, _: NodeOrText<usize>) {}
    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}
    fn set_quirks_mode(&self, _: QuirksMode) {}
    fn append_before_sibling(&self, _: &usize, _: NodeOrText<usize>) {}
    fn add_attrs_if_missing(&self, _: &usize, _: Vec<Attribute>) {}
    fn remove_from_parent(&self, _: &usize) {}
    fn reparent_children(&self, _: &usize, _: &usize) {}
}

/// What is wrong with a whole page; empty if nothing is.
pub fn faults(page: &str) -> Vec<String> {
    let (elements, mut faults) = parse(page);
    house_rules(&elements, &mut faults);
    faults
}

/// The elements of a page, and what the parser has to say against it.
pub fn parse(page: &str) -> (Vec<Element>, Vec<String>) {
    let mut options = ParseOpts::default();
    options.tree_builder.exact_errors = true;
    options.tokenizer.exact_errors = true;
    let sink = parse_document(Sink::default(), options).one(page);
    let elements = sink.nodes.into_inner().into_iter().flatten().map(|(_, element)| element).collect();
    (elements, sink.faults.into_inner())
}

fn house_rules(elements: &[Element], faults: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    for id in elements.iter().filter_map(|element| element.attribute("id")) {
        if id.is_empty() || id.contains(char::is_whitespace) {
            faults.push(format!("'{id}' is no id"));
        }
        if !ids.insert(id) {
            faults.push(format!("the id {id} is there twice"));
        }
    }
    for (name, most) in [("h1", 1), ("main", 1), ("title", 1)] {
        let count = elements.iter().filter(|element| element.name == name).count();
        if count != most {
            faults.push(format!("{count} {name} elements"));
        }
    }
    let language = elements.iter().find(|element| element.name == "html").and_then(|html| html.attribute("lang"));
    if language.is_none_or(str::is_empty) {
        faults.push("no language".into());
    }
    if !elements.iter().any(|link| link.name == "a" && link.attribute("href") == Some("#main")) {
        faults.push("no skip link".into());
    }
    for element in elements {
        one_element(element, &ids, faults);
    }
}

fn one_element(element: &Element, ids: &BTreeSet<&str>, faults: &mut Vec<String>) {
    let name = &element.name;
    for (key, value) in &element.attributes {
        let local = value.starts_with('/') && !value.starts_with("//") || value.starts_with('#');
        match key.as_str() {
            "style" => faults.push(format!("{name} has a style")),
            handler if handler.starts_with("on") => faults.push(format!("{name} has {handler}")),
            "for" | "aria-labelledby" | "aria-describedby" | "aria-controls" | "list" | "form" => {
                for id in value.split_whitespace().filter(|id| !ids.contains(id)) {
                    faults.push(format!("{name}[{key}] names {id}, which is not there"));
                }
            }
            "src" | "action" | "formaction" if !local => faults.push(format!("{name}[{key}] leads to '{value}'")),
            "href" if name == "link" && !local => faults.push(format!("link leads to '{value}'")),
            "href" if value.trim_start().to_ascii_lowercase().starts_with("javascript:") => {
                faults.push(format!("{name} runs '{value}'"));
            }
            "href" if value.is_empty() => faults.push(format!("{name} leads nowhere")),
            _ => {}
        }
    }
    if name == "img" && element.attribute("alt").is_none() {
        faults.push(format!("an image without alt: {:?}", element.attribute("src")));
    }
    if name == "button" && element.attribute("type").is_some_and(|kind| !["button", "submit", "reset"].contains(&kind))
    {
        faults.push("a button of no known type".into());
    }
    if name == "script" && element.attribute("src").is_none() && element.attribute("type") != Some("application/json") {
        faults.push("a script within the page".into());
    }
    if name == "style" {
        faults.push("a style within the page".into());
    }
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
        ("lang=en", ""),
    ] {
        assert_ne!(faults(&good.replacen(from, to, 1)), Vec::<String>::new(), "{from} → {to}");
    }
}
