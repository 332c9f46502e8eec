//! Events of Amazon EventBridge about status changes of read sets and their jobs, instead of polling.
//!
//! HealthOmics sends an event whenever a job or a read set changes its status. A rule with this pattern delivers the
//! end of every read set job to a Lambda function, a queue or a topic:
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
//! [`Event`] is such an event. It is read from JSON ([`FromStr`], [`TryFrom<serde_json::Value>`](serde_json::Value)),
//! and implements [`serde::Deserialize`], so that it can be the payload type of a Lambda handler.
//!
//! ```
//! use healthomics::event::{Change, Event};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let local = healthomics::local::LocalService::start().await?;
//! # let client = local.client()?;
//! # let store = local.create_sequence_store();
//! # let read_set = local.seed_read_set(&store, healthomics::local::SeedReadSet::archived("BAM".into()));
//! # let call = client.start_read_set_activation_job().sequence_store_id(&store).sources([read_set]);
//! # let started = call.send().await?;
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
//!         // The event reports the end of the job; its outcome has the result of each item.
//!         let outcome = change.job(&client).wait().await?;
//!         println!("{} read sets are active", outcome.finished_items().count());
//! #       assert!(outcome.is_completed());
//!     }
//!     change => println!("nothing to do about {change:?}"),
//! }
//! # Ok(()) }
//! ```
//!
//! # Delivery
//!
//! - HealthOmics delivers events with best effort: an event may get lost. Poll jobs for which no event has arrived for
//!   a long time, for example by [`Client::watch`](crate::Client::watch) or by a list of running jobs.
//! - An event can arrive twice, late, or before an earlier one. Do not rely on its status: when it arrives, get the
//!   state of the job itself.
//!
//! # Sources
//!
//! The envelope, the names of the events, their statuses, and the detail of a read set are those of
//! [*Using EventBridge with AWS HealthOmics*](https://docs.aws.amazon.com/omics/latest/dev/eventbridge.html) in the AWS
//! HealthOmics User Guide. It has no example of a read set job; the fields of its detail (`id`, `sequenceStoreId`,
//! `status`, `statusMessage`, `omicsVersion`) are those of the event patterns that the AWS CDK generates from the
//! service's published schemas (`aws_omics.events.SequenceStoreEvents` in `@aws-cdk/mixins-preview`).

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde_json::Value;
use time::OffsetDateTime;

use crate::Client;
use crate::error::readable_debug;
use crate::job::{Activation, Export, Import, Job, JobKind};
use crate::model::time::from_iso8601;
use crate::model::{JobStatus, ReadSetArn, ReadSetId, ReadSetStatus, SequenceStoreId};

/// The source of the events of HealthOmics.
const SOURCE: &str = "aws.omics";

/// An event as EventBridge delivers it: to a Lambda function as the payload, to a queue as the body of a message.
///
/// Fields that are absent, empty or have another type are `None`. In a unit test it is made from JSON. The
/// [module](self) has an example.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The id of the event, a UUID. A duplicate has the same id.
    pub id: Option<String>,
    /// The service that sent the event: `aws.omics`.
    pub source: String,
    /// The kind of event: `Read Set Import Job Status Change`.
    pub detail_type: String,
    /// The id of the AWS account, 12 digits.
    pub account: Option<String>,
    /// The AWS region, such as `us-east-1`.
    pub region: Option<String>,
    /// When the status changed.
    pub time: Option<OffsetDateTime>,
    /// The ARNs of the resources that have changed.
    pub resources: Vec<String>,
    /// What has changed, by the fields `detail-type` and `detail`.
    pub change: Change,
}

/// The change that an event reports.
///
/// ```
/// use healthomics::event::{Change, Event};
///
/// let json = r#"{ "source": "aws.omics", "detail-type": "Run Status Change",
///     "detail": { "status": "RUNNING" } }"#;
/// let event: Event = json.parse()?;
/// let Change::Other(detail) = &event.change else { panic!("an event of a read set") };
/// assert_eq!(event.detail_type, "Run Status Change");
/// assert_eq!(detail["status"], "RUNNING");
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
    /// The `detail` of an event of another kind or another service, unchanged.
    Other(Value),
}

/// The new status of a job.
///
/// ```
/// use healthomics::event::{Change, Event};
///
/// let json = r#"{ "source": "aws.omics", "detail-type": "Read Set Export Job Status Change",
///     "detail": { "id": "1234567890", "sequenceStoreId": "5555555555",
///         "status": "COMPLETED" } }"#;
/// let event: Event = json.parse()?;
/// let Change::ExportJob(change) = event.change else { panic!("another event") };
/// assert_eq!(change.to_string(), "export job 1234567890 is COMPLETED");
/// # Ok::<(), healthomics::event::EventError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobChange<K: JobKind> {
    /// The id of the job, 10 to 36 digits.
    pub id: K::Id,
    /// The sequence store of the job.
    pub sequence_store_id: SequenceStoreId,
    /// The status of the job when the event was sent.
    pub status: JobStatus,
    /// The service's explanation of the status; `None` if it gave none.
    pub status_message: Option<String>,
    /// The version of the event's format: `1.0.0`.
    pub omics_version: Option<String>,
}

