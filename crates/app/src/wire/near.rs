//! Did you mean: the known word that is nearest to a written one.

use jobmill_model::fault::cut;

/// A word is shown and compared by its beginning only.
const SHOWN_BYTES: usize = 128;

/// The known word that differs least from `text`, if it differs little.
pub(crate) fn nearest<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = known.iter().map(|word| (distance(text, word), *word)).min()?;
    (near.0 <= 1 + text.chars().count() / 4).then_some(near.1)
}

/// What to say of a word that is not known.
pub(crate) fn unknown(what: &str, text: &str, known: &[&str]) -> String {
    let text = cut(text, SHOWN_BYTES);
    match nearest(text, known) {
        Some(near) => format!("unknown {what} {text:?}; did you mean {near:?}?"),
        None => format!("unknown {what} {text:?}; known are {}", known.join(", ")),
    }
}

/// How many characters must be changed, added or left out to get from one text to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("prioritty", &["queue", "priority"]), Some("priority"));
        assert_eq!(nearest("flw", &["flow"]), Some("flow"));
        assert_eq!(nearest("colour", &["queue", "flow"]), None);
    }
}
