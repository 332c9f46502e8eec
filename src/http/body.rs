//! Bodies of requests and responses.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;

use crate::model::BoxError;

/// The body of a request or of a response.
///
/// It is an [`http_body::Body`], which every HTTP client built on `hyper` takes, and which the crate `http-body-util` has
/// further methods for. The body of a request is in memory as a whole: [`as_bytes`](Self::as_bytes) returns it.
///
/// ```
/// use healthomics::http::Body;
///
/// let body = Body::from("{}");
/// assert_eq!(body.as_bytes(), Some(&b"{}"[..]));
///
/// // The body of a response, as an HTTP client returns it: in pieces.
/// let streamed = Body::new(reqwest::Body::from("{}"));
/// assert_eq!(streamed.as_bytes(), None);
/// ```
pub struct Body(Inner);

enum Inner {
    Buffered(Bytes),
    Streaming(BoxBody<Bytes, BoxError>),
}

impl Body {
    /// A body that arrives in pieces.
    ///
    /// [`Body`] has an example.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + Sync + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self(Inner::Streaming(body.map_err(Into::into).boxed()))
    }

    /// The whole body, or what has not been read of it yet; `None` for a body that arrives in pieces.
    ///
    /// [`Body`] has an example.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Inner::Buffered(bytes) => Some(bytes),
            Inner::Streaming(_) => None,
        }
    }

    /// The whole body, or itself if it arrives in pieces.
    pub(crate) fn into_bytes(self) -> Result<Bytes, Self> {
        match self.0 {
            Inner::Buffered(bytes) => Ok(bytes),
            Inner::Streaming(_) => Err(self),
        }
    }
}

impl Default for Body {
    /// An empty body.
    fn default() -> Self {
        Self::from(Bytes::new())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Inner::Buffered(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::from(Bytes::from(bytes))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::from(Bytes::from(text))
    }
}

impl From<&'static str> for Body {
    fn from(text: &'static str) -> Self {
        Self::from(Bytes::from_static(text.as_bytes()))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match &mut self.0 {
            Inner::Buffered(bytes) if bytes.is_empty() => Poll::Ready(None),
            Inner::Buffered(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Inner::Streaming(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Inner::Buffered(bytes) => bytes.is_empty(),
            Inner::Streaming(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Inner::Buffered(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Inner::Streaming(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for Body {
    /// The length, as the body may hold a client token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Buffered(bytes) => write!(f, "Body({} bytes)", bytes.len()),
            Inner::Streaming(_) => f.write_str("Body(streaming)"),
        }
    }
}
