//! Whole calls with an HTTP client that returns a canned response at once: build, check, serialize, sign, decide on
//! retries, decode. `cargo bench` in this folder prints instructions and their change since the last run; the profiles are
//! in `target/gungraun`.
//!
//! The clock is constant, so that the signing key of the day is computed before the measurement, as in any process that
//! makes more than one call.

use std::hint::black_box;
use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use gungraun::prelude::*;
use healthomics::http::{Body, HttpClient, HttpFuture};
use healthomics::{Client, Credentials};
use http::{Response, StatusCode};
use tokio::runtime::{Builder, Runtime};

const STORE: &str = "1234567890";
const STARTED: &str = r#"{"id":"1111111111","status":"SUBMITTED","sequenceStoreId":"1234567890","destination":"s3://b/","creationTime":"2026-11-22T01:36:38.158Z"}"#;

/// Returns its responses from the last to the first, and then always the first.
#[derive(Debug)]
struct Canned(Mutex<Vec<(StatusCode, Bytes)>>);

impl HttpClient for Canned {
    fn send(&self, _request: http::Request<Body>) -> HttpFuture {
        let mut responses = self.0.lock().unwrap();
        let next = if responses.len() > 1 { responses.pop() } else { responses.first().cloned() };
        let (status, body) = next.unwrap();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        response.headers_mut().insert("x-amzn-requestid", "4f6c0d3a-9b1e-4c57-8a55-0f2f6c1b7e11".parse().unwrap());
        Box::pin(async move { Ok(response) })
    }
}

struct Setup {
    runtime: Runtime,
    client: Client,
    sources: Vec<String>,
}

/// The client gets `responses` one after another. A first call, with a response of its own, has been made.
fn setup(responses: Vec<(u16, String)>) -> Setup {
    let mut canned: Vec<_> =
        responses.into_iter().map(|(status, body)| (StatusCode::from_u16(status).unwrap(), Bytes::from(body))).collect();
    canned.reverse();
    canned.push((StatusCode::OK, STARTED.into()));
    let credentials =
        Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None, None, "bench");
    let now = std::time::UNIX_EPOCH + Duration::from_secs(1_795_312_598);
    let client = Client::builder().region("us-east-1").credentials(credentials).time_source(move || now);
    let client = client
        .initial_backoff(Duration::ZERO)
        .throttling_backoff(Duration::ZERO)
        .http_client(Canned(Mutex::new(canned)));
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let setup =
        Setup { runtime, client: client.build().unwrap(), sources: (0..10).map(|n| format!("500000000{n}")).collect() };
    start(&setup);
    setup
}

fn start(setup: &Setup) -> bool {
    let call = setup.client.start_read_set_export_job().sequence_store_id(STORE).destination("s3://my-bucket/exports/");
    let call = call.role_arn("arn:aws:iam::123456789012:role/OmicsExport").sources(&setup.sources);
    setup.runtime.block_on(call.send()).is_ok()
}

fn get(setup: &Setup) -> bool {
    let call = setup.client.get_read_set_export_job().sequence_store_id(STORE).id("1111111111");
    setup.runtime.block_on(call.send()).is_ok()
}

fn get_import(setup: &Setup) -> bool {
    let call = setup.client.get_read_set_import_job().sequence_store_id(STORE).id("1111111111");
    setup.runtime.block_on(call.send()).is_ok()
}

fn list(setup: &Setup) -> bool {
    setup.runtime.block_on(setup.client.list_read_sets().sequence_store_id(STORE).send()).is_ok()
}

fn started() -> Setup {
    setup(vec![(200, STARTED.to_owned())])
}

fn wrong() -> Setup {
    let mut setup = started();
    setup.sources[9] = "500000000x".to_owned();
    setup
}

fn job() -> (u16, String) {
    let item = |n: u64| {
        format!(r#"{{"id":"{}","status":"FINISHED","statusMessage":"The read set was exported."}}"#, 5_000_000_000 + n)
    };
    let items: Vec<_> = (0..100).map(item).collect();
    (
        200,
        STARTED.replace(
            "}",
            &format!(r#","completionTime":"2026-11-22T02:36:38.158Z","readSets":[{}]}}"#, items.join(",")),
        ),
    )
}

fn ended() -> Setup {
    setup(vec![job()])
}

fn imported() -> Setup {
    let item = |n: u64| {
        format!(
            r#"{{"sourceFiles":{{"source1":"s3://my-bucket/run-7/sample-{n}_1.fastq.gz","source2":"s3://my-bucket/run-7/sample-{n}_2.fastq.gz"}},"sourceFileType":"FASTQ","status":"FINISHED","statusMessage":"The source job completed successfully.","subjectId":"HG00146","sampleId":"SRR{n}","generatedFrom":"run 7","referenceArn":"arn:aws:omics:us-east-1:123456789012:referenceStore/9876543210/reference/1122334455","name":"HG00146 {n}","description":"Low coverage","tags":{{"project":"1000genomes","run":"7"}},"readSetId":"{}"}}"#,
            5_000_000_000 + n
        )
    };
    let items: Vec<_> = (0..100).map(item).collect();
    let body = STARTED.replace("}", &format!(r#","sources":[{}]}}"#, items.join(",")));
    setup(vec![(200, body)])
}

fn page() -> Setup {
    let item = |n: u64| {
        format!(
            r#"{{"id":"{}","arn":"arn:aws:omics:us-east-1:123456789012:sequenceStore/1234567890/readSet/{n}","sequenceStoreId":"1234567890","subjectId":"HG00146","sampleId":"SRR233106","status":"ACTIVE","name":"HG00146","fileType":"FASTQ","creationTime":"2026-11-22T01:36:38.158Z"}}"#,
            5_000_000_000 + n
        )
    };
    let items: Vec<_> = (0..100).map(item).collect();
    setup(vec![(200, format!(r#"{{"nextToken":"abc","readSets":[{}]}}"#, items.join(",")))])
}

fn refused() -> Setup {
    setup(vec![(404, r#"{"__type":"ResourceNotFoundException","message":"The job is not there."}"#.to_owned())])
}

fn throttled_once() -> Setup {
    setup(vec![(429, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#.to_owned()), job()])
}

#[library_benchmark]
#[bench::ten_sources(args = (), setup = started)]
#[bench::wrong_input(args = (), setup = wrong)]
fn a_start(setup: Setup) -> Setup {
    black_box(start(&setup));
    setup
}

#[library_benchmark]
#[bench::hundred_read_sets(args = (), setup = ended)]
#[bench::an_error(args = (), setup = refused)]
#[bench::throttled_once_and_hundred_read_sets(args = (), setup = throttled_once)]
fn a_get(setup: Setup) -> Setup {
    black_box(get(&setup));
    setup
}

#[library_benchmark]
#[bench::hundred_sources(args = (), setup = imported)]
fn an_import(setup: Setup) -> Setup {
    black_box(get_import(&setup));
    setup
}

#[library_benchmark]
#[bench::hundred_read_sets(args = (), setup = page)]
fn a_list(setup: Setup) -> Setup {
    black_box(list(&setup));
    setup
}

library_benchmark_group!(name = calls, benchmarks = [a_start, a_get, an_import, a_list]);
main!(library_benchmark_groups = calls);
