//! What stands before a service in the real world: something that ends TLS by a private root, and something that lies
//! about the length of answers.
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

/// A root that nobody knows, and a certificate of it for this machine.
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
        // Some libraries tell roots apart by their names.
        let name = format!("Root {:?}", &key.public_key_raw()[1..9]);
        authority.distinguished_name.push(DnType::CommonName, name);
        let pem = authority.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(authority, key);
        let key = KeyPair::generate().unwrap();
        let mut leaf = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        // Some systems trust no server for longer than a year or two, whoever vouches for it.
        (leaf.not_before, leaf.not_after) =
            (OffsetDateTime::now_utc() - Duration::days(1), OffsetDateTime::now_utc() + Duration::days(90));
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = leaf.signed_by(&key, &issuer).unwrap();
        let server = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let server = server.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let server = server.with_single_cert(vec![certificate.der().clone()], key).unwrap();
        Self { pem, server: Arc::new(server) }
    }
}

/// What the head of an answer says of its length, by mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// More than there is, and then the connection closes.
    TooLong,
    /// More than there is, and then nothing comes.
    Stalls,
    /// Less than there is. The rest is sent all the same.
    TooShort,
}

#[derive(Default)]
struct Lies {
    queued: VecDeque<Lie>,
    standing: Option<Lie>,
}

/// Passes on what comes, resets included. It ends when it is dropped.
pub struct Front {
    address: SocketAddr,
    scheme: &'static str,
    lies: Arc<Mutex<Lies>>,
    server: AbortHandle,
}

impl Front {
    pub async fn start(upstream: SocketAddr, root: Option<&Root>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let lies = Arc::<Mutex<Lies>>::default();
        let acceptor = root.map(|root| TlsAcceptor::from(Arc::clone(&root.server)));
        let scheme = if root.is_some() { "https" } else { "http" };
        let shared = Arc::clone(&lies);
        let server = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(connection(stream, acceptor.clone(), upstream, Arc::clone(&shared)));
            }
        });
        Self { address, scheme, lies, server: server.abort_handle() }
    }

    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    pub fn url_by_name(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.address.port())
    }

    pub fn lie(&self, lie: Lie) {
        self.lies.lock().unwrap().queued.push_back(lie);
    }

    pub fn lie_always(&self, lie: Lie) {
        self.lies.lock().unwrap().standing = Some(lie);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn connection(
    mut stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    upstream: SocketAddr,
    lies: Arc<Mutex<Lies>>,
) {
    stream.set_nodelay(true).unwrap();
    let Ok(service) = TcpStream::connect(upstream).await else { return };
    service.set_nodelay(true).unwrap();
    let Some(acceptor) = acceptor else {
        if relay(&mut stream, service, &lies).await.is_err() {
            stream.set_zero_linger().unwrap();
        }
        return;
    };
    // Whoever does not trust the certificate goes away here.
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    if relay(&mut stream, service, &lies).await.is_err() {
        stream.get_ref().0.set_zero_linger().unwrap();
    }
}

/// Until either side is gone; an error if the service has reset the connection.
async fn relay<S>(caller: &mut S, mut service: TcpStream, lies: &Mutex<Lies>) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut from_caller, mut to_caller) = tokio::io::split(caller);
    let (from_service, mut to_service) = service.split();
    tokio::select! {
        _ = tokio::io::copy(&mut from_caller, &mut to_service) => Ok(()),
        end = answers(from_service, &mut to_caller, lies) => end,
    }
}

/// Passes answers on, one after another, as each has a length of its own to be lied about.
async fn answers(
    mut service: ReadHalf<'_>,
    caller: &mut (impl AsyncWrite + Unpin),
    lies: &Mutex<Lies>,
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
        let lie = {
            let mut lies = lies.lock().unwrap();
            lies.queued.pop_front().or(lies.standing)
        };
        let told = match lie {
            None => left,
            Some(Lie::TooLong | Lie::Stalls) => left + 17,
            Some(Lie::TooShort) => left - 17,
        };
        let told = format!("content-length: {told}\r\n");
        caller.write_all(head.replace(&format!("content-length: {length}\r\n"), &told).as_bytes()).await?;
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
        match lie {
            Some(Lie::TooLong) => return Ok(()),
            Some(Lie::Stalls) => std::future::pending().await,
            Some(Lie::TooShort) | None => {}
        }
    }
}
