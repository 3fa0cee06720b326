//! Every limit of the language: its name with unit, Google's value, and ours.
//!
//! [`Limits::google`] is what `--gcp-limits` enforces; [`Limits::lifted`] is the default, which
//! is what one machine can hold. Sources: the quotas page, reference §5 and §11.

macro_rules! limits {
    ($($(#[$doc:meta])+ $name:ident: $google:expr, $lifted:expr;)*) => {
        /// The numbers in force for one definition and its executions.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct Limits {
            $($(#[$doc])+ pub $name: u64,)*
        }

        impl Limits {
            /// Google's numbers.
            #[must_use]
            pub const fn google() -> Self {
                Self { $($name: $google,)* }
            }

            /// The numbers of this house, used unless Google's are asked for.
            #[must_use]
            pub const fn lifted() -> Self {
                Self { $($name: $lifted,)* }
            }

            /// Every limit: name, Google's value, lifted value.
            #[must_use]
            pub fn table() -> Vec<(&'static str, u64, u64)> {
                vec![$((stringify!($name), $google, $lifted),)*]
            }
        }
    };
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

limits! {
    /// Size of a definition's source. \[D\]
    source_bytes: 128 * KIB, 4 * MIB;
    /// Bytes of an execution's argument, as JSON text. \[P\]
    argument_bytes: 32 * KIB, 16 * MIB;
    /// Nodes of the source tree after aliases are expanded. Ours alone: alias bombs.
    source_nodes: 100_000, 1_000_000;
    /// Levels of nesting in the source. Ours alone: bounds the recursion of every later pass.
    source_depth: 100, 100;
    /// Parameters of one routine. Ours alone.
    params_per_routine: 100, 1_000;
    /// Assignments in one `assign` step. \[D\]
    assigns_per_step: 50, 10_000;
    /// Entries of one `switch`. \[D\]
    conditions_per_switch: 50, 10_000;
    /// Branches of one `parallel` step. \[D\]
    branches_per_parallel: 10, 1_000;
    /// Characters of one expression. \[2\]\[M\]
    expression_chars: 400, 64 * KIB;
    /// Height of one expression's tree. Ours alone: bounds recursion.
    expression_depth: 200, 200;
    /// Subworkflow calls that may be open at once; one more is a `RecursionError`. \[D\]
    call_depth: 20, 1_000;
    /// Steps that one execution may take; one more is a `ResourceLimitError`. \[D\]
    steps_per_execution: 100_000, 10_000_000;
    /// Nesting of `parallel` steps; one more is a `ParallelNestingError`. \[D\]
    parallel_depth: 2, 8;
    /// Branches or iterations of one `parallel` step that are under way at once. \[D\]
    parallel_active: 20, 100;
    /// Uncaught errors of one `parallel` step that are kept; the rest are counted off. \[D\]
    parallel_errors: 100, 1_000;
    /// Iterations of one `parallel for`. Ours alone: bounds bookkeeping.
    parallel_iterations: 1_000_000, 10_000_000;
    /// Bytes of all variables of an execution. \[2\]\[M\]
    variables_bytes: 512 * KIB, 64 * MIB;
    /// Bytes of one string. \[D\]
    string_bytes: 256 * KIB, 16 * MIB;
    /// Levels of nesting in one value. Ours alone: bounds recursion.
    value_depth: 120, 120;
    /// Bytes of an HTTP response's body. \[2\]\[M\]
    http_response_bytes: 2 * MIB, 16 * MIB;
    /// Seconds that an HTTP call may take. \[D\]
    http_timeout_seconds: 1_800, 86_400;
    /// Seconds that one sleep may take. \[D\]
    sleep_seconds: 31_536_000, 31_536_000;
    /// Bytes of the compiled form of one regular expression. Ours alone.
    regex_bytes: MIB, MIB;
    /// Matches or parts that one `text.*` function may return. Ours alone.
    text_matches: 500_000, 500_000;
    /// Matches times bytes of the text that one `text.*_regex` may go through. Ours alone.
    regex_work: 10_000_000_000, 10_000_000_000;
}

impl Default for Limits {
    fn default() -> Self {
        Self::lifted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifted_limits_are_never_below_googles() {
        let table = Limits::table();
        assert!(table.len() > 20);
        for (name, google, lifted) in table {
            assert!(lifted >= google && google > 0, "{name}: {google}, {lifted}");
        }
        assert_eq!(
            (Limits::google().steps_per_execution, Limits::google().call_depth),
            (100_000, 20)
        );
    }
}
