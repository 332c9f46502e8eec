//! Status changes of read sets and their jobs, as Amazon EventBridge delivers them: an end to polling.
//!
//! HealthOmics sends an event whenever a job or a read set changes its status. A rule with this pattern brings the end of
//! every read set job to a Lambda function, a queue or a topic:
//!
//! ```text
//! {
//!   "source": ["aws.omics"],
//!   "detail-type": [
//!     "Read Set Import Job Status Change",
//!     "Read Set Export Job Status Change",
//!     "Read Set Activation Job Status Change"
//!   ],
//!   "detail": { "status": ["COMPLETED", "COMPLETED_WITH_FAILURES", "FAILED"] }
//! }
//! ```
//!
//! [`Event`] is what arrives. It reads from JSON ([`FromStr`], [`TryFrom<serde_json::Value>`](serde_json::Value)) and is
//! a [`serde::Deserialize`], so that it can be the payload type of a Lambda handler.
//!
//! ```
//! use healthomics::event::{Change, Event};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let local = healthomics::local::LocalService::start().await?;
//! # let client = local.client()?;
//! # let store = local.create_sequence_store();
//! # let read_set = local.seed_read_set(&store, healthomics::local::SeedReadSet::archived("BAM".into()));
//! # let started = client.start_read_set_activation_job().sequence_store_id(&store).sources([read_set]).send().await?;
//! # client.job(&started).wait().await?;
//! # let body = format!(
//! #     r#"{{ "version": "0", "id": "0b0e3b1a-6b0c-4a53-9d0e-3f5c2a1d7e44", "source": "aws.omics",
//! #     "detail-type": "Read Set Activation Job Status Change", "account": "123456789012",
//! #     "time": "2026-11-21T17:53:06Z", "region": "us-east-1", "resources": [],
//! #     "detail": {{ "omicsVersion": "1.0.0", "id": "{}", "sequenceStoreId": "{store}", "status": "COMPLETED" }} }}"#,
//! #     started.id
//! # );
//! let event: Event = body.parse()?;
//! match event.change {
//!     Change::ActivationJob(change) if change.status.is_terminal() => {
//!         // The event says that the job has ended, the job says what became of each item.
//!         let outcome = change.job(&client).wait().await?;
//!         println!("{} of {} are active", outcome.finished_items().count(), outcome.items().len());
//! #       assert!(outcome.is_completed());
//!     }
//!     change => println!("nothing to do about {change:?}"),
//! }
//! # Ok(()) }
//! ```
//!
//! # What to rely on
//!
//! - Delivery is best effort, says HealthOmics: an event may get lost. Have something that looks after jobs of which
//!   nothing was heard for long: [`Client::watch`](crate::Client::watch), say, or a list of those that run.
//! - An event can come twice, late, or before an earlier one. Take it as a hint to look, and look at the job itself.
//!
//! # Sources
//!
//! The envelope, the names of the events, their statuses, and the detail of a read set are those of
//! [*Using EventBridge with AWS HealthOmics*](https://docs.aws.amazon.com/omics/latest/dev/eventbridge.html) in the AWS
//! HealthOmics User Guide. It shows no event of a read set job; the members of its detail (`id`, `sequenceStoreId`,
//! `status`, `statusMessage`, `omicsVersion`) are those of the event patterns that the AWS CDK generates of the
//! service's published schemas (`aws_omics.events.SequenceStoreEvents` in `@aws-cdk/mixins-preview`).

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;
use time::OffsetDateTime;

use crate::Client;
use crate::job::{Activation, Export, Import, Job, JobKind};
use crate::model::time::from_iso8601;
use crate::model::{JobStatus, ReadSetArn, ReadSetId, ReadSetStatus, SequenceStoreId};

const SOURCE: &str = "aws.omics";

/// An event as EventBridge delivers it, to a Lambda function as it is, to a queue as the body of a message.
///
/// What is not known is kept, what is absent is `None`; see the [module](self) for an example.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// A UUID of the event.
    pub id: Option<String>,
    /// The service that sent it: `aws.omics`.
    pub source: String,
    /// The kind of event: `Read Set Import Job Status Change`.
    pub detail_type: String,
    /// The AWS account: 12 digits.
    pub account: Option<String>,
    /// The AWS region.
    pub region: Option<String>,
    /// When it happened.
    pub time: Option<OffsetDateTime>,
    /// The ARNs of what it is about.
    pub resources: Vec<String>,
    /// What has changed.
    pub change: Change,
}

