//! Failures on order.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, TRANSFER_ENCODING};
use serde_json::Value;

use super::answer::Answer;

/// What goes wrong with one request.
///
/// "Before" means that the service does not do what it was asked, "after" that it does and the caller does not hear
/// of it.
///
/// ```
/// use healthomics::local::{Fault, LocalService};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// // The answer of the first attempt is lost: the second finds the job that the first has started.
/// local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
/// client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]).send().await?;
/// assert_eq!((local.requests().len(), local.jobs().len()), (2, 1));
/// # Ok(()) }
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request is refused with this error, in the service's dress. Nothing is done.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error code, such as `InternalServerException`.
        code: String,
        /// The message in the body.
        message: String,
    },
    /// Just this comes back, such as a gateway's HTML. Nothing is done.
    Answer {
        /// The HTTP status, 200 to 599.
        status: u16,
        /// Names and values. `Date` is added if it is not among them.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// The work is done, and just this comes back.
    AnswerAfter {
        /// The HTTP status, 200 to 599.
        status: u16,
        /// Names and values. `Date` is added if it is not among them.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
    /// The connection is reset. Nothing is done.
    ResetBefore,
    /// The work is done, then the connection is reset.
    ResetAfter,
    /// The work is done at once, and the answer comes this much later.
    Delay(Duration),
    /// No answer ever. Nothing is done.
    HangBefore,
    /// The work is done, and no answer ever comes.
    HangAfter,
    /// The work is done; the connection closes in the middle of the answer's body.
    CutBody,
    /// The work is done; the answer's body comes byte by byte, each this much after the one before.
    Drip(Duration),
    /// The work is done; so many bytes of white space come before what else is in the answer's body.
    LargeBody(u64),
    /// The work is done; the answer is a 200 whose body is not JSON.
    GarbageBody,
    /// The work is done; the response is a 200 without a body and without a request id, as of a proxy.
    EmptyBody,
    /// The work is done; this JSON text is laid over the answer's body as a merge patch (RFC 7386): for values and
    /// members of tomorrow, and for nulls that remove.
    Merge(String),
    /// The request is answered as ever, but the `Date` header is off by so many seconds.
    DateOffset(i64),
}

impl Fault {
    /// A [`Fault::Error`].
    ///
    /// ```
    /// use healthomics::local::Fault;
    ///
    /// let fault = Fault::error(429, "ThrottlingException", "Rate exceeded");
    /// assert!(matches!(fault, Fault::Error { status: 429, .. }));
    /// ```
    pub fn error(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Error { status, code: code.into(), message: message.into() }
    }

    /// A [`Fault::Answer`] of plain bytes without headers.
    ///
    /// ```
    /// # use healthomics::local::{Fault, LocalService};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// # let client = local.client_builder().max_attempts(1).build()?;
    /// # let store = local.create_sequence_store();
    /// local.queue_fault("ListReadSets", Fault::answer(502, "<html>Bad gateway</html>"));
    /// let error = client.list_read_sets().sequence_store_id(&store).send().await.unwrap_err();
    /// assert_eq!((error.status(), error.code()), (Some(502), None));
    /// # Ok(()) }
    /// ```
    pub fn answer(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Answer { status, headers: Vec::new(), body: body.into() }
    }

    /// A [`Fault::AnswerAfter`] of plain bytes without headers.
    pub fn answer_after(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::AnswerAfter { status, headers: Vec::new(), body: body.into() }
    }

    /// A [`Fault::Merge`].
    ///
    /// ```
    /// # use healthomics::local::{Fault, LocalService, SeedReadSet};
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let id = local.seed_read_set(&store, SeedReadSet::active("BAM".into()).name("HG00096"));
    /// // A status of tomorrow, and no name.
    /// local.queue_fault("GetReadSetMetadata", Fault::merge(r#"{ "status": "FROZEN", "name": null }"#));
    /// let read_set = client.get_read_set_metadata().sequence_store_id(&store).id(&id).send().await?;
    /// assert_eq!((read_set.status.as_str(), read_set.name), ("FROZEN", None));
    /// # Ok(()) }
    /// ```
    pub fn merge(patch: impl Into<String>) -> Self {
        Self::Merge(patch.into())
    }

    /// What makes the fault impossible to carry out.
    pub(crate) fn flaw(&self) -> Option<String> {
        match self {
            Self::Error { status, code, .. } => flaw_of_status(*status)
                .or_else(|| HeaderValue::from_str(code).is_err().then(|| format!("{code:?} is no error code"))),
            Self::Answer { status, headers, .. } | Self::AnswerAfter { status, headers, .. } => flaw_of_status(*status)
                .or_else(|| {
                    let bad = headers.iter().find(|(name, value)| header(name, value).is_none());
                    bad.map(|(name, value)| format!("{name:?}: {value:?} is no header to send"))
                }),
            Self::Merge(patch) => {
                serde_json::from_str::<Value>(patch).err().map(|error| format!("the merge patch is not JSON: {error}"))
            }
            _ => None,
        }
    }
}

fn flaw_of_status(status: u16) -> Option<String> {
    (!(200..=599).contains(&status)).then(|| format!("{status} is no status of an answer"))
}

/// A header that can be sent. How long the body is, the server says.
fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::try_from(name).ok().filter(|name| *name != CONTENT_LENGTH && *name != TRANSFER_ENCODING)?;
    Some((name, HeaderValue::try_from(value).ok()?))
}

