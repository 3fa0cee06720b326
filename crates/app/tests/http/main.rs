//! The HTTP API against a real server on a port of its own: one file per resource, as the URLs.

#[cfg(test)]
mod access;
#[cfg(test)]
mod bad_input;
mod batches;
#[cfg(test)]
mod bulk;
#[cfg(test)]
mod client;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod document_000;
#[cfg(test)]
mod document_001;
#[cfg(test)]
mod document_004;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod events;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod flows;
#[cfg(test)]
mod google_data;
#[cfg(test)]
mod graphs;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod page;
#[cfg(test)]
mod pairs;
mod queues;
#[cfg(test)]
mod results;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod server;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod trial_flows;
#[cfg(test)]
mod workers;
#[cfg(test)]
mod workflows;
