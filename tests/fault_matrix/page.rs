//! The matrix as a page of the documentation.

use std::fmt::Write;
use std::time::Duration;

use healthomics::error::StopReason;

use super::calls;
use super::end::{End, Kind};
use super::rows::{Cell, Row, Section};

const INTRO: &str = "\
How a call of every operation ends for every fault, with the default settings of a client.

A call usually succeeds in spite of a fault that happens once. If the fault lasts, the call returns an
[`Error`](crate::Error), whose accessors say what to do. Whatever the error is: when its cause is gone, the same call
succeeds. A start that is repeated with the error's [`client_token`](crate::Error::client_token) returns the job that it
may have started, or starts it, once.

```
use healthomics::local::{Fault, LocalService};

# #[tokio::main(flavor = \"current_thread\")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
let local = LocalService::start().await?;
let client = local.client()?;
let store = local.create_sequence_store();
local.fault_always(\"StartReadSetActivationJob\", Fault::ResetAfter);

let call = client
    .start_read_set_activation_job()
    .sequence_store_id(&store)
    .sources([\"5555555555\"]);
let error = call.clone().send().await.unwrap_err();
assert!(error.is_retryable() && error.may_have_been_applied());

local.clear_faults(); // later, the network works again
let token = error.client_token().ok_or(\"only starts have a token\")?;
let job = call.client_token(token).send().await?;
assert_eq!(local.jobs().len(), 1);
assert_eq!(local.jobs()[0].id, job.id.as_str());
# Ok(()) }
```

";

const LEGEND: &str = "\
How to read the tables: the attempts include the first one; the time is the longest that a call waits, for the service
and between attempts. After a start was repeated with its client token there is one job in every case.

- *retryable*: [`is_retryable`](crate::Error::is_retryable)
- *throttling*: [`is_throttling`](crate::Error::is_throttling)
- *timeout*: [`is_timeout`](crate::Error::is_timeout)
- *may be applied*: [`may_have_been_applied`](crate::Error::may_have_been_applied) of a start or a deletion; it is `false`
  for operations that only read
- *jobs*: how many jobs a start has started at the service, first after a fault that happens once, then after a fault that
  lasts; for a deletion, whether it was done (1) or not (0)
";

pub fn write(sections: &[Section]) -> String {
    let mut page = INTRO.to_owned();
    let operations = calls::all();
    let calls_of = |row: &Row| {
        let times = |(inject, _): &Cell| if inject.needs_tls() { 1 } else { 2 };
        let cells = row.once.iter().chain(&row.always).map(times).sum::<usize>();
        cells * operations.iter().filter(|operation| (row.is_of)(**operation)).count()
    };
    let rows = || sections.iter().flat_map(|section| &section.rows);
    let _ = writeln!(
        page,
        "The tests check each of these {} results for all {} operations, or for those that the row names, over plain HTTP and \
         over\nTLS with a private root: {} calls, on a simulated clock.\n",
        rows().map(|row| row.once.iter().chain(&row.always).count()).sum::<usize>(),
        operations.len(),
        rows().map(calls_of).sum::<usize>()
    );
    page.push_str(LEGEND);
    for section in sections {
        let _ = write!(page, "\n# {}\n\n{}\n\n", section.title, section.remedy);
        page.push_str("| fault | once | always | jobs |\n|---|---|---|---|\n");
        for row in &section.rows {
            let end = |cell: &Option<_>, write: fn(&End) -> String| match cell {
                Some((_, end)) => write(end),
                None => "–".to_owned(),
            };
            let jobs = |end: &End| end.jobs.to_string();
            let (once, always) = (end(&row.once, cell), end(&row.always, cell));
            let jobs = format!("{}, {}", end(&row.once, jobs), end(&row.always, jobs));
            let _ = writeln!(page, "| {} | {once} | {always} | {jobs} |", row.name);
        }
    }
    page
}

fn cell(end: &End) -> String {
    let attempts = if end.attempts == 1 { "1 attempt".to_owned() } else { format!("{} attempts", end.attempts) };
    let time = if end.waits.is_zero() { "no wait".to_owned() } else { spaced(end.waits) };
    let Kind::Error(failed) = &end.kind else { return format!("success, {attempts}, {time}") };
    let mut text = format!("`{}`", failed.variant);
    if let Some(status) = failed.status {
        let _ = write!(text, " {status}");
    }
    if let Some(code) = failed.code.as_ref().filter(|code| **code != failed.variant) {
        let _ = write!(text, " `{code}`");
    }
    let _ = write!(text, ", {attempts}, {time}");
    for (holds, word) in [
        (failed.retryable, "retryable"),
        (failed.throttling, "throttling"),
        (failed.timeout, "timeout"),
        (failed.may_have_been_applied, "may be applied"),
    ] {
        if holds {
            let _ = write!(text, ", *{word}*");
        }
    }
    if failed.stopped == Some(StopReason::DelayTooLong) {
        text.push_str(", `DelayTooLong`");
    }
    text
}

/// `90.15 s`
fn spaced(time: Duration) -> String {
    let text = format!("{time:?}");
    let unit = text.find(char::is_alphabetic).unwrap_or(text.len());
    format!("{} {}", &text[..unit], &text[unit..])
}
