//! Plain `reqwest`: the same bytes, unsigned, with responses that are not decoded. It is the minimum for a client on `reqwest`.

use harness::{Subject, Work};

const BODY: &str = concat!(
    r#"{"clientToken":"a8e1c4f0-2a6c-4b77-9a51-3c1b8d1f7c55","destination":"s3://my-bucket/exports/","#,
    r#""roleArn":"arn:aws:iam::123456789012:role/OmicsExport","sources":[{"readSetId":"5000000000"},"#,
    r#"{"readSetId":"5000000001"},{"readSetId":"5000000002"},{"readSetId":"5000000003"},{"readSetId":"5000000004"},"#,
    r#"{"readSetId":"5000000005"},{"readSetId":"5000000006"},{"readSetId":"5000000007"},{"readSetId":"5000000008"},"#,
    r#"{"readSetId":"5000000009"}]}"#
);

#[derive(Clone)]
struct Floor {
    client: reqwest::Client,
    url: String,
}

impl Floor {
    fn send(request: reqwest::RequestBuilder) -> Work {
        Box::pin(async move {
            let response = request.send().await.expect("a response");
            assert!(response.status().is_success());
            assert!(!response.bytes().await.expect("a body").is_empty());
        })
    }
}

impl Subject for Floor {
    fn new(endpoint: &str) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { client, url: format!("{endpoint}/sequencestore/1234567890/exportjob") }
    }

    fn start(&self) -> Work {
        let request = self.client.post(&self.url).header("content-type", "application/json");
        Self::send(request.body(BODY))
    }

    fn get(&self, job: &'static str) -> Work {
        Self::send(self.client.get(format!("{}/{job}", self.url)))
    }

    fn wait(&self, _job: &'static str) -> Option<Work> {
        None
    }
}

fn main() {
    harness::run::<Floor>();
}
