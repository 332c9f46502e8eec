//! What goes back over the wire.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset};
use tokio::time::{Sleep, sleep};
use uuid::Uuid;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// A refusal, as the service words it.
#[derive(Debug)]
pub(crate) struct ServiceError {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ServiceError {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "ResourceNotFoundException", message)
    }

    pub(crate) fn quota(message: impl Into<String>) -> Self {
        Self::new(402, "ServiceQuotaExceededException", message)
    }

    pub(crate) fn throttled() -> Self {
        Self::new(429, "ThrottlingException", "Rate exceeded")
    }

    pub(crate) fn unknown_operation() -> Self {
        Self::new(404, "UnknownOperationException", "The requested operation is not recognized by the service.")
    }

    pub(crate) fn not_implemented(operation: &str) -> Self {
        let message = format!("{operation} is not implemented by the local service.");
        Self::new(501, "NotImplementedException", message)
    }

    pub(crate) fn too_large() -> Self {
        Self::new(413, "RequestEntityTooLarge", "The request body is larger than this service takes.")
    }

    pub(crate) fn slow_body() -> Self {
        Self::new(408, "RequestTimeoutException", "The request body did not arrive in time.")
    }
}

/// An answer before it is written.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    pub(crate) manner: Manner,
    /// How far the `Date` header is off the service's clock.
    pub(crate) date_offset: i64,
}

/// How a body is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    Whole,
    /// Half of it, then the connection closes.
    Cut,
    /// Byte by byte, with this pause before each.
    Dripping(Duration),
    /// After so many bytes of white space.
    Padded(u64),
}

impl Answer {
    /// A success; null stands for no body.
    pub(crate) fn ok(body: &Value) -> Self {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Self::raw(200, vec![(CONTENT_TYPE, JSON), (REQUEST_ID, request_id())], body)
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let mut headers = vec![(CONTENT_TYPE, JSON), (REQUEST_ID, request_id())];
        let kind = format!("{code}:http://internal.amazon.com/coral/com.amazonaws.healthomics/");
        headers.extend(HeaderValue::from_str(&kind).ok().map(|kind| (ERROR_TYPE, kind)));
        Self::raw(status, headers, json!({ "message": message }).to_string())
    }

    pub(crate) fn raw(status: u16, headers: Vec<(HeaderName, HeaderValue)>, body: impl Into<Bytes>) -> Self {
        Self { status, headers, body: body.into(), manner: Manner::Whole, date_offset: 0 }
    }

    /// The answer as HTTP, dated by the service's clock unless it brings a date.
    pub(crate) fn into_response(self, clock: OffsetDateTime) -> Response<AnswerBody> {
        let date = clock.checked_add(time::Duration::seconds(self.date_offset)).unwrap_or(clock);
        let mut response = Response::new(AnswerBody::new(&self.body, self.manner));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        if !headers.contains_key(DATE)
            && let Ok(date) = HeaderValue::from_str(&http_date(date))
        {
            headers.insert(DATE, date);
        }
        if matches!(self.manner, Manner::Cut) {
            // Something must be missing of an empty body, too.
            headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len().max(1)));
        }
        response
    }
}

impl From<ServiceError> for Answer {
    fn from(error: ServiceError) -> Self {
        Self::error(error.status, error.code, &error.message)
    }
}

fn request_id() -> HeaderValue {
    HeaderValue::from_str(&Uuid::new_v4().to_string()).unwrap_or(HeaderValue::from_static(""))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(date: OffsetDateTime) -> String {
    let date = date.to_offset(UtcOffset::UTC);
    format!(
        "{:.3}, {:02} {:.3} {:04} {:02}:{:02}:{:02} GMT",
        date.weekday().to_string(),
        date.day(),
        date.month().to_string(),
        date.year(),
        date.hour(),
        date.minute(),
        date.second()
    )
}

/// The bytes of an answer: all of them, at once or by and by, or some and then a broken connection.
pub(crate) struct AnswerBody {
    /// White space that is still to come.
    padding: u64,
    data: Bytes,
    drip: Option<(Duration, Pin<Box<Sleep>>)>,
    end: End,
}

enum End {
    Done,
    /// One turn of waiting, in which what was sent so far is flushed.
    Flush,
    Break,
}

static WHITE_SPACE: [u8; 1 << 16] = [b' '; 1 << 16];

impl AnswerBody {
    fn new(data: &Bytes, manner: Manner) -> Self {
        let mut body = Self { padding: 0, data: data.clone(), drip: None, end: End::Done };
        match manner {
            Manner::Whole => {}
            Manner::Cut => (body.data, body.end) = (data.slice(..data.len() / 2), End::Flush),
            Manner::Dripping(pause) => body.drip = Some((pause, Box::pin(sleep(pause)))),
            Manner::Padded(padding) => body.padding = padding,
        }
        body
    }

    /// The next piece, unless it is not yet time for it.
    fn piece(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        if self.padding > 0 {
            let length = WHITE_SPACE.len().min(usize::try_from(self.padding).unwrap_or(usize::MAX));
            self.padding -= length as u64;
            return Poll::Ready(Bytes::from_static(&WHITE_SPACE[..length]));
        }
        let Some((pause, pending)) = &mut self.drip else { return Poll::Ready(std::mem::take(&mut self.data)) };
        std::task::ready!(pending.as_mut().poll(cx));
        *pending = Box::pin(sleep(*pause));
        Poll::Ready(self.data.split_to(1))
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        if self.padding > 0 || !self.data.is_empty() {
            return self.piece(cx).map(|piece| Some(Ok(Frame::data(piece))));
        }
        match self.end {
            End::Done => Poll::Ready(None),
            End::Flush => {
                self.end = End::Break;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            End::Break => Poll::Ready(Some(Err(Broken))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.padding == 0 && self.data.is_empty() && matches!(self.end, End::Done)
    }

    fn size_hint(&self) -> SizeHint {
        match self.end {
            End::Done => SizeHint::with_exact(self.padding.saturating_add(self.data.len() as u64)),
            End::Flush | End::Break => SizeHint::new(),
        }
    }
}

/// The connection is broken on purpose.
#[derive(Debug)]
pub(crate) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("connection broken on purpose")
    }
}

impl std::error::Error for Broken {}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn dates_are_written_as_http_wants_them() {
        assert_eq!(http_date(datetime!(1994-11-06 08:49:37.9 UTC)), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(datetime!(2024-02-29 23:30 -01:00)), "Fri, 01 Mar 2024 00:30:00 GMT");
    }
}
