//! Responses and their bodies.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, HeaderValue};
use http_body::{Body, Frame, SizeHint};
use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset};
use tokio::time::{Sleep, sleep};
use uuid::Uuid;

use super::service_error::ServiceError;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// What the service does with a request.
#[derive(Debug)]
pub(crate) enum Delivery {
    Respond {
        response: Response,
        /// How much later than the work the response is sent.
        delay: Duration,
    },
    /// The connection is reset.
    Reset,
    /// There is never a response.
    Hang,
    /// The connection is refused, which is only possible without a socket.
    RefuseConnection,
}

/// A response before it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    pub(crate) body_mode: BodyMode,
    /// The seconds by which the `Date` header is ahead of the service's clock.
    pub(crate) date_offset: i64,
}

/// How a body is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BodyMode {
    Whole,
    /// The first half of it, then the connection closes.
    Truncated,
    /// Byte by byte, with this pause before each.
    Slow(Duration),
    /// After so many bytes of white space.
    Padded(u64),
}

impl Response {
    /// A success; null is no body.
    pub(crate) fn ok(body: &Value) -> Self {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        Self::raw(200, vec![(CONTENT_TYPE, JSON), (REQUEST_ID, request_id())], body)
    }

    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        let mut headers = vec![(CONTENT_TYPE, JSON), (REQUEST_ID, request_id())];
        let error_type = format!("{code}:http://internal.amazon.com/coral/com.amazonaws.healthomics/");
        headers.extend(HeaderValue::from_str(&error_type).ok().map(|value| (ERROR_TYPE, value)));
        Self::raw(status, headers, json!({ "message": message }).to_string())
    }

    pub(crate) fn raw(status: u16, headers: Vec<(HeaderName, HeaderValue)>, body: impl Into<Bytes>) -> Self {
        Self { status, headers, body: body.into(), body_mode: BodyMode::Whole, date_offset: 0 }
    }

    /// The HTTP response. Its date is that of the service's clock, unless it has a `Date` header.
    pub(crate) fn into_http(self, now: OffsetDateTime) -> http::Response<ResponseBody> {
        let date = now.checked_add(time::Duration::seconds(self.date_offset)).unwrap_or(now);
        let mut response = http::Response::new(ResponseBody::new(&self.body, self.body_mode));
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
        if matches!(self.body_mode, BodyMode::Truncated) {
            // Something must be missing of an empty body, too.
            headers.insert(CONTENT_LENGTH, HeaderValue::from(self.body.len().max(1)));
        }
        response
    }
}

impl From<Response> for Delivery {
    fn from(response: Response) -> Self {
        Self::Respond { response, delay: Duration::ZERO }
    }
}

impl From<ServiceError> for Response {
    fn from(error: ServiceError) -> Self {
        Self::error(error.status, error.code, &error.message)
    }
}

fn request_id() -> HeaderValue {
    HeaderValue::from_str(&Uuid::new_v4().to_string()).unwrap_or(HeaderValue::from_static(""))
}

/// Formats a date as in `Sun, 06 Nov 1994 08:49:37 GMT`.
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

/// The body of a response: whole or in pieces, or a part of it and then a broken connection.
pub(crate) struct ResponseBody {
    /// How many bytes of white space are still to be sent.
    padding: u64,
    data: Bytes,
    /// The pause before each byte, and the current one.
    pause: Option<(Duration, Pin<Box<Sleep>>)>,
    end: End,
}

/// What follows the data.
enum End {
    Complete,
    /// The body is pending once, so that the data is flushed before the connection breaks.
    FlushThenBreak,
    Break,
}

static WHITE_SPACE: [u8; 1 << 16] = [b' '; 1 << 16];

impl ResponseBody {
    fn new(data: &Bytes, mode: BodyMode) -> Self {
        let mut body = Self { padding: 0, data: data.clone(), pause: None, end: End::Complete };
        match mode {
            BodyMode::Whole => {}
            BodyMode::Truncated => {
                body.data = data.slice(..data.len() / 2);
                body.end = End::FlushThenBreak;
            }
            BodyMode::Slow(pause) => body.pause = Some((pause, Box::pin(sleep(pause)))),
            BodyMode::Padded(padding) => body.padding = padding,
        }
        body
    }

    /// The next piece, which is pending until the pause before it has passed.
    fn piece(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        if self.padding > 0 {
            let length = WHITE_SPACE.len().min(usize::try_from(self.padding).unwrap_or(usize::MAX));
            self.padding -= length as u64;
            return Poll::Ready(Bytes::from_static(&WHITE_SPACE[..length]));
        }
        let Some((pause, pending)) = &mut self.pause else { return Poll::Ready(std::mem::take(&mut self.data)) };
        std::task::ready!(pending.as_mut().poll(cx));
        *pending = Box::pin(sleep(*pause));
        Poll::Ready(self.data.split_to(1))
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = ConnectionBroken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ConnectionBroken>>> {
        if self.padding > 0 || !self.data.is_empty() {
            return self.piece(cx).map(|piece| Some(Ok(Frame::data(piece))));
        }
        match self.end {
            End::Complete => Poll::Ready(None),
            End::FlushThenBreak => {
                self.end = End::Break;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            End::Break => Poll::Ready(Some(Err(ConnectionBroken))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.padding == 0 && self.data.is_empty() && matches!(self.end, End::Complete)
    }

    fn size_hint(&self) -> SizeHint {
        match self.end {
            End::Complete => SizeHint::with_exact(self.padding.saturating_add(self.data.len() as u64)),
            End::FlushThenBreak | End::Break => SizeHint::new(),
        }
    }
}

/// The connection breaks, by a fault or by the caller.
#[derive(Debug)]
pub(crate) struct ConnectionBroken;

impl std::fmt::Display for ConnectionBroken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the connection is broken")
    }
}

impl std::error::Error for ConnectionBroken {}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn dates_have_the_format_of_http() {
        assert_eq!(http_date(datetime!(1994-11-06 08:49:37.9 UTC)), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(http_date(datetime!(2024-02-29 23:30 -01:00)), "Fri, 01 Mar 2024 00:30:00 GMT");
    }
}
