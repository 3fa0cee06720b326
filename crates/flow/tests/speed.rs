//! How quick a large product is. Run it with
//! `cargo test --release -p jobmill-flow --test speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use jobmill_flow::output::ChunkWriter;
use jobmill_flow::{ExpandReduceFlow, Flow, Output, Unwatched, Work};
use jobmill_model::{Fault, Map, Value};

/// Counts entries and forgets them.
#[derive(Default)]
struct Nowhere {
    entries: u64,
    bytes: u64,
}

impl Output for Nowhere {
    fn begin_object(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn entry(&mut self, _key: &str, _value: &Value) -> Result<(), Fault> {
        self.entries += 1;
        Ok(())
    }

    fn entry_text(&mut self, key: &str, value: &str) -> Result<(), Fault> {
        self.entries += 1;
        self.bytes += (key.len() + value.len()) as u64;
        Ok(())
    }

    fn end_object(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn begin_list(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn end_list(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn value(&mut self, _value: &Value) -> Result<(), Fault> {
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "this is a measurement")]
fn timed(what: &str, work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    let took = start.elapsed();
    println!("{what}: {took:?}");
    took
}

fn run(keys: impl Iterator<Item = String>, separator: &str, output: &mut dyn Output) {
    let input: Map = keys.map(|key| (key.clone(), Value::from(key))).collect();
    let params = Value::map([("separator", Value::from(separator))]);
    let (input, watch) = (Value::from(input), &Unwatched);
    let work = Work { input: &input, params: &params, output, watch };
    ExpandReduceFlow::new().run(work).expect("nothing is wrong with the dictionary");
}

fn measured(what: &str, separator: &str, keys: impl Iterator<Item = String>) -> Duration {
    let mut output = Nowhere::default();
    let took = timed(what, || run(keys, separator, &mut output));
    println!("  {} entries, {} bytes", output.entries, output.bytes);
    took
}

#[test]
#[ignore = "a measurement, for release builds"]
fn four_million_pairs_take_well_under_a_second() {
    let plain = measured("plain keys", " ", (0..4000).map(|key| format!("key-{key}")));
    measured("keys with spaces", " ", (0..4000).map(|key| format!("key {key} of many")));
    measured("keys that may collide", "", (0..4000).map(|key| key.to_string()));
    measured("keys that do collide", "", (1..=4000).map(|len| "a".repeat(len)));
    let mut bytes = 0;
    let mut writer = ChunkWriter::new(|chunk| {
        bytes += chunk.text.len();
        Ok(())
    });
    timed("plain keys into chunks", || {
        run((0..4000).map(|key| format!("key-{key}")), " ", &mut writer);
    });
    writer.finish().unwrap();
    println!("  {bytes} bytes");
    assert!(plain < Duration::from_secs(1), "{plain:?}");
}
