//! One Rust source file as the laws see it: its words, its functions and its test parts.

use std::ops::RangeInclusive;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, Meta, Signature};

use super::lexemes::Lexemes;
use crate::failure::Failure;

type Lines = RangeInclusive<usize>;

pub(crate) struct Source {
    /// Relative to the root of the workspace.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) lexemes: Lexemes,
    pub(crate) functions: Vec<Function>,
    pub(crate) trait_verbs: Vec<Verb>,
    pub(crate) excuses: Vec<Excuse>,
    test_parts: Vec<Lines>,
    /// Names of modules that are declared here for tests only and live in a file of their own.
    test_modules: Vec<String>,
    is_test_file: bool,
}

pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// From the signature to the closing brace.
    pub(crate) length: usize,
}

/// An asynchronous method of a trait.
pub(crate) struct Verb {
    pub(crate) name: String,
    pub(crate) line: usize,
}

/// An `allow` or `expect` attribute.
pub(crate) struct Excuse {
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) has_reason: bool,
}

impl Source {
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, Failure> {
        let broken = |error: syn::Error| {
            Failure::new(format!("{path}:{}: {error}", error.span().start().line))
        };
        let file = syn::parse_file(text).map_err(broken)?;
        let stream = text.parse().map_err(Failure::of(path))?;
        let mut reading = Reading::default();
        reading.visit_file(&file);
        Ok(Self {
            path: path.to_owned(),
            text: text.to_owned(),
            lexemes: Lexemes::of(stream),
            functions: reading.functions,
            trait_verbs: reading.trait_verbs,
            excuses: reading.excuses,
            test_parts: reading.test_parts,
            test_modules: reading.test_modules,
            is_test_file: path.split('/').any(|part| part == "tests" || part == "tests.rs"),
        })
    }

    /// Finds the files of `#[cfg(test)] mod name;`, which carry no mark of their own.
    pub(crate) fn mark_test_modules(sources: &mut [Self]) {
        let modules: Vec<String> = sources.iter().flat_map(Self::test_module_paths).collect();
        for source in sources {
            source.is_test_file |= modules.iter().any(|module| lives_in(&source.path, module));
        }
    }

    fn test_module_paths(&self) -> Vec<String> {
        let stem = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let (folder, name) = stem.rsplit_once('/').unwrap_or(("", stem));
        let parent = if matches!(name, "lib" | "main" | "mod") { folder } else { stem };
        self.test_modules.iter().map(|module| format!("{parent}/{module}")).collect()
    }

    pub(crate) fn is_test_line(&self, line: usize) -> bool {
        self.is_test_file || self.test_parts.iter().any(|part| part.contains(&line))
    }

    /// The number of lines that are not tests.
    pub(crate) fn length(&self) -> usize {
        (1..=self.text.lines().count()).filter(|&line| !self.is_test_line(line)).count()
    }

    /// The functions that are not tests.
    pub(crate) fn shipped_functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.iter().filter(|function| !self.is_test_line(function.line))
    }
}

