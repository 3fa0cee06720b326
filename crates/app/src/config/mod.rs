//! Settings: one table, four places, and where each value came from.
//!
//! A setting has one name. With `_` it is a key of `jobmill.toml`, in capitals after `JOBMILL_`
//! it is a variable of the environment, with `-` after `--` it is a flag. The later of these
//! wins: default, file, environment, flag. Nothing outside this module reads the environment.

mod environment;
mod file;
mod flags;
mod flows;
mod load;
mod parse;
mod settings;
mod table;

pub use environment::Environment;
pub use flags::{Calling, Every, Flags, Given, Part, Serving, Storing, Working};
pub use load::{ConfigError, Found, Loaded, Origin, Sources, defaults, load};
pub use settings::{Keys, LogFormat, Secret, Settings};
pub use table::{Fallback, SETTINGS, Setting, Side, secret};
