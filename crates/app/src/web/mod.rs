//! The pages and their files, built into the binary. They load nothing from elsewhere.

/// The media type of the pages.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// The page at `/`.
pub(crate) const PAGE: &str = include_str!("page.html");

/// The page at `/docs`.
pub(crate) const DOCS: &str = include_str!("docs.html");

/// A file that a page needs: its media type and its text.
pub(crate) fn file(name: &str) -> Option<(&'static str, &'static str)> {
    const CSS: &str = "text/css; charset=utf-8";
    const JS: &str = "text/javascript; charset=utf-8";
    match name {
        "style.css" => Some((CSS, include_str!("style.css"))),
        "page.js" => Some((JS, include_str!("page.js"))),
        "docs.js" => Some((JS, include_str!("docs.js"))),
        _ => None,
    }
}