impl<K: JobKind> JobChange<K> {
    /// Makes the job, to get its state ([`Job::get`]), or its outcome if it has ended ([`Job::wait`]). Nothing is sent.
    ///
    /// The client must have the region and account of the event.
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
/// let json = r#"{ "source": "aws.omics", "detail-type": "Read Set Status Change",
///     "detail": { "id": "1234567890", "sequenceStoreId": "5555555555",
///         "status": "ACTIVE" } }"#;
/// let event: Event = json.parse()?;
/// let Change::ReadSet(change) = event.change else { panic!("another event") };
/// assert_eq!((change.id.as_str(), change.status), ("1234567890", ReadSetStatus::Active));
/// # Ok::<(), healthomics::event::EventError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReadSetChange {
    /// The id of the read set, 10 to 36 digits.
    pub id: ReadSetId,
    /// The sequence store of the read set.
    pub sequence_store_id: SequenceStoreId,
    /// The status of the read set when the event was sent.
    pub status: ReadSetStatus,
    /// The service's explanation of the status; `None` if it gave none.
    pub status_message: Option<String>,
    /// The ARN of the read set.
    pub arn: Option<ReadSetArn>,
    /// The id of the job that made the read set; `None` if it was uploaded.
    pub creation_job_id: Option<String>,
    /// The version of the event's format: `1.0.0`.
    pub omics_version: Option<String>,
}

/// Why an event can't be read.
///
/// It is permanent: reading the event again fails again. In a Lambda function, return it from the handler, so that the
/// event goes to the dead-letter queue.
///
/// ```
/// use healthomics::event::{Event, EventError};
///
/// let error = r#"{ "source": "aws.omics" }"#.parse::<Event>().unwrap_err();
/// assert!(matches!(error, EventError::Missing { field: "detail-type", .. }));
/// ```
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// It is not JSON. Of a message of a queue, the event is the body.
    #[error("not an event of EventBridge: not JSON")]
    Json(#[source] serde_json::Error),
    /// It is JSON, but not an object.
    #[error("not an event of EventBridge: not a JSON object")]
    #[non_exhaustive]
    NotAnObject {},
    /// A required field is absent, empty or has another type. An input transformer in the rule may have removed it: let
    /// the rule send the whole event.
    #[error("not an event of EventBridge, or a part of one: it has no {field}")]
    #[non_exhaustive]
    Missing {
        /// The path of the field: `detail.sequenceStoreId`.
        field: &'static str,
    },
}

readable_debug!(EventError);

impl Event {
    /// Reads an event from JSON in UTF-8.
    ///
    /// # Errors
    ///
    /// [`EventError`], if it is not an event.
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

type Fields = serde_json::Map<String, Value>;

/// A field that is a string; `None` if it is absent, empty or has another type.
fn text(fields: &Fields, name: &str) -> Option<String> {
    fields.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The strings of a list.
fn texts(list: Option<&Value>) -> Vec<String> {
    let Some(Value::Array(items)) = list else { return Vec::new() };
    items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// The required fields of each `detail`, and all of its fields.
struct Detail {
    id: String,
    sequence_store_id: String,
    status: String,
    fields: Fields,
}

impl Detail {
    fn new(detail: Value) -> Result<Self, EventError> {
        let Value::Object(fields) = detail else { return Err(EventError::Missing { field: "detail" }) };
        let required = |name, field| text(&fields, name).ok_or(EventError::Missing { field });
        Ok(Self {
            id: required("id", "detail.id")?,
            sequence_store_id: required("sequenceStoreId", "detail.sequenceStoreId")?,
            status: required("status", "detail.status")?,
            fields,
        })
    }
}

fn job<K: JobKind>(detail: Value) -> Result<JobChange<K>, EventError> {
    let detail = Detail::new(detail)?;
    Ok(JobChange {
        id: detail.id.into(),
        sequence_store_id: detail.sequence_store_id.into(),
        status: detail.status.into(),
        status_message: text(&detail.fields, "statusMessage"),
        omics_version: text(&detail.fields, "omicsVersion"),
    })
}

fn read_set(detail: Value) -> Result<ReadSetChange, EventError> {
    let detail = Detail::new(detail)?;
    Ok(ReadSetChange {
        id: detail.id.into(),
        sequence_store_id: detail.sequence_store_id.into(),
        status: detail.status.into(),
        status_message: text(&detail.fields, "statusMessage"),
        arn: text(&detail.fields, "arn").map(Into::into),
        creation_job_id: text(&detail.fields, "creationJobId"),
        omics_version: text(&detail.fields, "omicsVersion"),
    })
}

#[cfg(test)]
mod tests;
