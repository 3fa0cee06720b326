//! "Did you mean …": the nearest of the words that would have been right.

/// The candidate that is nearest to a word, if any is near: at most every third letter is
/// missing, added, replaced or swapped with its neighbour.
///
/// ```
/// use jobmill_model::suggest::nearest;
///
/// assert_eq!(nearest("flwo", ["flow", "input"]), Some("flow"));
/// assert_eq!(nearest("quux", ["flow", "input"]), None);
/// ```
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A longer word is no misspelling, and looking at it would cost its length squared.
    let letters: Vec<char> = word.chars().take(65).collect();
    let bearable = (letters.len() / 3).max(1);
    let candidates = candidates.into_iter().filter(|_| letters.len() <= 64);
    let near = candidates.map(|candidate| (distance(&letters, candidate), candidate));
    let (distance, candidate) = near.min_by_key(|(distance, _)| *distance)?;
    (distance <= bearable).then_some(candidate)
}

/// `; did you mean "…"?` where something is near, else nothing: the end of a message.
#[must_use]
pub fn hint<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |it| format!("; did you mean \"{it}\"?"))
}

/// How many letters have to be added, taken out, replaced or swapped with their neighbour.
fn distance(word: &[char], candidate: &str) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=word.len()).collect();
    let mut last = None;
    for (line, letter) in candidate.chars().enumerate() {
        let mut next = vec![line + 1];
        for (at, &other) in word.iter().enumerate() {
            let replaced = row[at] + usize::from(other != letter);
            let mut least = replaced.min(row[at + 1] + 1).min(next[at] + 1);
            if at > 0 && last == Some(other) && word[at - 1] == letter {
                least = least.min(before[at - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
        last = Some(letter);
    }
    row[word.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_letters() {
        let table = [
            ("flow", "flow", 0),
            ("flwo", "flow", 1),
            ("flo", "flow", 1),
            ("", "flow", 4),
            ("flow", "", 4),
            ("kitten", "sitting", 3),
        ];
        for (word, candidate, expected) in table {
            let letters: Vec<char> = word.chars().collect();
            assert_eq!(distance(&letters, candidate), expected, "{word} {candidate}");
        }
    }

    #[test]
    fn a_very_long_word_is_near_to_nothing() {
        assert_eq!(nearest(&"x".repeat(1_000_000), ["x"]), None);
    }
}
