//! The ceiling of the disk: how often one thread can write 4 KiB and have them on disk.
//!
//! `sync_rate FOLDER SECONDS`: first at the end of a growing file, as a new log does, then over
//! what is there, as a log does that is begun anew.
#![expect(clippy::disallowed_methods, reason = "a rate is measured with a real clock")]

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

const PAGE: [u8; 4096] = [7; 4096];
/// Rewriting begins anew at this length.
const LOG_BYTES: u64 = 4 * 1024 * 1024;

/// Writes and syncs for so long; answers the sorted times of each.
fn measure(duration: Duration, mut write: impl FnMut() -> io::Result<()>) -> io::Result<Vec<u128>> {
    let (start, mut micros) = (Instant::now(), Vec::new());
    while start.elapsed() < duration {
        let began = Instant::now();
        write()?;
        micros.push(began.elapsed().as_micros());
    }
    micros.sort_unstable();
    Ok(micros)
}

fn figures(name: &str, micros: &[u128], duration: Duration) -> String {
    let at = |hundredths: usize| micros[(micros.len() - 1) * hundredths / 100];
    let rate = micros.len() as f64 / duration.as_secs_f64();
    let (p50, p99) = (at(50), at(99));
    format!(r#""{name}":{{"rate":{rate:.0},"p50_us":{p50},"p99_us":{p99}}}"#)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, seconds] = words.as_slice() else { return Err("sync_rate FOLDER SECONDS".into()) };
    let half = Duration::from_secs_f64(seconds.parse::<f64>()? / 2.0);
    let path = PathBuf::from(folder).join("sync_rate");
    let mut file = File::create(&path)?;
    let appended = measure(half, || {
        file.write_all(&PAGE)?;
        file.sync_data()
    })?;
    file.set_len(0)?;
    (0..LOG_BYTES).step_by(PAGE.len()).try_for_each(|_| file.write_all(&PAGE))?;
    file.sync_all()?;
    let rewritten = measure(half, || {
        if file.stream_position()? >= LOG_BYTES {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&PAGE)?;
        file.sync_data()
    })?;
    std::fs::remove_file(&path)?;
    let (appended, rewritten) =
        (figures("append", &appended, half), figures("rewrite", &rewritten, half));
    println!("{{{appended},{rewritten}}}");
    Ok(())
}
