//! Whether a licence expression can be met with licences from a list.

/// Reads an SPDX expression: `AND` binds closer than `OR`, and `/` is an old way to write `OR`.
pub(crate) fn is_met(expression: &str, allowed: impl Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reading = Reading { words: &words, allowed: &allowed };
    reading.any_of() == Some(true) && reading.words.is_empty()
}

/// Each part answers whether it is met, or nothing where it cannot be read.
struct Reading<'a> {
    words: &'a [&'a str],
    allowed: &'a dyn Fn(&str) -> bool,
}

impl<'a> Reading<'a> {
    fn any_of(&mut self) -> Option<bool> {
        let mut met = self.all_of()?;
        while self.take("OR") {
            met |= self.all_of()?;
        }
        Some(met)
    }

    fn all_of(&mut self) -> Option<bool> {
        let mut met = self.one()?;
        while self.take("AND") {
            met &= self.one()?;
        }
        Some(met)
    }

    fn one(&mut self) -> Option<bool> {
        if self.take("(") {
            let met = self.any_of()?;
            return self.take(")").then_some(met);
        }
        let licence = self.next()?;
        if !self.take("WITH") {
            return Some((self.allowed)(licence));
        }
        let exception = self.next()?;
        Some((self.allowed)(&format!("{licence} WITH {exception}")))
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.words.first() == Some(&word);
        if found {
            self.words = &self.words[1..];
        }
        found
    }

    fn next(&mut self) -> Option<&'a str> {
        let (first, rest) = self.words.split_first()?;
        self.words = rest;
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(expression: &str) -> bool {
        is_met(expression, |licence| {
            ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&licence)
        })
    }

    #[test]
    fn one_of_several_is_enough() {
        assert!(met("MIT"));
        assert!(met("GPL-3.0 OR MIT"));
        assert!(met("MIT/GPL-3.0"));
        assert!(!met("GPL-3.0 OR LGPL-3.0"));
    }

    #[test]
    fn all_of_several_are_needed() {
        assert!(met("MIT AND (GPL-3.0 OR ISC)"));
        assert!(!met("MIT AND GPL-3.0"));
        assert!(met("GPL-3.0 AND MIT OR ISC"));
    }

    #[test]
    fn a_licence_with_an_exception_is_a_licence_of_its_own() {
        assert!(met("Apache-2.0 WITH LLVM-exception OR GPL-3.0"));
        assert!(!met("Apache-2.0"));
        assert!(!met("MIT WITH LLVM-exception"));
    }

    #[test]
    fn what_cannot_be_read_is_not_met() {
        assert!(!met(""));
        assert!(!met("(MIT"));
        assert!(!met("MIT ISC"));
        assert!(!met("MIT OR"));
    }
}
