//! What is written is read again unchanged, whatever it holds; what others wrote finds its parts.

use std::collections::BTreeMap;

use super::*;
use crate::entities::kinds::{PartKey, TermKind};
use crate::features::playbooks::measures::{self, Measure};
use crate::features::playbooks::parts::{PartContent, Shape, fields, shape};
use crate::text::clean;

/// Numbers without an end, the same in every run.
struct Dice(u64);

impl Dice {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(below).unwrap()).unwrap()
    }

    /// A text of pieces that a careless writer would fall over.
    fn text(&mut self, pieces: usize, single: bool) -> String {
        const PIECES: [&str; 34] = [
            "## The challenge",
            "---",
            "```",
            "<!-- part: outcomes -->",
            "<!-- part b1: outcomes -->",
            "words ",
            "\n",
            "\n\n",
            "    code",
            "\"",
            "\\",
            "'",
            ": ",
            "# ",
            "- item",
            "{",
            "}",
            "[a](b)",
            "é",
            "数据",
            "\u{2028}",
            "\u{200b}",
            "\u{1f600}",
            "\t",
            "%",
            "&amp;",
            "<b>",
            "@ada",
            "null",
            "yes",
            "1e5",
            "|",
            ">",
            "*",
        ];
        let text: String = (0..pieces).map(|_| PIECES[self.next(PIECES.len())]).collect();
        clean(&text, 60_000, single).unwrap()
    }
}

fn some_study(dice: &mut Dice) -> StudyOut {
    let mut parts = BTreeMap::new();
    for key in PartKey::ALL {
        if dice.next(3) == 0 {
            continue;
        }
        let single = shape(*key) != Shape::Text;
        let mut part = PartContent { body: dice.text(12, single), ..PartContent::default() };
        for field in fields(*key) {
            let text = dice.text(3, true);
            if !text.is_empty() {
                part.fields.insert(field.name.to_owned(), text);
            }
        }
        if *key == PartKey::Outcomes {
            part.measures = (0..dice.next(4)).map(|at| some_measure(dice, at)).collect();
        }
        if !part.is_empty() {
            parts.insert(*key, part);
        }
    }
    let labels = |dice: &mut Dice| -> Vec<String> {
        (0..1 + dice.next(3)).map(|_| format!("t{}", dice.text(2, true))).collect()
    };
    StudyOut {
        title: format!("A {}", dice.text(4, true)),
        slug: "a-study".into(),
        authors: vec![
            Person { handle: "ada".into(), name: format!("A {}", dice.text(3, true)) },
            Person { handle: "bea".into(), name: String::new() },
        ],
        credited: vec![Person { handle: "cy".into(), name: format!("C{}", dice.text(3, true)) }],
        owner_name: String::new(),
        state: "published".into(),
        published: Some("2026-11-26".into()),
        restricted: dice.next(2) == 0,
        source: (dice.next(2) == 0).then(|| "https://elsewhere.example/a?b=c#d".to_owned()),
        terms: BTreeMap::from([(TermKind::Technology, labels(dice)), (TermKind::Country, labels(dice))]),
        parts,
    }
}

fn some_measure(dice: &mut Dice, at: usize) -> Measure {
    #[expect(clippy::cast_precision_loss, reason = "any number will do")]
    let number = dice.next(1_000_000) as f64 / [1.0, 3.0, 1e9, 1e-6][at % 4] - 5.0;
    Measure {
        name: format!("m{}", dice.text(2, true)),
        unit: dice.text(1, true).trim().to_owned(),
        before: Some(number),
        after: (at.is_multiple_of(2)).then_some(-number),
        period: dice.text(2, true),
        n: (at > 0).then_some(12),
        method: String::new(),
        source: dice.text(2, true),
    }
}

#[test]
fn what_was_written_is_read_unchanged() {
    let mut dice = Dice(0x5eed_cafe_f00d_d1ce);
    for round in 0..300 {
        let study = some_study(&mut dice);
        let written = study_markdown(&study);
        let page = read_page(&written, "x").unwrap_or_else(|error| panic!("round {round}: {error}\n{written}"));
        let parts: BTreeMap<PartKey, PartContent> = page
            .parts
            .iter()
            .map(|(key, part)| {
                let measures = measures::parse(&part.measures).unwrap();
                (
                    *key,
                    PartContent {
                        body: clean(&part.body, 60_000, false).unwrap(),
                        fields: part.fields.clone(),
                        measures,
                    },
                )
            })
            .collect();
        assert_eq!(parts, study.parts, "round {round}:\n{written}");
        assert_eq!((page.title, page.authors), (study.title, study.authors), "round {round}");
        assert_eq!((page.credited, page.published), (study.credited, study.published), "round {round}");
        assert_eq!(page.restricted, study.restricted, "round {round}");
        assert_eq!(page.source, study.source, "round {round}");
        let terms: BTreeMap<String, Vec<String>> =
            study.terms.iter().map(|(kind, labels)| (kind.as_str().to_owned(), labels.clone())).collect();
        assert_eq!(page.terms, terms, "round {round}:\n{written}");
        assert!(
            page.is_study && page.unmatched.is_empty() && page.unknown.is_empty(),
            "round {round}: {:?}",
            page.unknown
        );
    }
}

