//! Prints the findings of definitions: `cargo run -p jobmill-gcw --example check FILE…`.

use std::process::ExitCode;

use jobmill_gcw::{Limits, check};

fn main() -> ExitCode {
    let mut is_refused = false;
    for path in std::env::args().skip(1) {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                eprintln!("{path}: {error}");
                is_refused = true;
                continue;
            }
        };
        let checked = check(&text, &Limits::lifted());
        checked.diagnostics.iter().for_each(|finding| println!("{path}:{finding}"));
        is_refused |= checked.has_errors();
    }
    ExitCode::from(u8::from(is_refused))
}
