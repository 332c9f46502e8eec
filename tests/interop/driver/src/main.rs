//! Runs local services and calls with the crate: it reads commands as JSON lines from standard input, and writes a result
//! line for each to standard output. `{"failed": …}` is the result of a command that can't be executed.

mod calls;
mod claims;
mod echo;
mod inputs;
mod serve;

use std::error::Error;
use std::io::{BufRead, Write};

use serde_json::{Value, json};

type CommandResult = Result<Value, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (mut services, mut clients) = (serve::Services::default(), calls::Clients::default());
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let order: Value = serde_json::from_str(&line?)?;
        let result = runtime.block_on(async {
            match text(&order, "do")? {
                "connect" => clients.connect(&order),
                "call" => clients.call(&order).await,
                "pages" => clients.pages(&order).await,
                "wait" => clients.wait(&order).await,
                "claims" => Ok(claims::all()),
                "builders" => clients.builders(&order),
                _ => services.obey(&order).await,
            }
        });
        let result = result.unwrap_or_else(|error| json!({ "failed": error.to_string() }));
        writeln!(out, "{result}")?;
        out.flush()?;
    }
    Ok(())
}

fn text<'a>(order: &'a Value, name: &str) -> Result<&'a str, String> {
    order[name].as_str().ok_or_else(|| format!("{order} has no text {name:?}"))
}

fn number(order: &Value, name: &str) -> Option<u32> {
    order[name].as_u64().and_then(|number| number.try_into().ok())
}
