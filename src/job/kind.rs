//! The three kinds of jobs, and what their states and items have in common.

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use crate::model::{ActivationJobId, ExportJobId, ImportJobId, ItemStatus, JobStatus, ReadSetId, SequenceStoreId};
use crate::read_set::{
    ActivateReadSetSourceItem, ExportReadSetDetail, GetReadSetActivationJobOutput, GetReadSetExportJobOutput,
    GetReadSetImportJobOutput, ImportReadSetSourceItem, JobFilter, StartReadSetActivationJobOutput,
    StartReadSetExportJobOutput, StartReadSetImportJobOutput,
};
use crate::{CallFuture, Client};

/// The kind of jobs that export read sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Export {}

/// The kind of jobs that import files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Import {}

/// The kind of jobs that activate read sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {}

/// A kind of jobs: [`Export`], [`Import`] or [`Activation`]. It makes functions generic over all of them.
///
/// ```
/// use healthomics::job::{Job, JobKind, JobState as _};
///
/// async fn has_ended<K: JobKind>(job: &Job<K>) -> Result<bool, healthomics::Error> {
///     println!("polling {job}"); // import job 1234567890
///     Ok(job.get().await?.status().is_terminal())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
///
/// assert!(!has_ended(&client.job(&started)).await?);
/// # Ok(()) }
/// ```
pub trait JobKind: sealed::Sealed + Copy + fmt::Debug + PartialEq + Sized + 'static {
    /// The id of a job of this kind.
    type Id: Clone
        + Ord
        + Hash
        + fmt::Debug
        + fmt::Display
        + AsRef<str>
        + From<String>
        + Serialize
        + DeserializeOwned
        + Send
        + Sync
        + Unpin
        + 'static;
    /// The state of a job of this kind: the output of its Get call.
    type State: JobState + Clone + fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + Unpin + 'static;
    /// The name of the kind in messages and tokens: `export`, `import` or `activation`.
    #[doc(hidden)]
    const NAME: &'static str;

    #[doc(hidden)]
    fn get(client: &Client, store: &SequenceStoreId, id: &Self::Id, scheduling: Scheduling) -> CallFuture<Self::State>;

    #[doc(hidden)]
    fn list(
        client: &Client,
        store: &SequenceStoreId,
        created_after: Option<OffsetDateTime>,
        next_token: Option<String>,
    ) -> CallFuture<Listed<Self>>;
}

/// One page of a list of jobs, with the fields that all kinds have.
#[doc(hidden)]
#[derive(Debug)]
#[allow(unnameable_types, missing_docs, reason = "the output of a hidden method")]
pub struct Listed<K: JobKind> {
    pub jobs: Vec<ListedJob<K>>,
    pub next_token: Option<String>,
}

#[doc(hidden)]
#[derive(Debug)]
#[allow(unnameable_types, missing_docs, reason = "the output of a hidden method")]
pub struct ListedJob<K: JobKind> {
    pub id: K::Id,
    pub status: JobStatus,
    pub created: Option<OffsetDateTime>,
}

/// Whether a poll waits for a permit of the client's rate limiter.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
#[allow(unnameable_types, reason = "an argument of a hidden method")]
pub enum Scheduling {
    /// The poll is sent at once.
    Immediate,
    /// The poll waits for a permit, as one of many.
    RateLimited {
        /// How much time the caller has left; `None` is no limit.
        time_left: Option<Duration>,
    },
}

/// What the states of all kinds of jobs have in common.
///
/// ```
/// use healthomics::job::{JobItem as _, JobState};
///
/// fn failed(job: &impl JobState) -> Vec<String> {
///     let failed = job.items().iter().filter(|item| item.status().as_str() == "FAILED");
///     failed.map(|item| format!("{}: {}", item.name(), item.reason())).collect()
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # local.fail_item("5555555555", "no such read set");
/// # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
/// # let started = call.send().await?;
///
/// let wait = client.job(&started).wait().poll_every(std::time::Duration::from_millis(5));
/// let outcome = wait.await?;
/// assert_eq!(failed(outcome.job()), ["5555555555: no such read set"]);
/// # Ok(()) }
/// ```
pub trait JobState: sealed::Sealed {
    /// One item of the job.
    type Item: JobItem;

    /// The id of the job, 10 to 36 digits.
    fn id(&self) -> &str;
    /// The sequence store of the job.
    fn sequence_store_id(&self) -> &SequenceStoreId;
    /// The status of the job.
    fn status(&self) -> &JobStatus;
    /// The service's explanation of the status; `None` if it gives none.
    fn status_message(&self) -> Option<&str>;
    /// When the job was created; `None` if the service does not report it.
    fn creation_time(&self) -> Option<OffsetDateTime>;
    /// When the job ended; `None` while it runs, and if the service does not report it.
    fn completion_time(&self) -> Option<OffsetDateTime>;
    /// The items of the job, in the order of its start. There are none while the service does not report them.
    fn items(&self) -> &[Self::Item];
}

/// What the items of all kinds of jobs have in common.
///
/// [`JobState`] has an example.
pub trait JobItem: sealed::Sealed {
    /// The status of the item.
    fn status(&self) -> &ItemStatus;
    /// The service's explanation of the status, such as why the item failed; `None` if it gives none.
    fn status_message(&self) -> Option<&str>;
    /// Why the item failed, as the service words it; "no reason given" if it gives none.
    fn reason(&self) -> &str;
    /// What the item is: the id of the read set, or the location of the first file of an import.
    fn name(&self) -> &str;
    /// The read set of the item. For an import it is the one that was made of the files, and `None` while there is
    /// none.
    fn read_set_id(&self) -> Option<&ReadSetId>;
}

