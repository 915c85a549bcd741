//! Mail addresses as people paste them.

use std::collections::HashSet;

use super::register;
use crate::web::error::FieldError;

/// Addresses from a pasted list: one a line, or with commas, semicolons or blanks between; those
/// in angle brackets count. Returns what cannot be read apart.
#[must_use]
pub fn parse_list(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    for line in text.split(['\n', ',', ';']).map(str::trim).filter(|line| !line.is_empty()) {
        let inner = line.rsplit_once('<').and_then(|(_, rest)| rest.split('>').next());
        let parts: Vec<&str> = inner.map_or_else(|| line.split_whitespace().collect(), |one| vec![one]);
        for part in parts {
            match register::parse_email(part) {
                Some(email) if seen.insert(email.clone()) => good.push(email),
                Some(_) => {}
                None => bad.push(part.chars().take(80).collect()),
            }
        }
    }
    (good, bad)
}

/// Faults of a pasted list, one for each address that cannot be read.
#[must_use]
pub fn faults_of(bad: &[String]) -> Vec<FieldError> {
    bad.iter()
        .take(20)
        .map(|text| FieldError {
            field: "emails".into(),
            message: crate::web::words::english().with("accounts.fault.email_bad", &[("text", text)]),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_pasted_list_is_read_in_the_ways_people_write_it() {
        let (good, bad) = super::parse_list("a@x.org, B@x.org;\nCara <c@x.org>\n\nd@x.org e@x.org\na@x.org\nnobody");
        assert_eq!(good, ["a@x.org", "b@x.org", "c@x.org", "d@x.org", "e@x.org"]);
        assert_eq!(bad, ["nobody"]);
    }
}
