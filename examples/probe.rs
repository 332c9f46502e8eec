//! Compares what HealthOmics does with what this crate and its local service assume where AWS documents nothing: above all,
//! whether a repeated client token starts a second job.
//!
//! `cargo run --example probe` asks the embedded local service. This asks your account, with an active read set, and starts
//! up to four activations of read sets that are active, for which the service does nothing:
//!
//! ```text
//! probe --store 1234567890 --read-set 5555555555 --other-read-set 5555555556 --after 3600
//! ```
//!
//! In a crate of your own it needs `clap = { version = "4", features = ["derive"] }`, `csv = "1"`, `fastrand = "2"`,
//! `indicatif = "0.18"`, `time = "0.3"` and the feature `signal` of `tokio`, too.
#![allow(clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::doc_markdown, reason = "the documentation of options is the text of --help")]

mod shared;

use std::io::BufRead as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Parser;
use healthomics::local::SeedReadSet;
use healthomics::read_set::{FileType, JobStatus, Reconciled, StartReadSetActivationJobOutput};
use healthomics::{Client, ClientToken, Error, ReadSetId};

use shared::account::{AccountOptions, CREDENTIALS, Store};
use shared::exit::{self, Exit, Failure};

/// Compares what HealthOmics does with what the local service assumes, and prints a table for an issue.
#[derive(Parser, Debug)]
#[command(name = "probe", version, after_help = CREDENTIALS)]
struct Options {
    /// An active read set of the store.
    #[arg(long, value_name = "ID", requires = "store")]
    read_set: Option<String>,
    /// Another active read set, for a start with other sources and the same client token.
    #[arg(long, value_name = "ID", requires = "store")]
    other_read_set: Option<String>,
    /// Repeats the client token once more after this many seconds.
    #[arg(long, value_name = "SECONDS")]
    after: Option<u64>,
    /// Does not ask before it starts.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    account: AccountOptions,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match exit::arguments::<Options>() {
        Ok(options) => exit::code(probe(options).await),
        Err(code) => code,
    }
}

async fn probe(options: Options) -> Result<Exit, Failure> {
    let store = options.account.store().await?;
    let client = store.client(&options.account).await?;
    let (read_set, other) = read_sets(&options, &store)?;
    let starts = 2 + u32::from(other.is_some()) + u32::from(options.after.is_some());
    eprintln!("This starts an activation of {read_set} in the store {} {starts} times.", store.id);
    eprintln!("The read set must be active: the service does nothing for it then, and nothing is billed.");
    if store.local.is_none() && !options.yes && !is_confirmed()? {
        return Err(Failure::new("nothing was started"));
    }

    let status = client.get_read_set_metadata().sequence_store_id(&store.id).id(&read_set).send().await?.status;
    if status.as_str() != "ACTIVE" {
        return Err(Failure::new(format!(
            "{read_set} is {status}, and nothing was started: choose an active read set"
        )));
    }
    let mut rows = Vec::new();
    let first_attempt = SystemTime::now();
    let call = client.start_read_set_activation_job().sequence_store_id(&store.id);
    let call = call.sources([&read_set]).client_token(ClientToken::random());
    let first = call.clone().send().await?;
    rows.push(Row::new("the status of a start", "SUBMITTED", first.status.to_string()));

    let second = call.clone().send().await;
    rows.push(Row::new("the same client token and sources", "the first job", compare(&first, &second)));
    if let Some(other) = &other {
        let call = client.start_read_set_activation_job().sequence_store_id(&store.id).sources([other]);
        let result = call.client_token(&first.client_token).send().await;
        rows.push(Row::new(
            "the same client token, other sources",
            "ValidationException (400)",
            compare(&first, &result),
        ));
    }
    let reconciled = match call.clone().reconcile(first_attempt).await {
        Ok(Reconciled::Found(job)) if job.id == first.id => "the first job".to_owned(),
        Ok(other) => format!("{other:?}"),
        Err(error) => error.report().to_string(),
    };
    rows.push(Row::new("the search by content", "the first job", reconciled));
    rows.extend(activation(&client, &first).await?);
    if let Some(seconds) = options.after {
        eprintln!("waiting {seconds} s");
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        let result = call.send().await;
        let what = format!("the same client token and sources, {seconds} s later");
        rows.push(Row::new(what, "the first job", compare(&first, &result)));
    }
    print(&rows);
    Ok(if rows.iter().all(Row::is_as_assumed) { Exit::AllFinished } else { Exit::SomeFailed })
}

/// The read sets to activate; those of the demonstration are created.
fn read_sets(options: &Options, store: &Store) -> Result<(ReadSetId, Option<ReadSetId>), Failure> {
    if let Some(local) = &store.local {
        let seed = || local.seed_read_set(&store.id, SeedReadSet::active(FileType::Bam));
        return Ok((seed(), Some(seed())));
    }
    let read_set = options.read_set.as_deref().ok_or_else(|| Failure::new("--read-set is missing"))?;
    Ok((read_set.into(), options.other_read_set.as_deref().map(Into::into)))
}

fn is_confirmed() -> Result<bool, Failure> {
    eprintln!("Type yes to go on:");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim() == "yes")
}

/// What the result of a later start says about the first one.
fn compare(first: &StartReadSetActivationJobOutput, result: &Result<StartReadSetActivationJobOutput, Error>) -> String {
    match result {
        Ok(job) if job.id == first.id => "the first job".to_owned(),
        Ok(job) => format!("a second job, {}", job.status),
        Err(error) => {
            let code = error.code().unwrap_or("no code");
            error.status().map_or_else(|| error.report().to_string(), |status| format!("{code} ({status})"))
        }
    }
}

/// How the activation of an active read set ends.
async fn activation(client: &Client, first: &StartReadSetActivationJobOutput) -> Result<Vec<Row>, Failure> {
    let outcome = client.job(first).wait().await?;
    let job = outcome.job();
    let item = job.sources.first();
    let message = item.and_then(|item| item.status_message.as_deref()).unwrap_or("none");
    let assumed = "No activation needed as read set is already in ACTIVATING or ACTIVE state.";
    Ok(vec![
        Row::new("the activation of an active read set", JobStatus::Completed.as_str(), job.status.to_string()),
        Row::new("… its item", "FINISHED", item.map_or("none".to_owned(), |item| item.status.to_string())),
        Row::new("… its message", assumed, message.to_owned()),
    ])
}

struct Row {
    what: String,
    assumed: &'static str,
    seen: String,
}

impl Row {
    fn new(what: impl Into<String>, assumed: &'static str, seen: String) -> Self {
        Self { what: what.into(), assumed, seen }
    }

    fn is_as_assumed(&self) -> bool {
        self.assumed == self.seen
    }
}

/// Prints a table that can be pasted into an issue.
fn print(rows: &[Row]) {
    println!("| | assumed | seen | |");
    println!("|---|---|---|---|");
    for row in rows {
        let result = if row.is_as_assumed() { "as assumed" } else { "DIFFERENT" };
        println!("| {} | {} | {} | {result} |", row.what, row.assumed, row.seen.replace('|', "\\|"));
    }
}
