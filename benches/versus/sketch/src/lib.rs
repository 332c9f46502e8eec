//! A bare client: signed requests, bodies by serde derive, TLS with `ring`; without retries and checks.

use std::error::Error;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use harness::{DESTINATION, KEY, REGION, ROLE, SECRET, STORE, Subject, Work, sources};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    client_token: String,
    destination: &'static str,
    role_arn: &'static str,
    sources: Vec<Source>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    read_set_id: String,
}

#[derive(Deserialize)]
struct Started {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Job {
    read_sets: Vec<ReadSet>,
}

#[derive(Deserialize)]
struct ReadSet {
    id: String,
    status: String,
}

type BoxError = Box<dyn Error + Send + Sync>;

#[derive(Clone)]
pub struct Sketch {
    client: reqwest::Client,
    identity: Identity,
    url: String,
}

impl Sketch {
    pub fn new(endpoint: &str) -> Result<Self, BoxError> {
        // An error only says that it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Ok(Self {
            client: reqwest::Client::builder().no_proxy().build()?,
            identity: Credentials::new(KEY, SECRET, None, None, "versus").into(),
            url: format!("{endpoint}/sequencestore/{STORE}/exportjob"),
        })
    }

    /// The id of the started job.
    pub async fn start(self) -> Result<String, BoxError> {
        let start = Start {
            client_token: "a8e1c4f0-2a6c-4b77-9a51-3c1b8d1f7c55".to_owned(),
            destination: DESTINATION,
            role_arn: ROLE,
            sources: sources().map(|read_set_id| Source { read_set_id }).collect(),
        };
        let body = serde_json::to_vec(&start)?;
        let url = self.url.clone();
        let started: Started = self.send("POST", url, body).await?;
        Ok(started.id)
    }

    async fn send<T: DeserializeOwned>(self, method: &'static str, url: String, body: Vec<u8>) -> Result<T, BoxError> {
        let headers = [("content-type", "application/json")];
        let params = SigningParams::builder().identity(&self.identity).region(REGION).name("omics");
        let params = params.time(SystemTime::now()).settings(SigningSettings::default()).build()?.into();
        let signable = SignableRequest::new(method, &url, headers.into_iter(), SignableBody::Bytes(&body))?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let request = http::Request::builder().method(method).uri(&url).header(headers[0].0, headers[0].1);
        let mut request = request.body(body)?;
        instructions.apply_to_request_http1x(&mut request);
        let response = self.client.execute(request.try_into()?).await?.error_for_status()?;
        Ok(serde_json::from_slice(&response.bytes().await?)?)
    }
}

impl Subject for Sketch {
    fn new(endpoint: &str) -> Self {
        Self::new(endpoint).expect("a client")
    }

    fn start(&self) -> Work {
        let started = self.clone().start();
        Box::pin(async move { assert_eq!(started.await.expect("it starts").len(), 10) })
    }

    fn get(&self, job: &'static str) -> Work {
        let job = self.clone().send::<Job>("GET", format!("{}/{job}", self.url), Vec::new());
        Box::pin(async move {
            let read_sets = job.await.expect("it is there").read_sets;
            assert!(
                read_sets.len() == 100 && read_sets.iter().all(|item| !item.id.is_empty() && !item.status.is_empty())
            );
        })
    }

    fn wait(&self, _job: &'static str) -> Option<Work> {
        None
    }
}
