//! `/api/docs`: the OpenAPI document as a page, made on the server; no script, no other host.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use serde_json::{Map, Value};

use super::error::Result;
use super::frame::{Frame, page};
use super::viewer::Viewer;
use crate::app::AppState;

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The routes of one tag.
#[derive(Debug)]
struct Group {
    /// Empty for routes without a tag.
    tag: String,
    routes: Vec<Route>,
}

#[derive(Debug)]
struct Route {
    anchor: String,
    method: String,
    path: String,
    summary: String,
    signed_in: bool,
    parameters: Vec<Parameter>,
    /// Media type and shape.
    bodies: Vec<(String, Shape)>,
    answers: Vec<Answer>,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    place: String,
    shape: Shape,
    needed: bool,
    description: String,
}

#[derive(Debug)]
struct Answer {
    status: String,
    description: String,
    shape: Option<Shape>,
}

/// A type in words, with the schema to look at if it has a name.
#[derive(Debug)]
struct Shape {
    text: String,
    schema: Option<String>,
}

#[derive(Debug)]
struct Schema {
    name: String,
    description: String,
    shape: Shape,
    fields: Vec<Parameter>,
}

#[derive(Debug)]
struct Docs {
    base: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

static DOCS: LazyLock<Docs> = LazyLock::new(|| {
    let document = serde_json::to_value(super::openapi::document()).unwrap_or_default();
    read(&document)
});

#[derive(Template)]
#[template(path = "openapi.html")]
struct DocsPage<'a> {
    f: &'a Frame,
    docs: &'a Docs,
}

/// `GET /api/docs`
pub async fn serve(state: web::Data<AppState>, req: HttpRequest, viewer: Viewer) -> Result<HttpResponse> {
    let f = Frame::new(&state, &req, &viewer).await?;
    page(&f, &DocsPage { f: &f, docs: &DOCS })
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A text of the document as HTML: what stands between backticks is code.
fn prose(value: &Value, key: &str) -> String {
    let mut html = String::new();
    for (at, part) in text(value, key).split('`').enumerate() {
        let part = part.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        if at % 2 == 1 {
            html.push_str(&format!("<code>{part}</code>"));
        } else {
            html.push_str(&part);
        }
    }
    html
}

fn object<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value.get(key).and_then(Value::as_object).into_iter().flat_map(Map::iter)
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn read(document: &Value) -> Docs {
    let mut groups: BTreeMap<String, Vec<Route>> = BTreeMap::new();
    for (path, item) in object(document, "paths") {
        for method in METHODS {
            let Some(operation) = item.get(method) else { continue };
            let tag = list(operation, "tags").next().and_then(Value::as_str).unwrap_or_default();
            groups.entry(tag.to_owned()).or_default().push(route(method, path, item, operation));
        }
    }
    let schemas = document.get("components").map(|components| object(components, "schemas").map(schema).collect());
    Docs {
        base: list(document, "servers").next().map(|server| text(server, "url")).unwrap_or_default(),
        groups: groups.into_iter().map(|(tag, routes)| Group { tag, routes }).collect(),
        schemas: schemas.unwrap_or_default(),
    }
}

fn route(method: &str, path: &str, item: &Value, operation: &Value) -> Route {
    let anchor = format!("{method}{path}").chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let description = prose(operation, "description");
    let summary = match (prose(operation, "summary"), description) {
        (summary, description) if summary.is_empty() || description.is_empty() => summary + &description,
        (summary, description) => format!("{summary} {description}"),
    };
    Route {
        anchor,
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary,
        signed_in: list(operation, "security").next().is_some(),
        parameters: list(item, "parameters").chain(list(operation, "parameters")).map(parameter).collect(),
        bodies: operation
            .get("requestBody")
            .map(|body| object(body, "content").map(|(kind, of)| (kind.clone(), shape_of(of.get("schema")))).collect())
            .unwrap_or_default(),
        answers: object(operation, "responses").map(answer).collect(),
    }
}

fn parameter(of: &Value) -> Parameter {
    Parameter {
        name: text(of, "name"),
        place: text(of, "in"),
        shape: shape_of(of.get("schema")),
        needed: of.get("required").and_then(Value::as_bool).unwrap_or(false),
        description: prose(of, "description"),
    }
}

fn answer((status, of): (&String, &Value)) -> Answer {
    Answer {
        status: status.clone(),
        description: prose(of, "description"),
        shape: object(of, "content").next().map(|(_, content)| shape_of(content.get("schema"))),
    }
}

fn schema((name, of): (&String, &Value)) -> Schema {
    // Parts that are put together show their fields as one.
    let parts: Vec<&Value> = std::iter::once(of).chain(list(of, "allOf")).collect();
    let needed: Vec<&str> = parts.iter().flat_map(|part| list(part, "required")).filter_map(Value::as_str).collect();
    let fields = parts
        .iter()
        .flat_map(|part| object(part, "properties"))
        .map(|(field, of)| Parameter {
            name: field.clone(),
            place: String::new(),
            shape: shape_of(Some(of)),
            needed: needed.contains(&field.as_str()),
            description: prose(of, "description"),
        })
        .collect();
    Schema { name: name.clone(), description: prose(of, "description"), shape: shape_of(Some(of)), fields }
}

/// A schema in a few words: `string`, `array of PostView`, `"open" | "closed"`.
fn shape_of(of: Option<&Value>) -> Shape {
    let Some(of) = of else { return Shape { text: String::new(), schema: None } };
    if let Some(name) = of.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return Shape { text: name.to_owned(), schema: Some(name.to_owned()) };
    }
    let words: Vec<String> = list(of, "enum").map(Value::to_string).collect();
    if !words.is_empty() {
        return Shape { text: words.join(" | "), schema: None };
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        let parts: Vec<Shape> = list(of, key).map(|part| shape_of(Some(part))).collect();
        if !parts.is_empty() {
            let joint = if key == "allOf" { " + " } else { " | " };
            let text = parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join(joint);
            return Shape { text, schema: parts.into_iter().find_map(|part| part.schema) };
        }
    }
    if let Some(items) = of.get("items") {
        let inner = shape_of(Some(items));
        return Shape { text: format!("array of {}", inner.text), schema: inner.schema };
    }
    let text = match of.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ => "any".to_owned(),
    };
    Shape { text, schema: None }
}
