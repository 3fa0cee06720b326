//! The command line as its users meet it: the real binary, one file per command.

#[cfg(test)]
mod backup;
#[cfg(test)]
mod cancel;
#[cfg(test)]
mod config;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod examples;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod help;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod list;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod metrics;
mod queues;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod results;
#[cfg(test)]
mod retry;
#[cfg(test)]
mod run;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod selftest;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod server;
#[cfg(test)]
mod show;
#[cfg(test)]
mod submit;
#[cfg(test)]
mod wait;
#[cfg(test)]
mod webhook;
#[cfg(test)]
mod worker;
#[cfg(test)]
mod workflows;
