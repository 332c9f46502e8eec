//! Consecutive failures of something that is retried.

use std::fmt;
use std::mem::{Discriminant, discriminant};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::model::text::OneLine;
use crate::model::time::to_iso8601;
use crate::{Client, Error};

/// What is being retried at present: since when it fails, and with which error.
///
/// It is in the progress of waits, watches and bulk runs from the first of consecutive failures until a poll succeeds.
/// In JSON it is an object with `since` (ISO 8601) and `error`; both are required.
///
/// ```
/// # use healthomics::local::{Fault, LocalService};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client_builder().max_attempts(1).build()?;
/// # let store = local.create_sequence_store();
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
/// # local.queue_fault("GetReadSetActivationJob", Fault::error(503, "ServiceUnavailable", "try later"));
/// # let wait = client.job(&started).wait();
/// let wait = wait.on_progress(|progress| {
///     if let Some(retrying) = &progress.retrying {
///         // retrying since 2026-11-28T06:00:00Z: GetReadSetActivationJob (store …
///         println!("{retrying}");
/// #       assert!(retrying.error.contains("): ServiceUnavailable (503): try later"));
///     }
/// });
/// let outcome = wait.await?;
/// # assert!(!outcome.is_completed());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Retrying {
    /// When the first of the consecutive failures was, by the client's clock.
    #[serde(with = "iso8601")]
    pub since: OffsetDateTime,
    /// The last of the failures with its causes, on one line.
    pub error: String,
}

impl Retrying {
    /// The one whose failures began first.
    pub(crate) fn oldest<'a>(all: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        all.into_iter().min_by_key(|retrying| retrying.since).cloned()
    }
}

/// `retrying since 2026-11-28T06:00:00Z: GetReadSetImportJob: connection refused [3 attempts]`
impl fmt::Display for Retrying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "retrying since {}: {}", to_iso8601(self.since), self.error)
    }
}

/// A required time, written and read as ISO 8601.
mod iso8601 {
    use serde::{Deserialize as _, Deserializer, Serializer, de};
    use time::OffsetDateTime;

    use crate::model::time::{from_iso8601, to_iso8601};

    pub(super) fn serialize<S: Serializer>(time: &OffsetDateTime, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_iso8601(*time))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OffsetDateTime, D::Error> {
        let text = String::deserialize(deserializer)?;
        from_iso8601(&text).ok_or_else(|| de::Error::custom("expected a time in ISO 8601"))
    }
}

/// The consecutive failures of something that is retried.
#[derive(Debug, Default)]
pub(crate) struct Failures(Option<Box<Current>>);

#[derive(Debug)]
struct Current {
    retrying: Retrying,
    cause: Cause,
}

/// Variant, status and code. Failures with the same cause count as the same: request id and attempts differ each time.
type Cause = (Discriminant<Error>, Option<u16>, Option<String>);

impl Failures {
    /// Adds a failure. `true` if it is the first one in a row, or has another cause than the one before.
    pub(crate) fn add(&mut self, client: &Client, error: &Error) -> bool {
        let cause = (discriminant(error), error.status(), error.code().map(str::to_owned));
        let text = OneLine(&error.report().to_string()).to_string();
        if let Some(current) = &mut self.0 {
            let changed = current.cause != cause;
            current.retrying.error = text;
            current.cause = cause;
            changed
        } else {
            let retrying = Retrying { since: client.now(), error: text };
            self.0 = Some(Box::new(Current { retrying, cause }));
            true
        }
    }

    /// Forgets the failures. `true` if there were any.
    pub(crate) fn clear(&mut self) -> bool {
        self.0.take().is_some()
    }

    pub(crate) fn retrying(&self) -> Option<&Retrying> {
        self.0.as_ref().map(|current| &current.retrying)
    }
}
