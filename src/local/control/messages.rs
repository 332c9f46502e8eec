//! The fields of control requests. Unknown fields and values are errors.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use time::OffsetDateTime;

use crate::local::client_tokens::ClientTokens;
use crate::local::fault_rules::FaultRule;
use crate::local::faults::Fault;
use crate::local::pace::Pace;
use crate::local::seed::{known, known_status, optional_time};
use crate::local::snapshot::JobKind;

use crate::model::{JobStatus, ReadSetStatus};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoFields {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StoreId {
    pub(super) sequence_store_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OperationFilter {
    operation: Option<String>,
}

impl OperationFilter {
    pub(super) fn includes(&self, operation: Option<&str>) -> bool {
        self.operation.is_none() || self.operation.as_deref() == operation
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SetReadSetStatus {
    pub(super) sequence_store_id: String,
    pub(super) id: String,
    #[serde(deserialize_with = "known_status")]
    pub(super) status: ReadSetStatus,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JobId {
    pub(super) id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetJobStatus {
    pub(super) id: String,
    #[serde(deserialize_with = "known_job_status")]
    pub(super) status: JobStatus,
}

fn known_job_status<'de, D: Deserializer<'de>>(deserializer: D) -> Result<JobStatus, D::Error> {
    let status = JobStatus::deserialize(deserializer)?;
    known(status, JobStatus::KNOWN)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FailItem {
    pub(super) key: String,
    pub(super) message: String,
    pub(super) times: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemKey {
    pub(super) key: String,
}

/// A [`FaultRule`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct InjectFault {
    operation: String,
    fault: FaultMessage,
    sequence_store_id: Option<String>,
    item: Option<String>,
    nth: Option<u64>,
    #[serde(default)]
    always: bool,
}

/// A [`Fault`]: a string, or an object with one field. The unit of a number is part of its name.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum FaultMessage {
    Error(ErrorMessage),
    Response(ResponseMessage),
    ResponseAfter(ResponseMessage),
    ConnectionRefused,
    ResetBefore,
    ResetAfter,
    DelayMs(u64),
    HangBefore,
    HangAfter,
    TruncatedBody,
    SlowBodyMs(u64),
    LargeBodyBytes(u64),
    MalformedBody,
    EmptyBody,
    Merge(Value),
    DateOffsetSeconds(i64),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorMessage {
    status: u16,
    code: String,
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResponseMessage {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

impl From<InjectFault> for FaultRule {
    fn from(message: InjectFault) -> Self {
        let mut rule = Self::new(message.operation, message.fault.into());
        if let Some(id) = message.sequence_store_id {
            rule = rule.sequence_store_id(id);
        }
        if let Some(item) = message.item {
            rule = rule.item(item);
        }
        if let Some(n) = message.nth {
            rule = rule.nth(n);
        }
        if message.always {
            rule = rule.always();
        }
        rule
    }
}

impl From<FaultMessage> for Fault {
    fn from(message: FaultMessage) -> Self {
        match message {
            FaultMessage::Error(ErrorMessage { status, code, message }) => Self::Error { status, code, message },
            FaultMessage::Response(ResponseMessage { status, headers, body }) => {
                Self::Response { status, headers: headers.into_iter().collect(), body: body.into_bytes() }
            }
            FaultMessage::ResponseAfter(ResponseMessage { status, headers, body }) => {
                Self::ResponseAfter { status, headers: headers.into_iter().collect(), body: body.into_bytes() }
            }
            FaultMessage::ConnectionRefused => Self::ConnectionRefused,
            FaultMessage::ResetBefore => Self::ResetBefore,
            FaultMessage::ResetAfter => Self::ResetAfter,
            FaultMessage::DelayMs(millis) => Self::Delay(Duration::from_millis(millis)),
            FaultMessage::HangBefore => Self::HangBefore,
            FaultMessage::HangAfter => Self::HangAfter,
            FaultMessage::TruncatedBody => Self::TruncatedBody,
            FaultMessage::SlowBodyMs(millis) => Self::SlowBody(Duration::from_millis(millis)),
            FaultMessage::LargeBodyBytes(bytes) => Self::LargeBody(bytes),
            FaultMessage::MalformedBody => Self::MalformedBody,
            FaultMessage::EmptyBody => Self::EmptyBody,
            FaultMessage::Merge(patch) => Self::Merge(patch.to_string()),
            FaultMessage::DateOffsetSeconds(seconds) => Self::DateOffset(seconds),
        }
    }
}

/// A [`Pace`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct SetPace {
    pub(super) kind: Option<JobKind>,
    polls: Option<u32>,
    time_ms: Option<u64>,
}

impl SetPace {
    /// `None` if neither field is set.
    pub(super) fn pace(&self) -> Option<Pace> {
        Pace::of(self.polls, self.time_ms.map(Duration::from_millis))
    }
}

/// The [`ClientTokens`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields, tag = "mode", rename_all = "SCREAMING_SNAKE_CASE", rename_all_fields = "camelCase")]
pub(super) enum SetClientTokens {
    Remembered,
    ForgottenAfter { time_ms: u64 },
    Ignored,
    Conflict,
}

impl From<SetClientTokens> for ClientTokens {
    fn from(message: SetClientTokens) -> Self {
        match message {
            SetClientTokens::Remembered => Self::Remembered,
            SetClientTokens::ForgottenAfter { time_ms } => Self::ForgottenAfter(Duration::from_millis(time_ms)),
            SetClientTokens::Ignored => Self::Ignored,
            SetClientTokens::Conflict => Self::Conflict,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CredentialsMessage {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    #[serde(default, deserialize_with = "optional_time")]
    expiration: Option<OffsetDateTime>,
}

impl From<CredentialsMessage> for Credentials {
    fn from(message: CredentialsMessage) -> Self {
        let CredentialsMessage { access_key_id, secret_access_key, session_token, expiration } = message;
        let expiration = expiration.map(SystemTime::from);
        Self::new(access_key_id, secret_access_key, session_token, expiration, "healthomics-local")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ExpireCredentials {
    pub(super) access_key_id: String,
    /// Now if there is none.
    #[serde(default, deserialize_with = "optional_time")]
    pub(super) at: Option<OffsetDateTime>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetClockOffset {
    pub(super) seconds: i64,
}
