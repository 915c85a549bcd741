//! Terms of case studies as an index holds them, all kinds in one field: each as the word it is asked
//! for by, and once more with how it is shown, which is counted. Pure.

use std::collections::{BTreeMap, HashMap};

use crate::entities::kinds::TermKind;
use crate::search::Term;

/// Between the parts; no term has it, as control characters are refused in them.
const BETWEEN: char = '\t';

/// The word that a term is asked for by.
#[must_use]
pub fn asked(kind: TermKind, word: &str) -> String {
    format!("{kind}={word}")
}

/// The word that a term is counted by.
#[must_use]
pub fn counted(term: &Term) -> String {
    format!("{}{BETWEEN}{}{BETWEEN}{}", term.kind, term.word, term.label)
}

/// Kind, word and label of what is counted; `None` for what is asked for.
#[must_use]
pub fn read(counted: &str) -> Option<(TermKind, &str, &str)> {
    let mut parts = counted.splitn(3, BETWEEN);
    let (kind, word, label) = (parts.next()?, parts.next()?, parts.next()?);
    Some((TermKind::parse(kind)?, word, label))
}

/// Terms by kind, each as it is shown and with how many documents have it, the most frequent first.
pub type ByKind = BTreeMap<TermKind, Vec<(String, u64)>>;

/// Terms that are counted, by kind and word: who writes `U-Net` and who writes `u-net` count together.
#[derive(Debug, Default)]
pub struct Counts(HashMap<(TermKind, String), (String, u64)>);

impl Counts {
    /// So many more.
    pub fn add(&mut self, kind: TermKind, word: &str, label: &str, count: u64) {
        let of = self.0.entry((kind, word.to_owned())).or_insert_with(|| (label.to_owned(), 0));
        // Written in several ways it is shown in one, wherever it was met first.
        if label < of.0.as_str() {
            label.clone_into(&mut of.0);
        }
        of.1 += count;
    }

    /// So many of each kind, the most frequent.
    #[must_use]
    pub fn most(self, most: usize) -> ByKind {
        let mut kinds = ByKind::new();
        for ((kind, _), counted) in self.0 {
            kinds.entry(kind).or_default().push(counted);
        }
        for counts in kinds.values_mut() {
            counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            counts.truncate(most);
        }
        kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_read_again_and_what_is_asked_for_is_not() {
        let term = Term { kind: TermKind::Technology, word: "a=b".into(), label: "A=B".into() };
        assert_eq!(read(&counted(&term)), Some((TermKind::Technology, "a=b", "A=B")));
        assert_eq!(read(&asked(term.kind, &term.word)), None);
    }

    #[test]
    fn one_word_is_one_term_however_it_is_written() {
        let mut counts = Counts::default();
        counts.add(TermKind::Technology, "u-net", "u-net", 1);
        counts.add(TermKind::Technology, "u-net", "U-Net", 2);
        counts.add(TermKind::Technology, "onnx", "ONNX", 1);
        let most = counts.most(1);
        assert_eq!(most, ByKind::from([(TermKind::Technology, vec![("U-Net".to_owned(), 3)])]));
    }
}
