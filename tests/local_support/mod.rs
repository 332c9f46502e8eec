//! A client that knows nothing of the crate: it signs with `aws_sigv4` and sends with `reqwest`.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, missing_docs, unreachable_pub)]

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use healthomics::local::LocalService;
use serde_json::Value;

pub const ROLE: &str = "arn:aws:iam::123456789012:role/r";

/// A request and how to sign it.
pub struct Call {
    pub method: &'static str,
    pub path: String,
    pub body: Vec<u8>,
    pub headers: Vec<(String, String)>,
    pub credentials: Credentials,
    pub region: String,
    pub service: String,
    pub time: SystemTime,
    base: String,
    host: String,
}

pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The code of an error without its URI part.
    pub fn code(&self) -> &str {
        self.header("x-amzn-errortype").and_then(|text| text.split(':').next()).unwrap_or("")
    }

    pub fn message(&self) -> String {
        self.json()["message"].as_str().unwrap().to_owned()
    }
}

pub fn call(service: &LocalService, method: &'static str, path: &str, body: &Value) -> Call {
    let mut call = bare(service, method, path);
    if !body.is_null() {
        call.body = body.to_string().into_bytes();
        call.headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    call
}

pub fn bare(service: &LocalService, method: &'static str, path: &str) -> Call {
    Call {
        method,
        path: path.to_owned(),
        body: Vec::new(),
        headers: Vec::new(),
        credentials: service.credentials(),
        region: service.region().to_owned(),
        service: "omics".to_owned(),
        time: SystemTime::now(),
        base: service.endpoint_url(),
        host: service.address().unwrap().to_string(),
    }
}

impl Call {
    /// The headers that sign it, the host aside.
    pub fn signature(&self) -> Vec<(String, String)> {
        let identity = self.credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(self.time)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let headers = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let headers = headers.chain([("host", self.host.as_str())]);
        let url = format!("{}{}", self.base, self.path);
        let request = SignableRequest::new(self.method, url, headers, SignableBody::Bytes(&self.body)).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Sends it with these headers besides its own.
    pub async fn send_with(&self, signature: Vec<(String, String)>) -> reqwest::Result<Reply> {
        #[cfg(feature = "rustls")]
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = reqwest::Client::builder().no_proxy().build()?;
        let method = reqwest::Method::from_bytes(self.method.as_bytes()).unwrap();
        let mut request = client.request(method, format!("{}{}", self.base, self.path));
        for (name, value) in self.headers.iter().chain(&signature) {
            request = request.header(name, value);
        }
        let response = request.body(self.body.clone()).timeout(Duration::from_secs(20)).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = String::from_utf8(response.bytes().await?.to_vec()).unwrap();
        Ok(Reply { status, headers, text })
    }

    pub async fn try_send(&self) -> reqwest::Result<Reply> {
        self.send_with(self.signature()).await
    }

    pub async fn send(&self) -> Reply {
        self.try_send().await.unwrap()
    }
}

/// The value of a header among these.
pub fn header_mut<'a>(headers: &'a mut [(String, String)], name: &str) -> &'a mut String {
    &mut headers.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)).unwrap().1
}
