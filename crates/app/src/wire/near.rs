//! What to say of a word that is not known.

use jobmill_model::suggest::nearest;

use jobmill_model::fault::cut;

/// A word is shown and compared by its beginning only.
const SHOWN_BYTES: usize = 128;

/// What to say of a word that is not known.
pub(crate) fn unknown(what: &str, text: &str, known: &[&str]) -> String {
    let text = cut(text, SHOWN_BYTES);
    match nearest(text, known.iter().copied()) {
        Some(near) => format!("unknown {what} {text:?}; did you mean {near:?}?"),
        None => format!("unknown {what} {text:?}; known are {}", known.join(", ")),
    }
}
