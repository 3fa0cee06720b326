//! The flags of the settings, made from the table.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::table::{Fallback, SETTINGS, Setting, Side};

/// What flags say, by the name of the setting.
pub type Given = BTreeMap<&'static str, String>;

/// Which settings a command takes as flags.
pub trait Part {
    /// Whether this one is among them.
    fn takes(setting: &Setting) -> bool;

    /// Whether the flags may also stand behind a subcommand.
    const GLOBAL: bool = false;
}

/// Those of the server.
#[derive(Debug, Clone, Copy)]
pub struct Serving;

/// Those of the commands that talk to a server.
#[derive(Debug, Clone, Copy)]
pub struct Calling;

/// That of the data folder alone.
#[derive(Debug, Clone, Copy)]
pub struct Storing;

/// Those of a worker that is a process of its own.
#[derive(Debug, Clone, Copy)]
pub struct Working;

/// All.
#[derive(Debug, Clone, Copy)]
pub struct Every;

impl Part for Serving {
    fn takes(setting: &Setting) -> bool {
        setting.side != Side::Client
    }
}

impl Part for Calling {
    fn takes(setting: &Setting) -> bool {
        setting.side != Side::Server
    }

    const GLOBAL: bool = true;
}

impl Part for Storing {
    fn takes(setting: &Setting) -> bool {
        setting.name == "data"
    }
}

impl Part for Working {
    fn takes(setting: &Setting) -> bool {
        setting.side != Side::Server || ["grace", "log", "log_format"].contains(&setting.name)
    }
}

impl Part for Every {
    fn takes(_: &Setting) -> bool {
        true
    }
}

/// The flags that a command was given.
#[derive(Debug, Clone)]
pub struct Flags<P> {
    /// By the name of the setting.
    pub given: Given,
    part: PhantomData<P>,
}

impl<P: Part> Flags<P> {
    fn settings() -> impl Iterator<Item = &'static Setting> {
        SETTINGS.iter().filter(|setting| setting.has_flag() && P::takes(setting))
    }
}

fn arg(setting: &'static Setting) -> Arg {
    let default = match setting.fallback {
        Fallback::Text(text) => format!(" [default: {text}]"),
        Fallback::Made(_) | Fallback::Nothing(_) => String::new(),
    };
    Arg::new(setting.name)
        .long(setting.flag())
        .value_name(setting.value)
        .help(format!("{}{default}", setting.about))
        .help_heading("Settings")
}

impl<P: Part> Args for Flags<P> {
    fn augment_args(command: Command) -> Command {
        command.args(Self::settings().map(|setting| arg(setting).global(P::GLOBAL)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<P: Part> FromArgMatches for Flags<P> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let one = |setting: &'static Setting| {
            Some((setting.name, matches.get_one::<String>(setting.name)?.clone()))
        };
        Ok(Self { given: Self::settings().filter_map(one).collect(), part: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.given.extend(Self::from_arg_matches(matches)?.given);
        Ok(())
    }
}
