//! Calls make few allocations. The bounds are a little above what they made on 28 November 2026.
#![allow(clippy::unwrap_used)]

use allocation_counter::measure;
use healthomics::http::{Body, HttpClient, HttpFuture};
use healthomics::{Client, Credentials};
use tokio::runtime::Builder;

const STORE: &str = "1234567890";
const SOURCES: [&str; 10] = ["5000000000"; 10];
const JOB: &str = r#""id":"1111111111","status":"COMPLETED","sequenceStoreId":"1234567890""#;

/// Responds to each request with the same body.
#[derive(Debug)]
struct Canned(&'static str);

impl HttpClient for Canned {
    fn send(&self, _request: http::Request<Body>) -> HttpFuture {
        let response = http::Response::new(Body::from(self.0));
        Box::pin(async move { Ok(response) })
    }
}

fn client(body: String) -> Client {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "example");
    let builder = Client::builder().region("us-east-1").credentials(credentials).http_client(Canned(body.leak()));
    builder.build().unwrap()
}

async fn start(client: &Client) {
    let call = client.start_read_set_export_job().sequence_store_id(STORE).destination("s3://my-bucket/exports/");
    let call = call.role_arn("arn:aws:iam::123456789012:role/OmicsExport").sources(SOURCES);
    call.send().await.unwrap();
}

async fn get(client: &Client) {
    let job = client.get_read_set_export_job().sequence_store_id(STORE).id("1111111111").send().await.unwrap();
    assert_eq!(job.read_sets.len(), 100);
}

/// Allocations of a call on a client that has made one before.
fn allocations<'a, F: Future<Output = ()>>(client: &'a Client, call: impl Fn(&'a Client) -> F) -> u64 {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(call(client));
    measure(|| runtime.block_on(call(client))).count_total
}

#[test]
fn a_start_makes_few_allocations() {
    let count = allocations(&client(format!("{{{JOB}}}")), start);
    // Ten of them are the ids of the sources.
    assert!(count <= 48, "{count} allocations");
}

#[test]
fn a_get_makes_few_allocations() {
    let read_sets = [r#"{"id":"5000000000","status":"FINISHED","statusMessage":"It was exported."}"#; 100].join(",");
    let count = allocations(&client(format!(r#"{{{JOB},"readSets":[{read_sets}]}}"#)), get);
    // Two hundred of them are the ids and messages of the read sets.
    assert!(count <= 233, "{count} allocations");
}
