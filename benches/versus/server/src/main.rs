//! A fast HealthOmics with canned responses. It prints its address and serves until it is terminated.
//!
//! The last segment of the path selects the response: `exportjob` starts a job; the job of ones has ended with 100 read
//! sets, the job of twos runs forever, and requests for the job of threes get no response.

use std::convert::Infallible;
use std::fmt::Write as _;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

const HEAD: &str = r#""sequenceStoreId":"1234567890","destination":"s3://my-bucket/exports/","creationTime":"2026-11-22T01:36:38.158Z""#;

struct Responses {
    started: Bytes,
    ended: Bytes,
    running: Bytes,
}

impl Responses {
    fn new() -> Self {
        let mut read_sets = String::new();
        for number in 0..100 {
            let comma = if number > 0 { "," } else { "" };
            let (id, status) = (5_000_000_000_u64 + number, "FINISHED");
            let message = "The read set was exported.";
            let _ = write!(read_sets, r#"{comma}{{"id":"{id}","status":"{status}","statusMessage":"{message}"}}"#);
        }
        Self {
            started: format!(r#"{{"id":"1111111111","status":"SUBMITTED",{HEAD}}}"#).into(),
            ended: format!(
                r#"{{"id":"1111111111","status":"COMPLETED",{HEAD},"completionTime":"2026-11-22T02:36:38.158Z","readSets":[{read_sets}]}}"#
            )
            .into(),
            running: format!(
                r#"{{"id":"2222222222","status":"IN_PROGRESS",{HEAD},"readSets":[{{"id":"5000000000","status":"IN_PROGRESS"}}]}}"#
            )
            .into(),
        }
    }

    fn for_path(&self, path: &str) -> Option<Bytes> {
        match path.rsplit('/').next() {
            Some("exportjob") => Some(self.started.clone()),
            Some("2222222222") => Some(self.running.clone()),
            Some("3333333333") => None,
            _ => Some(self.ended.clone()),
        }
    }
}

async fn respond(request: Request<Incoming>, responses: &Responses) -> Result<Response<Full<Bytes>>, Infallible> {
    let body_of_path = responses.for_path(request.uri().path());
    let mut body = request.into_body();
    while let Some(Ok(_)) = body.frame().await {}
    let Some(bytes) = body_of_path else { return std::future::pending().await };
    let mut response = Response::new(Full::new(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let id = HeaderValue::from_static("4f6c0d3a-9b1e-4c57-8a55-0f2f6c1b7e11");
    headers.insert("x-amzn-requestid", id);
    Ok(response)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let responses: &'static Responses = Box::leak(Box::new(Responses::new()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    loop {
        let (connection, _) = listener.accept().await?;
        connection.set_nodelay(true)?;
        tokio::spawn(async move {
            let service = service_fn(move |request| respond(request, responses));
            let _ =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
        });
    }
}
