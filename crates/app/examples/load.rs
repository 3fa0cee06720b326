//! Asks a server the same thing over and over and prints what came of it as JSON.
//!
//! ```text
//! load ADDRESS post PATH BODY CONNECTIONS SECONDS
//! load ADDRESS get FILE_OF_PATHS CONNECTIONS SECONDS
//! load ADDRESS perform BODY CONNECTIONS SECONDS
//! load ADDRESS product KEYS PAGE_ROWS
//! load ADDRESS lease FLOW BATCH SECONDS
//! ```

use std::net::SocketAddr;
use std::time::Duration;

use jobmill::load::{Ask, Leasing, Plan, Product, multiply, run, work};

const USAGE: &str = "load ADDRESS post PATH BODY CONNECTIONS SECONDS
load ADDRESS get FILE_OF_PATHS CONNECTIONS SECONDS
load ADDRESS perform BODY CONNECTIONS SECONDS
load ADDRESS product KEYS PAGE_ROWS
load ADDRESS lease FLOW BATCH SECONDS";

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [address, ask, words @ ..] = words.as_slice() else { return Err(USAGE.into()) };
    let address: SocketAddr = address.parse()?;
    let line = match (*ask, words) {
        ("post", &[path, body, connections, seconds]) => {
            let ask = Ask::Post { path: path.to_owned(), body: body.to_owned() };
            load(address, ask, connections, seconds).await?
        }
        ("get", &[file, connections, seconds]) => {
            let paths = std::fs::read_to_string(file)?.lines().map(str::to_owned).collect();
            load(address, Ask::Get { paths }, connections, seconds).await?
        }
        ("perform", &[body, connections, seconds]) => {
            load(address, Ask::Perform { body: body.to_owned() }, connections, seconds).await?
        }
        ("product", &[keys, page_rows]) => {
            let product = Product { address, keys: keys.parse()?, page_rows: page_rows.parse()? };
            multiply(&product).await?.to_json()
        }
        ("lease", &[flow, batch, seconds]) => {
            let (flow, batch) = (flow.to_owned(), batch.parse()?);
            let duration = Duration::from_secs_f64(seconds.parse()?);
            work(&Leasing { address, flow, batch, duration }).await?.to_json()
        }
        _ => return Err(USAGE.into()),
    };
    println!("{line}");
    Ok(())
}

async fn load(
    address: SocketAddr,
    ask: Ask,
    connections: &str,
    seconds: &str,
) -> Result<String, Failure> {
    let plan = Plan {
        address,
        ask,
        key: None,
        connections: connections.parse()?,
        duration: Duration::from_secs_f64(seconds.parse()?),
    };
    Ok(run(&plan).await?.to_json())
}