/// Whether the file is the module `crates/a/src/b` or lies below it.
pub(crate) fn lives_in(path: &str, module: &str) -> bool {
    let rest = path.strip_prefix(module);
    rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

#[derive(Default)]
struct Reading {
    functions: Vec<Function>,
    trait_verbs: Vec<Verb>,
    excuses: Vec<Excuse>,
    test_parts: Vec<Lines>,
    test_modules: Vec<String>,
}

impl Reading {
    fn function(&mut self, signature: &Signature, body: &syn::Block) {
        let line = signature.span().start().line;
        let last = body.brace_token.span.close().end().line;
        let name = signature.ident.to_string();
        self.functions.push(Function { name, line, length: last + 1 - line });
    }

    fn test_part(&mut self, attributes: &[Attribute], part: &impl Spanned) {
        if attributes.iter().any(marks_test) {
            let span = part.span();
            let first = attributes.iter().map(|it| it.span().start().line).min();
            let first = first.unwrap_or(usize::MAX).min(span.start().line);
            self.test_parts.push(first..=span.end().line);
        }
    }
}

impl<'ast> Visit<'ast> for Reading {
    fn visit_item(&mut self, item: &'ast Item) {
        self.test_part(attributes(item), item);
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if module.content.is_none() && module.attrs.iter().any(marks_test) {
            self.test_modules.push(module.ident.to_string());
        }
        visit::visit_item_mod(self, module);
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if let ImplItem::Fn(function) = item {
            self.test_part(&function.attrs, function);
            self.function(&function.sig, &function.block);
        }
        visit::visit_impl_item(self, item);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        let signature = &function.sig;
        if let Some(body) = &function.default {
            self.function(signature, body);
        }
        if signature.asyncness.is_some() {
            let line = signature.span().start().line;
            self.trait_verbs.push(Verb { name: signature.ident.to_string(), line });
        }
        visit::visit_trait_item_fn(self, function);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta
            && (list.path.is_ident("allow") || list.path.is_ident("expect"))
        {
            let words = Lexemes::of(list.tokens.clone());
            self.excuses.push(Excuse {
                line: attribute.span().start().line,
                text: list.tokens.to_string().replace(' ', ""),
                has_reason: words.name("reason"),
            });
        }
    }
}

/// `#[test]`, `#[tokio::test]` and `#[cfg(test)]` in its variations.
fn marks_test(attribute: &Attribute) -> bool {
    let path = attribute.path();
    if path.is_ident("cfg") {
        return attribute.parse_args::<Meta>().is_ok_and(|condition| needs_test(&condition));
    }
    path.segments.last().is_some_and(|segment| segment.ident == "test")
}

/// Whether the condition can hold in tests only; `any(test, feature = "exam")` can hold elsewhere.
fn needs_test(condition: &Meta) -> bool {
    let Meta::List(list) = condition else { return condition.path().is_ident("test") };
    let parse = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
    let Ok(parts) = list.parse_args_with(parse) else { return false };
    if list.path.is_ident("all") {
        return parts.iter().any(needs_test);
    }
    list.path.is_ident("any") && parts.iter().all(needs_test)
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(path: &str, text: &str) -> Source {
        Source::parse(path, text).unwrap()
    }

    #[test]
    fn functions_are_measured_from_signature_to_closing_brace() {
        let source = parse("a.rs", "/// Doc.\n#[inline]\npub fn f(\n    x: u8,\n) {\n    x;\n}\n");
        let function = &source.functions[0];
        assert_eq!((function.name.as_str(), function.line, function.length), ("f", 3, 5));
    }

    #[test]
    fn inline_tests_do_not_count() {
        let text = "//! Doc.\nfn f() {}\n\n#[cfg(test)]\nmod tests {\n    fn g() {}\n}\n";
        let source = parse("a.rs", text);
        assert_eq!(source.length(), 3);
        assert_eq!(source.shipped_functions().count(), 1);
    }

    #[test]
    fn code_that_a_feature_can_ship_counts() {
        let shipped = "#[cfg(any(test, feature = \"exam\"))]\nfn f() {}\n";
        let tests = "#[cfg(all(test, unix))]\nfn f() {}\n";
        assert_eq!(parse("a.rs", shipped).length(), 2);
        assert_eq!(parse("a.rs", tests).length(), 0);
        assert_eq!(parse("a.rs", "#[cfg(not(test))]\nfn f() {}\n").length(), 2);
    }

    #[test]
    fn test_modules_in_files_of_their_own_are_found() {
        let mut sources = [
            parse("crates/a/src/lib.rs", "#[cfg(test)]\nmod bench;\nmod b;"),
            parse("crates/a/src/bench.rs", "fn f() {}"),
            parse("crates/a/src/bench/load.rs", "fn f() {}"),
            parse("crates/a/src/b.rs", "#[cfg(test)] mod c;"),
            parse("crates/a/src/b/c.rs", "fn f() {}"),
            parse("crates/a/src/b/d.rs", "fn f() {}"),
        ];
        Source::mark_test_modules(&mut sources);
        let tests: Vec<bool> = sources.iter().map(|source| source.is_test_file).collect();
        assert_eq!(tests, [false, true, true, false, true, false]);
    }

    #[test]
    fn only_asynchronous_methods_of_traits_are_verbs() {
        let text = "trait T { async fn job_claim(&self); fn name(&self) -> u8; }\n\
                    async fn free() {}";
        let source = parse("a.rs", text);
        let verbs: Vec<&str> = source.trait_verbs.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(verbs, ["job_claim"]);
    }
}
