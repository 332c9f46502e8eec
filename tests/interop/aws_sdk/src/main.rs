//! Executes calls with `aws-sdk-omics`: it reads commands as JSON lines from standard input, and writes a result line for
//! each to standard output. `{"failed": …}` is the result of a command that can't be executed.

mod calls;
mod client;
mod to_json;

use std::error::Error;
use std::io::{BufRead, Write};

use serde_json::{Value, json};

type CommandResult = Result<Value, Box<dyn Error>>;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let mut clients = client::Clients::default();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let order: Value = serde_json::from_str(&line?)?;
        let result = runtime.block_on(async {
            match text(&order, "do")? {
                "connect" => clients.connect(&order),
                "call" => calls::call(clients.of(&order)?, &order).await,
                "pages" => calls::pages(clients.of(&order)?, &order).await,
                "wait" => calls::wait(clients.of(&order)?, &order).await,
                other => Err(format!("{other:?} is not known").into()),
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
