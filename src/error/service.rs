//! What the service says when it refuses or fails.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use crate::error::Context;
use crate::retry::{self, ServerDelay};
use crate::wire::RawResponse;

/// How much of an answer that says nothing usable is kept, in bytes.
const EXCERPT_BYTES: usize = 200;

/// An error answer of the service, or of something between here and it.
#[derive(Debug)]
pub struct ServiceError {
    pub(super) answer: ErrorAnswer,
    pub(super) context: Context,
}

/// What an error answer says, as far as it can be read.
#[derive(Clone, Debug)]
pub(crate) struct ErrorAnswer {
    pub(crate) status: StatusCode,
    pub(crate) code: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) retry_after: Option<Duration>,
    excerpt: Option<String>,
}

impl ErrorAnswer {
    /// Reads the code from the header before the body, whatever the body is.
    pub(crate) fn read(raw: &RawResponse, now: SystemTime) -> Self {
        let body = ErrorBody::read(&raw.body);
        let header = raw.header("x-amzn-errortype").and_then(clean_code);
        let in_body = || [&body.code, &body.kind].into_iter().find_map(|code| text(code.as_ref()).and_then(clean_code));
        let code = header.or_else(in_body);
        let messages = [&body.message, &body.message_capital, &body.error_message];
        let message = messages.into_iter().find_map(|message| text(message.as_ref()));
        let excerpt = if message.is_none() { excerpt(&raw.body) } else { None };
        Self {
            status: raw.status,
            code: code.map(str::to_owned),
            message: message.map(|message| without_echo(message).to_owned()),
            request_id: raw.request_id().map(str::to_owned),
            retry_after: retry::server_delay(raw, now).map(ServerDelay::duration),
            excerpt,
        }
    }
}

/// The members that carry code and message; of any type, since nothing is promised.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    code: Option<Value>,
    #[serde(rename = "__type")]
    kind: Option<Value>,
    message: Option<Value>,
    #[serde(rename = "Message")]
    message_capital: Option<Value>,
    #[serde(rename = "errorMessage")]
    error_message: Option<Value>,
}

impl ErrorBody {
    fn read(body: &[u8]) -> Self {
        // An array would be read as members by position.
        let is_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        if is_object { serde_json::from_slice(body).unwrap_or_default() } else { Self::default() }
    }
}

fn text(value: Option<&Value>) -> Option<&str> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// `ns#Code:uri` to `Code`.
fn clean_code(raw: &str) -> Option<&str> {
    let code = raw.split_once(':').map_or(raw, |(code, _)| code);
    let code = code.rsplit_once('#').map_or(code, |(_, code)| code).trim();
    (!code.is_empty()).then_some(code)
}

/// AWS explains a refused signature by echoing signed headers, the session token among them: cut that off.
fn without_echo(message: &str) -> &str {
    let cut = ["Authorization=", "The Canonical String"].iter().filter_map(|echo| message.find(echo)).min();
    cut.map_or(message, |at| message[..at].trim_end())
}

fn excerpt(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(&body[..body.len().min(EXCERPT_BYTES)]);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

impl ServiceError {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.answer.status.as_u16()
    }

    /// The error code as the service wrote it, without name space and link; `None` if it wrote none.
    pub fn code(&self) -> Option<&str> {
        self.answer.code.as_deref()
    }

    /// The message of the service, if it wrote one.
    pub fn message(&self) -> Option<&str> {
        self.answer.message.as_deref()
    }

    /// The request id, which AWS support asks for.
    pub fn request_id(&self) -> Option<&str> {
        self.answer.request_id.as_deref()
    }

    /// How long the service asked to wait before another try.
    pub fn retry_after(&self) -> Option<Duration> {
        self.answer.retry_after
    }

    /// The first 200 bytes of an answer that had no message: what a proxy said, say.
    pub fn body_excerpt(&self) -> Option<&str> {
        self.answer.excerpt.as_deref()
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.answer.status;
        write!(f, "{}: ", self.context.operation)?;
        match &self.answer.code {
            Some(code) => write!(f, "{code} ({})", status.as_u16())?,
            None if status.is_redirection() => write!(f, "HTTP {status}, redirects are not followed")?,
            None => write!(f, "HTTP {status} without an error code")?,
        }
        match (&self.answer.message, &self.answer.excerpt) {
            (Some(message), _) => write!(f, ": {}", OneLine(message))?,
            (None, Some(excerpt)) => write!(f, ": {excerpt:?}")?,
            (None, None) => {}
        }
        self.context.fmt_tail(f, self.request_id())
    }
}

impl std::error::Error for ServiceError {}

/// A message that came from outside, kept on one line.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.split(|c: char| c.is_control()).filter(|part| !part.is_empty()).enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(word)?;
        }
        Ok(())
    }
}