/// What an event is about.
///
/// ```
/// use healthomics::event::{Change, Event};
///
/// let json = r#"{ "source": "aws.omics", "detail-type": "Run Status Change", "detail": { "status": "RUNNING" } }"#;
/// let event: Event = json.parse()?;
/// let Change::Other(detail) = &event.change else { panic!("a read set event") };
/// assert_eq!((event.detail_type.as_str(), &detail["status"]), ("Run Status Change", &"RUNNING".into()));
/// # Ok::<(), healthomics::event::EventError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// `Read Set Import Job Status Change`.
    ImportJob(JobChange<Import>),
    /// `Read Set Export Job Status Change`.
    ExportJob(JobChange<Export>),
    /// `Read Set Activation Job Status Change`.
    ActivationJob(JobChange<Activation>),
    /// `Read Set Status Change`.
    ReadSet(ReadSetChange),
    /// An event of another kind or another service: its `detail` as it came.
    Other(Value),
}

/// The new status of a job.
///
/// ```
/// use healthomics::event::{Change, Event};
///
/// let event: Event = r#"{ "source": "aws.omics", "detail-type": "Read Set Export Job Status Change",
///     "detail": { "id": "1234567890", "sequenceStoreId": "5555555555", "status": "COMPLETED" } }"#.parse()?;
/// let Change::ExportJob(change) = event.change else { panic!("another event") };
/// assert_eq!(change.to_string(), "export job 1234567890 is COMPLETED");
/// # Ok::<(), healthomics::event::EventError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobChange<K: JobKind> {
    /// The job.
    pub id: K::Id,
    /// The store that it works on.
    pub sequence_store_id: SequenceStoreId,
    /// Where it stood when the event was sent.
    pub status: JobStatus,
    /// What the service says about it.
    pub status_message: Option<String>,
    /// The version of the event's form: `1.0.0`.
    pub omics_version: Option<String>,
}

impl<K: JobKind> JobChange<K> {
    /// The job, to look at what became of its items ([`Job::get`]), or for its outcome if it has ended ([`Job::wait`]).
    /// Nothing is asked until the job is.
    ///
    /// The client must be of the region and account of the event.
    ///
    /// [`Event`] has an example.
    pub fn job(&self, client: &Client) -> Job<K> {
        Job::new(client, self.sequence_store_id.clone(), self.id.clone()).known_to_exist()
    }
}

/// The new status of a read set.
///
/// ```
/// use healthomics::event::{Change, Event};
/// use healthomics::read_set::ReadSetStatus;
///
/// let event: Event = r#"{ "source": "aws.omics", "detail-type": "Read Set Status Change",
///     "detail": { "id": "1234567890", "sequenceStoreId": "5555555555", "status": "ACTIVE" } }"#.parse()?;
/// let Change::ReadSet(change) = event.change else { panic!("another event") };
/// assert_eq!((change.id.as_str(), change.status), ("1234567890", ReadSetStatus::Active));
/// # Ok::<(), healthomics::event::EventError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadSetChange {
    /// The read set.
    pub id: ReadSetId,
    /// The store that it is in.
    pub sequence_store_id: SequenceStoreId,
    /// Where it stood when the event was sent.
    pub status: ReadSetStatus,
    /// What the service says about it.
    pub status_message: Option<String>,
    /// Its name in policies.
    pub arn: Option<ReadSetArn>,
    /// The job that made it.
    pub creation_job_id: Option<String>,
    /// The version of the event's form: `1.0.0`.
    pub omics_version: Option<String>,
}

/// Why something is no event that can be used.
///
/// Trying again does not help. In a Lambda function let it fail the invocation, so that the event ends in the
/// dead-letter queue, where somebody can look at it.
///
/// ```
/// use healthomics::event::{Event, EventError};
///
/// let error = r#"{ "source": "aws.omics" }"#.parse::<Event>().unwrap_err();
/// assert!(matches!(error, EventError::Missing { field: "detail-type", .. }));
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// It is not JSON. Give the event as it came: of a message of a queue its body.
    #[error("not an event of EventBridge: not JSON")]
    Json(#[source] serde_json::Error),
    /// It is JSON, but no object.
    #[error("not an event of EventBridge: not a JSON object")]
    #[non_exhaustive]
    NotAnObject {},
    /// A member is absent or no text that no event goes without. An input transformer in the rule may have left it out:
    /// send events as they are.
    #[error("not an event of EventBridge, or a part of one: it has no {field}")]
    #[non_exhaustive]
    Missing {
        /// The field: `detail.sequenceStoreId`.
        field: &'static str,
    },
}

