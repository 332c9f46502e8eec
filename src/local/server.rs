//! HTTP over TCP: accepts connections, reads requests, writes responses, and breaks connections where a fault says so.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::response::{ConnectionBroken, Delivery, ResponseBody};
use super::service::{Service, read_body};
use super::service_error::ServiceError;

/// Longer than most clients keep an idle connection, so that the client closes first.
const HEADER_TIMEOUT: Duration = Duration::from_mins(2);
const BODY_TIMEOUT: Duration = Duration::from_mins(1);

/// A listener that can be closed while a task accepts connections, so that its port is free at once.
pub(crate) struct Listener(Mutex<Option<TcpListener>>);

impl Listener {
    pub(crate) fn new(listener: TcpListener) -> Self {
        Self(Mutex::new(Some(listener)))
    }

    pub(crate) fn close(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Pending forever if the listener is closed.
    async fn accept(&self) -> io::Result<TcpStream> {
        poll_fn(|cx| match &*self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(listener) => listener.poll_accept(cx).map_ok(|(stream, _)| stream),
            None => Poll::Pending,
        })
        .await
    }
}

/// Serves until it is aborted, which also ends its connections.
pub(crate) async fn serve(listener: Arc<Listener>, service: Weak<Service>) -> Infallible {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok(stream) => drop(connections.spawn(serve_connection(stream, Weak::clone(&service)))),
            // For example, there is no file descriptor left until another connection closes.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve_connection(stream: TcpStream, service: Weak<Service>) {
    // Without it responses are only slower.
    drop(stream.set_nodelay(true));
    let reset = Arc::new(AtomicBool::new(false));
    let io = TokioIo::new(Resettable { stream, reset: Arc::clone(&reset) });
    let service = service_fn(move |request| respond(request, Weak::clone(&service), Arc::clone(&reset)));
    // The caller finds out that the connection is broken.
    drop(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(io, service)
            .await,
    );
}

async fn respond(
    request: Request<Incoming>,
    service: Weak<Service>,
    reset: Arc<AtomicBool>,
) -> Result<Response<ResponseBody>, ConnectionBroken> {
    let (head, body) = request.into_parts();
    let body = match tokio::time::timeout(BODY_TIMEOUT, read_body(body)).await {
        Ok(body) => body.map_err(|_| ConnectionBroken)?,
        Err(_) => Err(ServiceError::body_timeout()),
    };
    let Some(service) = service.upgrade() else {
        // The local service was dropped.
        reset.store(true, Ordering::Relaxed);
        return Err(ConnectionBroken);
    };
    match service.handle(&head, body) {
        Delivery::Respond { response, delay } => {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            Ok(response.into_http(service.now()))
        }
        Delivery::Reset | Delivery::RefuseConnection => {
            reset.store(true, Ordering::Relaxed);
            Err(ConnectionBroken)
        }
        Delivery::Hang => std::future::pending().await,
    }
}

/// A TCP stream that is reset instead of closed if the flag is set when it is dropped.
struct Resettable {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Resettable {
    fn drop(&mut self) {
        if self.reset.load(Ordering::Relaxed) {
            // If this fails, the stream is at least closed.
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
