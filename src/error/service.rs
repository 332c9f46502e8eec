//! What the service says when it refuses or fails.

use std::fmt;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use serde::Deserialize;

use crate::error::Context;
use crate::json;
use crate::retry::{self, ServerDelay};
use crate::sign::Secrets;
use crate::wire::RawResponse;

/// How much of an answer that says nothing usable is kept, in bytes.
const EXCERPT_BYTES: usize = 200;
/// How much of a message stands in `Display`, in characters.
const SHOWN_CHARS: usize = 600;

/// An error answer of the service, or of something between here and it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::local::{Fault, LocalService};
/// # let local = LocalService::start().await?;
/// # let client = local.client_builder().max_attempts(1).build()?;
/// # local.queue_fault("GetReadSetMetadata", Fault::answer(403, "<html>blocked by the proxy</html>"));
/// # let call = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555");
/// match call.send().await {
///     // Not the service has answered: it would have said why.
///     Err(healthomics::Error::AccessDeniedException(answer)) if answer.message().is_none() => {
///         assert_eq!((answer.status(), answer.code()), (403, None));
///         assert_eq!(answer.body_excerpt(), Some("<html>blocked by the proxy</html>"));
///     }
///     other => panic!("{other:?}"),
/// }
/// # Ok(()) }
/// ```
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
    /// Reads the code from the header before the body, whatever the body is. A gateway may show the request that it did
    /// not like: its secrets are blanked out.
    pub(crate) fn read(raw: &RawResponse, now: SystemTime, secrets: &Secrets) -> Self {
        let body = ErrorBody::read(&raw.body);
        let header = raw.header("x-amzn-errortype").and_then(clean_code);
        let code = header.or_else(|| body.code());
        let message = body.message();
        let excerpt =
            if message.is_none() { excerpt(&secrets.blank(&String::from_utf8_lossy(&raw.body))) } else { None };
        Self {
            status: raw.status,
            code: code.map(str::to_owned),
            message: message.map(|message| secrets.blank(without_echo(message))),
            request_id: raw.request_id().map(|id| secrets.blank(id)),
            retry_after: retry::server_delay(raw, now).map(ServerDelay::duration),
            excerpt,
        }
    }
}

/// The fields of an error response that say something.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    #[serde(with = "json::field")]
    code: Option<String>,
    #[serde(rename = "__type", with = "json::field")]
    type_: Option<String>,
    #[serde(with = "json::field")]
    message: Option<String>,
    #[serde(rename = "Message", with = "json::field")]
    message_capitalized: Option<String>,
    #[serde(rename = "errorMessage", with = "json::field")]
    error_message: Option<String>,
}

impl ErrorBody {
    /// The fields of a JSON object; none of anything else.
    fn read(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let mut deserializer = serde_json::Deserializer::from_str(&text);
        let fields = json::read_struct(&mut deserializer).ok().flatten();
        fields.filter(|_| deserializer.end().is_ok()).unwrap_or_default()
    }

    fn code(&self) -> Option<&str> {
        [&self.code, &self.type_].into_iter().flatten().find_map(|code| clean_code(code))
    }

    fn message(&self) -> Option<&str> {
        [&self.message, &self.message_capitalized, &self.error_message].into_iter().flatten().map(String::as_str).next()
    }
}

/// `ns#Code:uri` to `Code`.
fn clean_code(raw: &str) -> Option<&str> {
    let code = raw.split_once(':').map_or(raw, |(code, _)| code);
    let code = code.rsplit_once('#').map_or(code, |(_, code)| code).trim();
    // What is no name at all may be an attempt on the log.
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    (!code.is_empty() && code.len() <= 128 && code.bytes().all(is_name)).then_some(code)
}

/// AWS explains a refused signature by echoing signed headers, the session token among them: cut that off.
fn without_echo(message: &str) -> &str {
    let cut = ["Authorization=", "The Canonical String"].iter().filter_map(|echo| message.find(echo)).min();
    cut.map_or(message, |at| message[..at].trim_end())
}