/// A raw answer out of a fault's parts.
pub(crate) fn raw_answer(status: u16, headers: &[(String, String)], body: Vec<u8>) -> Answer {
    Answer::raw(status, headers.iter().filter_map(|(name, value)| header(name, value)).collect(), body)
}

/// A 200 that is not JSON, although it says so.
pub(crate) fn garbage() -> Answer {
    let headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Answer::raw(200, headers, Bytes::from_static(b"<html>this is not JSON</html>"))
}

/// Lays a merge patch over the body of an answer.
pub(crate) fn merge_into(answer: &mut Answer, patch: &str) {
    // A body that is not there has no members.
    let body: &[u8] = if answer.body.is_empty() { b"{}" } else { &answer.body };
    if let (Ok(mut body), Ok(patch)) = (serde_json::from_slice(body), serde_json::from_str(patch)) {
        merge(&mut body, patch);
        answer.body = body.to_string().into();
    }
}

/// RFC 7386.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(&name);
            } else {
                merge(target.entry(name).or_insert(Value::Null), value);
            }
        }
    }
}

/// The faults that wait for requests.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    queued: HashMap<String, VecDeque<Fault>>,
    standing: HashMap<String, Fault>,
}

impl Faults {
    pub(crate) fn queue(&mut self, operation: &str, fault: Fault) {
        self.queued.entry(operation.to_owned()).or_default().push_back(fault);
    }

    pub(crate) fn always(&mut self, operation: &str, fault: Fault) {
        self.standing.insert(operation.to_owned(), fault);
    }

    pub(crate) fn clear(&mut self) {
        self.queued.clear();
        self.standing.clear();
    }

    /// The fault of the request that has just arrived: queued ones first.
    pub(crate) fn take(&mut self, operation: &str) -> Option<Fault> {
        let queued = self.queued.get_mut(operation).and_then(VecDeque::pop_front);
        queued.or_else(|| self.standing.get(operation).cloned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn merging_follows_the_rfc() {
        for (mut target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            merge(&mut target, patch);
            assert_eq!(target, expected);
        }
    }

    #[test]
    fn queued_faults_go_before_the_standing_one() {
        let mut faults = Faults::default();
        faults.always("A", Fault::EmptyBody);
        faults.queue("A", Fault::CutBody);
        assert_eq!(faults.take("A"), Some(Fault::CutBody));
        assert_eq!(faults.take("A"), Some(Fault::EmptyBody));
        assert_eq!(faults.take("A"), Some(Fault::EmptyBody));
        assert_eq!(faults.take("B"), None);
        faults.clear();
        assert_eq!(faults.take("A"), None);
    }

    #[test]
    fn flawed_faults_are_found() {
        assert!(Fault::error(99, "X", "").flaw().is_some());
        assert!(Fault::error(500, "X\n", "").flaw().is_some());
        assert!(Fault::merge("{").flaw().is_some());
        for name in ["a b", "Content-Length"] {
            let headers = vec![(name.to_owned(), "1".to_owned())];
            assert!(Fault::Answer { status: 200, headers, body: Vec::new() }.flaw().is_some(), "{name}");
        }
        assert!(Fault::merge("{}").flaw().is_none());
    }
}
