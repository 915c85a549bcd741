//! From a heading to the part that it stands for.

use crate::entities::kinds::PartKey;
use crate::features::playbooks::parts::title;

/// What others call the parts, as [`plain`] leaves it.
const NAMES: &[(PartKey, &[&str])] = &[
    (PartKey::Summary, &["abstract", "in short", "in brief"]),
    (PartKey::Challenge, &["problem", "background", "need", "context", "situation"]),
    (PartKey::Aim, &["aims", "project aims", "project aim", "objective", "objectives", "goal", "goals", "purpose"]),
    (
        PartKey::WhatWeDid,
        &["approach", "our approach", "method", "methods", "how we did it", "solution", "what was done"],
    ),
    (PartKey::Functionality, &["functionality", "capabilities", "features", "what it does", "how it works"]),
    (
        PartKey::Outcomes,
        &[
            "outcome",
            "results",
            "result",
            "impact",
            "impacts",
            "impact and outcomes",
            "impacts and outcomes",
            "outcomes and impact",
            "outcomes and lessons learned",
            "outcomes and lessons learnt",
            "what we found",
            "findings",
        ],
    ),
    (PartKey::WhatDidNotWork, &["what didnt work", "what went wrong", "limitations", "difficulties"]),
    (
        PartKey::LessonsLearned,
        &["lessons", "lessons learnt", "learning", "what we learned", "what we learnt", "key lessons"],
    ),
    (PartKey::Costs, &["cost", "cost and funding", "funding"]),
    (PartKey::BenefitsAndRisks, &["benefits", "risks", "risks and benefits"]),
    (PartKey::Evidence, &["evidence", "evaluation", "evaluation and evidence", "validation"]),
    (PartKey::IntendedUse, &["use", "who is it for", "technology readiness level"]),
    (PartKey::RegulatoryClass, &["regulation", "regulatory status", "medical device"]),
    (PartKey::DataProtection, &["data protection", "dpia", "data protection impact assessment"]),
    (PartKey::EqualityImpact, &["equality", "equalities", "equality impact assessment", "equity", "inclusion"]),
    (PartKey::InformationGovernance, &["ig", "governance"]),
    (PartKey::PatientInvolvement, &["patient involvement", "public involvement", "ppi", "ppie"]),
    (PartKey::Team, &["who was involved", "project team", "who we are", "people", "partners"]),
    (PartKey::Sponsor, &["sponsors", "sponsorship"]),
    (PartKey::Supplier, &["suppliers", "supplier and disclosure", "disclosure", "vendor"]),
    (PartKey::Scope, &["setting and scope", "where it is used"]),
    (PartKey::WhatNext, &["whats next", "next steps", "future work", "next", "future"]),
    (
        PartKey::FindOutMore,
        &["info", "further reading", "further information", "more information", "links", "references", "resources"],
    ),
    (PartKey::Contact, &["contacts", "contact us", "get in touch"]),
    (PartKey::Licence, &["license", "licensing"]),
];

/// Headings that only hold others together.
const FRAMES: [&str; 3] = ["case study", "case study overview", "overview of case study"];

/// The words of a heading: small letters, without markup, signs and a leading article.
#[must_use]
pub fn plain(heading: &str) -> String {
    let mut words = String::new();
    let mut depth = 0_u32;
    let mut after_text = false;
    for c in heading.chars() {
        match c {
            // The address of a link.
            '(' if after_text => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            '\'' | '’' | '*' | '_' | '`' | '[' => {}
            ']' => {}
            '&' => words.push_str(" and "),
            c if c.is_alphanumeric() => words.extend(c.to_lowercase()),
            _ => words.push(' '),
        }
        after_text = c == ']';
    }
    let words: Vec<&str> = words.split_whitespace().collect();
    let words = words.strip_prefix(&["the"]).unwrap_or(&words);
    words.join(" ")
}

/// The part that a heading stands for.
#[must_use]
pub fn part_of(heading: &str) -> Option<PartKey> {
    let words = plain(heading);
    if words.is_empty() {
        return None;
    }
    let own = PartKey::ALL.iter().copied().find(|key| plain(&title(*key)) == words);
    own.or_else(|| NAMES.iter().find(|(_, names)| names.contains(&words.as_str())).map(|(key, _)| *key))
        .or_else(|| (words.starts_with("why ") && words.ends_with(" is needed")).then_some(PartKey::Challenge))
        .or_else(|| (words.starts_with("how ") && words.ends_with(" works")).then_some(PartKey::Functionality))
        // These are not prose.
        .filter(|key| !matches!(key, PartKey::Summary | PartKey::Owner | PartKey::ReviewDue | PartKey::Licence))
}

/// Whether a heading only holds others together.
#[must_use]
pub fn is_frame(heading: &str) -> bool {
    FRAMES.contains(&plain(heading).as_str())
}

/// A heading as a line has it: `## Words`, or a line of nothing but bold words, which counts as
/// one of level 7 if it names a part.
#[must_use]
pub fn heading_of(line: &str) -> Option<(usize, &str)> {
    let trimmed = line.trim_end();
    let level = trimmed.bytes().take_while(|byte| *byte == b'#').count();
    if (1..=6).contains(&level) {
        let words = trimmed.get(level..)?;
        if !words.is_empty() && !words.starts_with([' ', '\t']) {
            return None;
        }
        return Some((level, words.trim().trim_end_matches('#').trim_end()));
    }
    let bold = trimmed.strip_prefix("**")?.strip_suffix("**")?;
    let named = !bold.contains("**") && bold.len() < 80 && part_of(bold).is_some();
    named.then_some((7, bold))
}

/// Follows code fences through a text: headings inside them are none.
#[derive(Debug, Default)]
pub struct Fences {
    open: Option<(char, usize)>,
}

impl Fences {
    /// Whether this line is inside a code block, or its fence.
    pub fn inside(&mut self, line: &str) -> bool {
        let bare = line.trim_start();
        let first = bare.chars().next().unwrap_or(' ');
        let length = bare.chars().take_while(|c| *c == first).count();
        match self.open {
            None if matches!(first, '`' | '~') && length >= 3 => {
                let info = bare.get(length..).unwrap_or_default();
                if first == '`' && info.contains('`') {
                    return false;
                }
                self.open = Some((first, length));
                true
            }
            None => false,
            Some((sign, least)) => {
                let closes = first == sign && length >= least && bare.chars().skip(length).all(char::is_whitespace);
                if closes {
                    self.open = None;
                }
                true
            }
        }
    }
}