fn excerpt(body: &str) -> Option<String> {
    let text =
        without_echo(&body[..body.floor_char_boundary(EXCERPT_BYTES)]).split_whitespace().collect::<Vec<_>>().join(" ");
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

    /// How long the service asked to wait before the next request, at most 24 hours; `None` if it did not ask.
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
        let next_step = self.next_step();
        self.context.fmt_head(f)?;
        match &self.answer.code {
            Some(code) => write!(f, "{code} ({})", status.as_u16())?,
            // 304 is in the same class, and leads nowhere.
            None if matches!(status.as_u16(), 301..=303 | 307 | 308) => {
                write!(f, "HTTP {status}, redirects are not followed")?;
            }
            None => write!(f, "HTTP {status} without an error code")?,
        }
        match (&self.answer.message, &self.answer.excerpt) {
            (Some(message), _) if next_step.is_some() => write!(f, ": {}", OneLine(message.trim_end_matches('.')))?,
            (Some(message), _) => write!(f, ": {}", OneLine(message))?,
            (None, Some(excerpt)) => write!(f, ": {excerpt:?}")?,
            (None, None) => {}
        }
        if let Some(step) = next_step {
            write!(f, "; {step}")?;
        }
        self.context.fmt_tail(f, self.request_id())
    }
}

impl ServiceError {
    /// What to do about it, where that is the same for every caller.
    fn next_step(&self) -> Option<String> {
        let operation = self.context.operation;
        let code = self.code().unwrap_or_default();
        if code.is_empty() && self.request_id().is_none() {
            let is_refusal = matches!(self.status(), 401..=404 | 407);
            return is_refusal.then(|| "check the proxy and the endpoint URL".to_owned());
        }
        if retry::EXPIRED_CODES.contains(&code) {
            return Some("renew the credentials, they have expired".to_owned());
        }
        if retry::SIGNATURE_CODES.contains(&code) || UNKNOWN_CALLER_CODES.contains(&code) {
            return Some("check access key, secret and session token, and the clock of this machine".to_owned());
        }
        let step = match (code, self.status()) {
            ("OptInRequired", _) => "the account must be subscribed to the service in this region".to_owned(),
            ("UnknownOperationException", _) => "check the endpoint URL".to_owned(),
            (_, 401) => "check the credentials of the caller".to_owned(),
            ("ServiceQuotaExceededException", _) | (_, 402) => match running_jobs_quota(operation) {
                Some((kind, quota)) => {
                    format!("wait for running {kind} jobs to end, or request a higher quota {quota}")
                }
                None => "request a higher quota".to_owned(),
            },
            ("AccessDeniedException", _) | (_, 403) => {
                let has_role = matches!(operation, "StartReadSetExportJob" | "StartReadSetImportJob");
                let pass_role = if has_role { " and iam:PassRole for the role of the job" } else { "" };
                format!("the IAM policy of the caller must allow omics:{operation}{pass_role}")
            }
            ("ResourceNotFoundException", _) | (_, 404) => {
                "check the id, and region and account of the client".to_owned()
            }
            _ => return None,
        };
        Some(step)
    }
}

/// The service does not know who the caller is.
const UNKNOWN_CALLER_CODES: &[&str] = &[
    "IncompleteSignature",
    "InvalidClientTokenId",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "UnrecognizedClientException",
];

/// The kind of jobs that an operation starts, and the code of the quota for how many of them run at once.
fn running_jobs_quota(operation: &str) -> Option<(&'static str, &'static str)> {
    match operation {
        "StartReadSetImportJob" => Some(("import", "L-F57A8D18")),
        "StartReadSetExportJob" => Some(("export", "L-473E274D")),
        "StartReadSetActivationJob" => Some(("activation", "L-911E26A1")),
        _ => None,
    }
}

impl std::error::Error for ServiceError {}

/// Whether a character ends a line somewhere, or makes what follows be shown in another order than it was written.
fn breaks_a_line(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A message that came from outside, kept on one line and in bounds.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.char_indices().nth(SHOWN_CHARS).map_or(self.0, |(end, _)| &self.0[..end]);
        for (index, part) in shown.split(breaks_a_line).filter(|part| !part.is_empty()).enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(part)?;
        }
        if shown.len() < self.0.len() { f.write_str("…") } else { Ok(()) }
    }
}
