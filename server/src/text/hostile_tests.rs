//! Input made to be slow, deep or large. On a test thread of 2 MB of stack, without optimisation.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use super::{Links, Words, excerpt, html_to_markdown, mention_candidates, render};

const CHARS: usize = 60_000;

fn survives(name: &str, source: &str) {
    let members = HashSet::new();
    let links = Links {
        members: &members,
        origin: "",
        hard_breaks: true,
        words: Words { table: "T", done: "d", not_done: "n" },
    };
    let start = Instant::now();
    let html = render(source, &links).html;
    let _ = mention_candidates(source);
    let _ = excerpt(source, 200);
    let _ = html_to_markdown(source, None);
    let took = start.elapsed();
    if std::env::var_os("SHOW").is_some() {
        println!("{name:30} {took:>10.1?} {:>9} bytes", html.len());
    }
    assert!(took < Duration::from_secs(8), "{name}: {took:?}");
    assert!(html.len() < 40 * CHARS, "{name}: {} bytes", html.len());
}

#[test]
fn repeated_signs() {
    for unit in [
        ">",
        "[",
        "]",
        "![",
        "(",
        "*",
        "_",
        "**a",
        "*a_b",
        "`",
        "``` ",
        "<",
        "<a",
        "</",
        "<!--",
        "&",
        "&#",
        "$",
        "$$ ",
        "$a",
        "~",
        "~~a",
        "|",
        "|a",
        "- ",
        "* a\n",
        "1. ",
        "> - ",
        "\\",
        "@",
        "@aa ",
        "#a",
        "[a](",
        "[a](b",
        "![a](b)",
        "[a]: b\n",
        "[a]\n",
        "a\n\n",
        "#",
        "\n",
        "http://",
        "www.a.b ",
        "a@b.c",
        "<sub>",
        "<sub></sub>",
        "<sub><sub></sub>",
        "é",
        "\u{202e}",
        "```\n",
        "~~~\nx\n",
        "- [ ] a\n",
        "[^a]",
        "[^a]: b\n",
        "<div>\n",
        "<b>",
        "<table><tr><td>",
        "<ul><li>",
        "**[a](b)",
        "<http://a>",
        "a\\\n",
        "|-",
        "<a href=\"",
        "<p>",
        "&amp;lt;",
    ] {
        survives(unit, &unit.repeat(CHARS / unit.chars().count()));
    }
}

#[test]
fn nested_and_closed() {
    for (open, close) in [
        ("[", "]"),
        ("*a ", " a*"),
        ("**a ", " b**"),
        ("[a](", ")"),
        ("![", "](b)"),
        ("(", ")"),
        ("<b>", "</b>"),
        ("<ul><li>", "</li></ul>"),
        ("~~a ", " a~~"),
    ] {
        let n = CHARS / (open.len() + close.len());
        survives(open, &(open.repeat(n) + &close.repeat(n)));
    }
    for unit in ["> ", "- ", "  "] {
        let deep: String = (0..340).map(|n| unit.repeat(n) + "- x\n").collect();
        survives(unit, &deep);
    }
    let quotes = (0..40).map(|n| ">".repeat(1_400) + &format!("{n}\n")).collect::<String>();
    survives("quotes", &quotes);
}

#[test]
fn tables() {
    for columns in [1, 2, 10, 100, 1_000, 5_000] {
        let head = format!("|{}\n|{}\n", "a|".repeat(columns), "-|".repeat(columns));
        survives(
            &format!("{columns} columns, long"),
            &(head.clone() + &"x\n".repeat((CHARS.saturating_sub(head.len())) / 2)),
        );
        survives(&format!("{columns} columns, many"), &(head.clone() + "x\n\n").repeat(CHARS / (head.len() + 3)));
        survives(
            &format!("{columns} columns, quoted"),
            &format!("> {}", (head + &"x\n".repeat(5_000)).replace('\n', "\n> ")),
        );
    }
}

#[test]
fn code_in_every_language() {
    for language in ["py", "js", "html", "md", "sql", "bash", "perl", "cpp"] {
        for unit in ["(", "\"", "<a", "\\", "$", "/*", "a<b", "[ ", "(a, "] {
            let line: String = unit.repeat(900 / unit.len());
            let code = (line + "\n").repeat(20);
            survives(
                &format!("{language} {unit}"),
                &format!("````{language}\n{}\n````", super::guard::cut(&code, 19_000)),
            );
        }
    }
}
