//! The engine under simulated time, on one thread, with everything that can go wrong.
//!
//! The real engine runs on a tokio runtime of one thread without drivers. Its clock, its
//! chance, its performer and its store are simulated: whenever the runtime has nothing left to
//! do, the next event of the [`time`] happens, and nothing else makes time pass. A seed decides
//! everything, so a seed that fails can be watched again, line by line.
//!
//! `run` lets processes live and crash and clients do what the `plan` says (`client`); `disk`
//! is the store that loses what was not synced; `outside` is the world in which work is done,
//! and `labour` the workers in it that lease jobs. `witness`, `deeds`, `lent` and `ticks` see all
//! of it and say which promise is broken; `finish` checks the books. `flaw` has stores that are
//! wrong on purpose.
#![allow(clippy::unwrap_used, reason = "a simulation that cannot go on fails")]

mod client;
mod deeds;
mod dice;
pub(crate) mod disk;
mod finish;
mod flaw;
pub(crate) mod labour;
mod lent;
pub(crate) mod life;
mod line;
pub(crate) mod outside;
mod plan;
pub(crate) mod port;
mod run;
pub(crate) mod steps;
mod ticks;
pub(crate) mod time;
mod verb;
pub(crate) mod witness;

pub(crate) use flaw::Flaw;
pub(crate) use run::run;

/// Keeps panics that belong to the simulation out of the output.
pub(crate) fn hush() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let text = panic.payload().downcast_ref::<&str>().copied().unwrap_or_default();
            if !text.starts_with("simulated panic") {
                usual(panic);
            }
        }));
    });
}
