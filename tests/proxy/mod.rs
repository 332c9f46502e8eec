//! A reverse proxy before the local service: it terminates TLS with a certificate of a private root, and can send a
//! wrong `Content-Length`.
#![allow(dead_code, clippy::unwrap_used, missing_docs, unreachable_pub)]

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use time::{Duration, OffsetDateTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::tcp::ReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// A private root certificate, and a server configuration with a certificate that it has issued for localhost.
#[derive(Clone)]
pub struct Root {
    pub pem: String,
    server: Arc<ServerConfig>,
}

impl Root {
    pub fn new() -> Self {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // Some libraries distinguish roots by their names.
        let name = format!("Root {:?}", &key.public_key_raw()[1..9]);
        authority.distinguished_name.push(DnType::CommonName, name);
        let pem = authority.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        // Some systems reject server certificates that are valid for more than a year or two.
        leaf.not_before = OffsetDateTime::now_utc() - Duration::days(1);
        leaf.not_after = OffsetDateTime::now_utc() + Duration::days(90);
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = leaf.signed_by(&key, &issuer).unwrap();
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let server = server.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let server = server.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        Self { pem, server: Arc::new(server) }
    }
}

/// How the `Content-Length` of a response differs from the length of its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongLength {
    /// It is larger, and the connection is closed after the body.
    TooLong,
    /// It is larger, and the connection stays open without further bytes.
    Stalled,
    /// It is smaller. The whole body is sent all the same.
    TooShort,
}

/// The responses whose `Content-Length` is to be wrong.
#[derive(Default)]
struct WrongLengths {
    next: VecDeque<WrongLength>,
    always: Option<WrongLength>,
}

/// Forwards connections to the local service, resets included. It stops when it is dropped.
pub struct Proxy {
    address: SocketAddr,
    scheme: &'static str,
    wrong_lengths: Arc<Mutex<WrongLengths>>,
    server: AbortHandle,
}

impl Proxy {
    pub async fn start(upstream: SocketAddr, root: Option<&Root>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let wrong_lengths = Arc::<Mutex<WrongLengths>>::default();
        let acceptor = root.map(|root| TlsAcceptor::from(Arc::clone(&root.server)));
        let scheme = if root.is_some() { "https" } else { "http" };
        let shared = Arc::clone(&wrong_lengths);
        let server = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(connection(stream, acceptor.clone(), upstream, Arc::clone(&shared)));
            }
        });
        Self { address, scheme, wrong_lengths, server: server.abort_handle() }
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub fn url_by_name(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.address.port())
    }

    /// The next response has a wrong `Content-Length`.
    pub fn wrong_length_once(&self, wrong: WrongLength) {
        self.wrong_lengths.lock().unwrap().next.push_back(wrong);
    }

    /// Every response has a wrong `Content-Length`.
    pub fn always_wrong_length(&self, wrong: WrongLength) {
        self.wrong_lengths.lock().unwrap().always = Some(wrong);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn connection(
    mut stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    upstream: SocketAddr,
    wrong_lengths: Arc<Mutex<WrongLengths>>,
) {
    stream.set_nodelay(true).unwrap();
    let Ok(service) = TcpStream::connect(upstream).await else { return };
    service.set_nodelay(true).unwrap();
    let Some(acceptor) = acceptor else {
        if relay(&mut stream, service, &wrong_lengths).await.is_err() {
            stream.set_zero_linger().unwrap();
        }
        return;
    };
    // A client that does not trust the certificate closes the connection here.
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    if relay(&mut stream, service, &wrong_lengths).await.is_err() {
        stream.get_ref().0.set_zero_linger().unwrap();
    }
}

/// Forwards bytes until one side closes the connection. It is an error if the service has reset it.
async fn relay<S>(caller: &mut S, mut service: TcpStream, wrong_lengths: &Mutex<WrongLengths>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut from_caller, mut to_caller) = tokio::io::split(caller);
    let (from_service, mut to_service) = service.split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_caller, &mut to_service) => Ok(()),
        end = forward_responses(from_service, &mut to_caller, wrong_lengths) => end,
    }
}

/// Forwards one response after another, as each has a length of its own.
async fn forward_responses(
    mut service: ReadHalf<'_>,
    caller: &mut (impl AsyncWrite + Unpin),
    wrong_lengths: &Mutex<WrongLengths>,
) -> io::Result<()> {
    let mut buffer = Vec::with_capacity(1 << 16);
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if service.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8(buffer.drain(..end).collect()).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut left: usize = length.parse().unwrap();
        let wrong = {
            let mut wrong_lengths = wrong_lengths.lock().unwrap();
            wrong_lengths.next.pop_front().or(wrong_lengths.always)
        };
        let content_length = match wrong {
            None => left,
            Some(WrongLength::TooLong | WrongLength::Stalled) => left + 17,
            Some(WrongLength::TooShort) => left - 17,
        };
        let header = format!("content-length: {content_length}\r\n");
        caller.write_all(head.replace(&format!("content-length: {length}\r\n"), &header).as_bytes()).await?;
        while left > 0 {
            if buffer.is_empty() && service.read_buf(&mut buffer).await? == 0 {
                return caller.flush().await;
            }
            let piece = buffer.len().min(left);
            caller.write_all(&buffer[..piece]).await?;
            caller.flush().await?;
            buffer.drain(..piece);
            left -= piece;
        }
        caller.flush().await?;
        match wrong {
            Some(WrongLength::TooLong) => return Ok(()),
            Some(WrongLength::Stalled) => std::future::pending().await,
            Some(WrongLength::TooShort) | None => {}
        }
    }
}
