//! HTTP over TCP: accepts connections, reads requests, writes replies, and breaks connections on order.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::answer::{AnswerBody, Broken, ServiceError};
use super::state::{Reply, Shared};

/// More than an import needs that the model allows: 100 sources of 50 tags each, everything as long as it may be and every
/// character escaped in JSON, have 27 million bytes.
const LARGEST_BODY: usize = 32 << 20;
/// Longer than the usual client keeps an idle connection, so that the client closes first.
const HEADER_TIMEOUT: Duration = Duration::from_mins(2);
const BODY_TIMEOUT: Duration = Duration::from_mins(1);

/// Serves until it is aborted. The connections end with it.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<Shared>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(connections.spawn(connection(stream, Arc::clone(&shared)))),
            // Out of file descriptors, say: some will be free again.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // Without it answers would only be slower.
    drop(stream.set_nodelay(true));
    let reset = Arc::new(AtomicBool::new(false));
    let io = TokioIo::new(Resettable { stream, reset: Arc::clone(&reset) });
    let service = service_fn(move |request| answer(request, Arc::clone(&shared), Arc::clone(&reset)));
    // A connection that breaks is the caller's matter.
    drop(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(io, service)
            .await,
    );
}

async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
    reset: Arc<AtomicBool>,
) -> Result<Response<AnswerBody>, Broken> {
    let (head, body) = request.into_parts();
    let body = read(body).await?;
    match shared.reply(&head, body) {
        Reply::Answer { answer, after } => {
            if !after.is_zero() {
                tokio::time::sleep(after).await;
            }
            let clock = shared.state().clock();
            Ok(answer.into_response(clock))
        }
        Reply::Reset => {
            reset.store(true, Ordering::Relaxed);
            Err(Broken)
        }
        Reply::Hang => std::future::pending().await,
    }
}

/// The body, or how it is refused; an error if the caller is gone.
async fn read(body: Incoming) -> Result<Result<Bytes, ServiceError>, Broken> {
    // What is announced as too large is not waited for.
    if body.size_hint().lower() > LARGEST_BODY as u64 {
        return Ok(Err(ServiceError::too_large()));
    }
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, LARGEST_BODY).collect()).await {
        Ok(Ok(body)) => Ok(Ok(body.to_bytes())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Ok(Err(ServiceError::too_large())),
        Ok(Err(_)) => Err(Broken),
        Err(_) => Ok(Err(ServiceError::slow_body())),
    }
}

/// A TCP stream that is reset instead of closed if the flag is up when it is dropped.
struct Resettable {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Resettable {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // If it can't be reset, it is at least closed.
            drop(self.stream.set_zero_linger());
        }
    }
}

impl AsyncRead for Resettable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Resettable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
