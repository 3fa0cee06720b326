//! Hostile requests through every door of the real server.
//!
//! Valid requests are changed by chance, byte by byte and part by part, and sent over raw
//! sockets. Whatever comes: the server answers no 5XX, closes every connection in time, does not
//! panic, does not grow, and knows afterwards exactly the jobs that it has acknowledged.
//!
//! `JOBMILL_HOSTILE_SEED` repeats a run or begins another, and `JOBMILL_HOSTILE_SECONDS` goes on
//! for so long.

#[cfg(test)]
mod answer;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod dice;
#[cfg(test)]
mod draft;
#[cfg(test)]
mod exchange;
#[cfg(test)]
mod json;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod mutate;
#[cfg(test)]
mod run;
#[cfg(test)]
mod server;