impl Event {
    /// Reads an event from the bytes of its JSON form.
    ///
    /// # Errors
    ///
    /// [`EventError`], if it is none.
    ///
    /// ```
    /// use healthomics::event::{Event, EventError};
    ///
    /// assert!(matches!(Event::from_slice(b"no event"), Err(EventError::Json(_))));
    /// ```
    pub fn from_slice(json: &[u8]) -> Result<Self, EventError> {
        serde_json::from_slice::<Value>(json).map_err(EventError::Json)?.try_into()
    }
}

impl FromStr for Event {
    type Err = EventError;

    fn from_str(json: &str) -> Result<Self, EventError> {
        Self::from_slice(json.as_bytes())
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl TryFrom<Value> for Event {
    type Error = EventError;

    fn try_from(value: Value) -> Result<Self, EventError> {
        let Value::Object(mut event) = value else { return Err(EventError::NotAnObject {}) };
        let source = text(&event, "source").ok_or(EventError::Missing { field: "source" })?;
        let detail_type = text(&event, "detail-type").ok_or(EventError::Missing { field: "detail-type" })?;
        let detail = event.get_mut("detail").map(Value::take).unwrap_or_default();
        let change = match (source.as_str(), detail_type.as_str()) {
            (SOURCE, "Read Set Import Job Status Change") => Change::ImportJob(job(detail)?),
            (SOURCE, "Read Set Export Job Status Change") => Change::ExportJob(job(detail)?),
            (SOURCE, "Read Set Activation Job Status Change") => Change::ActivationJob(job(detail)?),
            (SOURCE, "Read Set Status Change") => Change::ReadSet(read_set(detail)?),
            _ => Change::Other(detail),
        };
        Ok(Self {
            id: text(&event, "id"),
            account: text(&event, "account"),
            region: text(&event, "region"),
            time: text(&event, "time").and_then(|time| from_iso8601(&time)),
            resources: texts(event.get("resources")),
            source,
            detail_type,
            change,
        })
    }
}

/// `export job 1234567890 is COMPLETED`
impl<K: JobKind> fmt::Display for JobChange<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} job {} is {}", K::NAME, self.id, self.status)
    }
}

type Members = serde_json::Map<String, Value>;

/// `None` if it is absent, empty or no text.
fn text(members: &Members, name: &str) -> Option<String> {
    members.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Those of a list that are texts.
fn texts(list: Option<&Value>) -> Vec<String> {
    let Some(Value::Array(items)) = list else { return Vec::new() };
    items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// What every change says, and the rest of it.
fn detail<S: From<String>>(detail: Value) -> Result<(String, SequenceStoreId, S, Members), EventError> {
    let Value::Object(members) = detail else { return Err(EventError::Missing { field: "detail" }) };
    let required = |name, field| text(&members, name).ok_or(EventError::Missing { field });
    let id = required("id", "detail.id")?;
    let store = required("sequenceStoreId", "detail.sequenceStoreId")?;
    let status = required("status", "detail.status")?;
    Ok((id, store.into(), status.into(), members))
}

fn job<K: JobKind>(value: Value) -> Result<JobChange<K>, EventError> {
    let (id, sequence_store_id, status, rest) = detail(value)?;
    let status_message = text(&rest, "statusMessage");
    let omics_version = text(&rest, "omicsVersion");
    Ok(JobChange { id: id.into(), sequence_store_id, status, status_message, omics_version })
}

fn read_set(value: Value) -> Result<ReadSetChange, EventError> {
    let (id, sequence_store_id, status, rest) = detail(value)?;
    Ok(ReadSetChange {
        id: id.into(),
        sequence_store_id,
        status,
        status_message: text(&rest, "statusMessage"),
        arn: text(&rest, "arn").map(Into::into),
        creation_job_id: text(&rest, "creationJobId"),
        omics_version: text(&rest, "omicsVersion"),
    })
}

#[cfg(test)]
mod tests;