/// A value that identifies a job: the output of a Start call, or a stored [`JobToken`](super::JobToken).
/// [`Client::job`] takes it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the output of a Start call",
    label = "not the output of a Start call",
    note = "a job is made of its ids by `export_job`, `import_job` or `activation_job` of the client"
)]
pub trait Started: sealed::Sealed {
    /// The kind of the job.
    type Kind: JobKind;

    /// The sequence store of the job.
    fn sequence_store_id(&self) -> &SequenceStoreId;
    /// The id of the job.
    fn job_id(&self) -> &<Self::Kind as JobKind>::Id;
    /// When the job was created; `None` if it is not known.
    fn creation_time(&self) -> Option<OffsetDateTime>;
    /// Whether the service has reported that the job exists.
    #[doc(hidden)]
    fn is_known_to_exist(&self) -> bool;
}

pub(super) mod sealed {
    #[allow(unnameable_types, reason = "the traits are implemented in this crate only")]
    pub trait Sealed {}
}

/// Implements the traits for the types of one kind.
macro_rules! kind {
    (
        $Kind:ident: $name:literal, id $Id:ident, started $Started:ident,
        state $State:ident by $get:ident, listed by $list:ident in $jobs:ident,
        items $items:ident: $Item:ident named $item_name:expr, read set $read_set:expr
    ) => {
        impl sealed::Sealed for $Kind {}
        impl sealed::Sealed for $Started {}
        impl sealed::Sealed for $State {}
        impl sealed::Sealed for $Item {}

        impl JobKind for $Kind {
            type Id = $Id;
            type State = $State;
            const NAME: &'static str = $name;

            fn get(client: &Client, store: &SequenceStoreId, id: &$Id, scheduling: Scheduling) -> CallFuture<$State> {
                let call = client.$get().sequence_store_id(store).id(id);
                match scheduling {
                    Scheduling::Immediate => call.send(),
                    Scheduling::RateLimited { time_left } => call.rate_limited(time_left).send(),
                }
            }

            fn list(
                client: &Client,
                store: &SequenceStoreId,
                created_after: Option<OffsetDateTime>,
                next_token: Option<String>,
            ) -> CallFuture<Listed<Self>> {
                let mut call = client.$list().sequence_store_id(store).max_results(100).rate_limited(None);
                if let Some(created_after) = created_after {
                    call = call.filter(JobFilter::new().created_after(created_after));
                }
                if let Some(next_token) = next_token {
                    call = call.next_token(next_token);
                }
                let page = call.send();
                Box::pin(async move {
                    let page = page.await?;
                    let jobs = page.$jobs.into_iter();
                    let jobs = jobs.map(|job| ListedJob { id: job.id, status: job.status, created: job.creation_time });
                    Ok(Listed { jobs: jobs.collect(), next_token: page.next_token })
                })
            }
        }

        impl Started for $Started {
            type Kind = $Kind;

            fn sequence_store_id(&self) -> &SequenceStoreId {
                &self.sequence_store_id
            }

            fn job_id(&self) -> &$Id {
                &self.id
            }

            fn creation_time(&self) -> Option<OffsetDateTime> {
                self.creation_time
            }

            fn is_known_to_exist(&self) -> bool {
                true
            }
        }

        impl JobState for $State {
            type Item = $Item;

            fn id(&self) -> &str {
                self.id.as_str()
            }

            fn sequence_store_id(&self) -> &SequenceStoreId {
                &self.sequence_store_id
            }

            fn status(&self) -> &JobStatus {
                &self.status
            }

            fn status_message(&self) -> Option<&str> {
                self.status_message.as_deref()
            }

            fn creation_time(&self) -> Option<OffsetDateTime> {
                self.creation_time
            }

            fn completion_time(&self) -> Option<OffsetDateTime> {
                self.completion_time
            }

            fn items(&self) -> &[$Item] {
                &self.$items
            }
        }

        impl $Item {
            /// Why the item failed, as the service words it; "no reason given" if it gives none.
            pub fn reason(&self) -> &str {
                self.status_message.as_deref().unwrap_or("no reason given")
            }
        }

        impl JobItem for $Item {
            fn status(&self) -> &ItemStatus {
                &self.status
            }

            fn status_message(&self) -> Option<&str> {
                self.status_message.as_deref()
            }

            fn reason(&self) -> &str {
                self.reason()
            }

            fn name(&self) -> &str {
                let name: fn(&Self) -> &str = $item_name;
                name(self)
            }

            fn read_set_id(&self) -> Option<&ReadSetId> {
                let read_set: fn(&Self) -> Option<&ReadSetId> = $read_set;
                read_set(self)
            }
        }
    };
}

kind! {
    Export: "export", id ExportJobId, started StartReadSetExportJobOutput,
    state GetReadSetExportJobOutput by get_read_set_export_job, listed by list_read_set_export_jobs in export_jobs,
    items read_sets: ExportReadSetDetail named |item| item.id.as_str(), read set |item| Some(&item.id)
}
kind! {
    Import: "import", id ImportJobId, started StartReadSetImportJobOutput,
    state GetReadSetImportJobOutput by get_read_set_import_job, listed by list_read_set_import_jobs in import_jobs,
    items sources: ImportReadSetSourceItem named |item| item.source_files.source1.as_str(),
    read set |item| item.read_set_id.as_ref()
}
kind! {
    Activation: "activation", id ActivationJobId, started StartReadSetActivationJobOutput,
    state GetReadSetActivationJobOutput by get_read_set_activation_job,
    listed by list_read_set_activation_jobs in activation_jobs,
    items sources: ActivateReadSetSourceItem named |item| item.read_set_id.as_str(),
    read set |item| Some(&item.read_set_id)
}