#[test]
fn a_playbook_is_read_unchanged() {
    let mut dice = Dice(7);
    for _ in 0..100 {
        let book = PlaybookOut {
            slug: "heart".into(),
            title: format!("H {}", dice.text(2, true)),
            pathway: dice.text(2, true),
            summary: dice.text(2, true),
            visibility: "restricted".into(),
            space: Some("inside".into()),
            introduction: dice.text(9, false),
            checklist: vec![format!("c{}", dice.text(3, true))],
            cover: Some(("figures/a b.png".into(), format!("w{}", dice.text(3, true)))),
            scenarios: vec![ScenarioOut {
                title: format!("I need {}", dice.text(2, true)),
                description: dice.text(6, false),
                steps: vec![format!("s{}", dice.text(4, false)), "then, that".into()],
                studies: vec!["a-study".into()],
            }],
        };
        let written = playbook_markdown(&book);
        let read = read_playbook(&written).unwrap().unwrap();
        assert_eq!(
            (read.title, read.pathway, read.summary, clean(&read.introduction, 60_000, false).unwrap()),
            (book.title, book.pathway, book.summary, book.introduction),
            "{written}"
        );
        assert_eq!((read.checklist, read.scenarios), (book.checklist, book.scenarios), "{written}");
        assert_eq!((read.restricted, read.space), (true, book.space), "{written}");
        assert_eq!(read.cover.map(|path| (path, read.cover_alt)), book.cover, "{written}");
    }
    assert!(read_playbook("# A page\n").unwrap().is_none());
}

#[test]
fn headings_of_others_find_their_parts() {
    let page = read_page(
        "---\ntitle: 'Staining slides'\nsummary: 'One line'\ncategory: 'CaseStudies'\nodd: 3\n---\n\n<Tags title=\"\" tags={['gans','pathology']} />\n\n\
         ## Case Study\nBefore all.\n\n**The challenge**  \nSlides are *slow*.\n\n### Overview\nTold first.\n\n### What we did\nWe stained.\n\n\
         #### Tissue\nThin.\n\n```\n## Aim\n```\n\n### Outcomes and lessons learned\nFaster.\n\n#### Lessons learned:\nStart small.\n\n### What’s next?\nMore.\n",
        "staining",
    )
    .unwrap();
    let body = |key: PartKey| page.parts.get(&key).map(|part| part.body.as_str()).unwrap_or_default();
    assert_eq!((page.title.as_str(), page.is_study), ("Staining slides", true));
    assert_eq!(body(PartKey::Summary), "One line");
    assert_eq!(body(PartKey::Challenge), "Slides are *slow*.");
    assert_eq!(
        body(PartKey::WhatWeDid),
        "Before all.\n\n### Overview\nTold first.\n\nWe stained.\n\n#### Tissue\nThin.\n\n```\n## Aim\n```"
    );
    assert_eq!(body(PartKey::Outcomes), "*Outcomes and lessons learned*\n\nFaster.");
    assert_eq!((body(PartKey::LessonsLearned), body(PartKey::WhatNext)), ("Start small.", "More."));
    assert_eq!(page.unmatched, ["Overview"]);
    assert_eq!(page.terms["technique"], ["gans", "pathology"]);
    assert_eq!(page.unknown, ["odd: 3"]);
}

#[test]
fn what_has_no_place_of_its_own_is_kept_in_words() {
    let page = read_page(
        "---\ntitle: 2024\nstatus: live\npublished: 2021-03-04\nsummary: One\ndescription: Two\nterms: [a, b]\n\
         fields:\n  budget:\n    total: 5\n  costs: cheap\nmeasures:\n  - name: 2024\n    period: 2023\n    before: 1\n    \
         after: 2\n    note: odd\n  - just words\n---\n\nText.\n",
        "x",
    )
    .unwrap();
    assert_eq!(page.title, "2024");
    let measures = measures::parse(&page.parts[&PartKey::Outcomes].measures).unwrap();
    assert_eq!((measures[0].name.as_str(), measures[0].period.as_str(), measures.len()), ("2024", "2023", 1));
    let mut unknown = page.unknown.clone();
    unknown.sort();
    let kept = [
        "budget (total: 5)",
        "costs: cheap",
        "description: Two",
        "measure 2024 (note: odd)",
        "measures: just words",
        "published: 2021-03-04",
        "status: live",
        "terms: a, b",
    ];
    assert_eq!(unknown, kept);
}

#[test]
fn components_become_their_text() {
    let (text, tags) = plain_markdown(
        "import X from 'x'\n\n<Alert title=\"Note\">See <a href='https://a.example/(b)'>this</a>.</Alert>\n<TeamMember name=\"Ann\" role=\"Lead\" image=\"a.png\" imageAlt=\"Ann, smiling\" bio={`\n   She <b>leads</b> {the team}.<br/><br/>\n   Well.<script>x()</script>\n`} />\n\
         <figure>\n![A](b.png)\n<figcaption align = \"center\">Figure 1: it.</figcaption>\n</figure>\n\n`<Tags tags={['x']} />` <https://keep.example> 2 < 3\n",
    );
    assert!(tags.is_empty());
    for part in [
        "**Note**",
        "See [this](https://a.example/(b%29).",
        "**Ann**",
        "![Ann, smiling](a.png)",
        "Lead",
        "She **leads** {the team}.",
        "Well.",
        "![A](b.png)",
        "Figure 1: it.",
        "`<Tags tags={['x']} />` <https://keep.example> 2 < 3",
    ] {
        assert!(text.contains(part), "{part} in\n{text}");
    }
    for gone in ["import", "x()", "figcaption", "<b>", "bio="] {
        assert!(!text.contains(gone), "{gone} in\n{text}");
    }
    let (text, _) = plain_markdown("A <unclosed attr=\"\n<b>");
    assert!(text.contains("<unclosed"), "{text}");
}
