//! A fast HealthOmics with canned responses. It prints its addresses, one of them with TLS, and serves until it is
//! terminated. It writes the root certificate of the latter to the file that its argument names.
//!
//! The last segment of the path selects the response: `exportjob` starts a job; the job of ones has ended with 100 read
//! sets, the job of twos runs forever, and requests for the job of threes get no response.

use std::convert::Infallible;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

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

/// A root certificate in PEM, and TLS with a certificate that it has issued. The SDK puts a prefix before the host.
fn tls() -> Result<(String, TlsAcceptor), Box<dyn Error>> {
    let mut root = CertificateParams::new(Vec::new())?;
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let pem = root.self_signed(&key)?.pem();
    let issuer = Issuer::new(root, key);
    let names = ["127.0.0.1", "localhost", "control-storage-localhost"];
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(names.map(str::to_owned))?.signed_by(&key, &issuer)?;
    let key = PrivateKeyDer::try_from(key.serialize_der())?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions()?.with_no_client_auth();
    let config = config.with_single_cert(vec![certificate.der().clone()], key)?;
    Ok((pem, Arc::new(config).into()))
}

async fn serve(connection: impl AsyncRead + AsyncWrite + Unpin, responses: &Responses) {
    let service = service_fn(move |request| respond(request, responses));
    // The client has ended the connection.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service).await;
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let responses: &'static Responses = Box::leak(Box::new(Responses::new()));
    let file = std::env::args().nth(1).ok_or("the argument is the file of the root certificate")?;
    let (root, tls) = tls()?;
    std::fs::write(file, root)?;
    let plain = TcpListener::bind("127.0.0.1:0").await?;
    let secure = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", plain.local_addr()?);
    println!("https://{}", secure.local_addr()?);
    loop {
        tokio::select! {
            accepted = plain.accept() => {
                let (connection, _) = accepted?;
                connection.set_nodelay(true)?;
                tokio::spawn(serve(connection, responses));
            }
            accepted = secure.accept() => {
                let (connection, _) = accepted?;
                connection.set_nodelay(true)?;
                let tls = tls.clone();
                tokio::spawn(async move {
                    if let Ok(connection) = tls.accept(connection).await {
                        serve(connection, responses).await;
                    }
                });
            }
        }
    }
}
