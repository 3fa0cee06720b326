//! Paths with parameters in them: filled in, and taken apart again.

use crate::firestore::{DocumentName, Parent};

/// A piece of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Text(&'t str),
    /// A parameter, and whether it takes slashes.
    Param(&'t str, bool),
}

pub(super) fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some((text, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
        pieces.push(Piece::Text(text));
        let many = name.strip_prefix('+');
        pieces.push(Piece::Param(many.unwrap_or(name), many.is_some()));
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// The parameters of a path that fits the template.
pub(super) fn take_apart<'p, 't>(
    template: &'t str,
    path: &'p str,
) -> Option<Vec<(&'t str, &'p str)>> {
    let mut found = Vec::new();
    fits(&pieces(template), path, &mut found).then_some(found)
}

fn fits<'p, 't>(pieces: &[Piece<'t>], path: &'p str, found: &mut Vec<(&'t str, &'p str)>) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return path.is_empty() };
    match *first {
        Piece::Text(text) => {
            path.strip_prefix(text).is_some_and(|behind| fits(rest, behind, found))
        }
        Piece::Param(name, false) => {
            let end = path.find('/').unwrap_or(path.len());
            found.push((name, &path[..end]));
            end > 0 && fits(rest, &path[end..], found)
        }
        Piece::Param(name, true) => {
            // The longest first; what is behind it begins with a slash or a colon.
            let ends = path.rmatch_indices(['/', ':']).map(|(end, _)| end);
            for end in std::iter::once(path.len()).chain(ends) {
                let length = found.len();
                if is_one(name, &path[..end]) {
                    found.push((name, &path[..end]));
                    if fits(rest, &path[end..], found) {
                        return true;
                    }
                    found.truncate(length);
                }
            }
            false
        }
    }
}

/// Whether a text may be the parameter of this name.
fn is_one(name: &str, text: &str) -> bool {
    match name {
        "name" => DocumentName::read(text).is_ok(),
        "parent" => Parent::read(text).is_ok(),
        "database" => Parent::of_database(text).is_ok(),
        _ => !text.is_empty(),
    }
}
