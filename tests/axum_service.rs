//! The example `axum_service`: its responses, and that it resumes its runs after a restart without starting a job twice.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use healthomics::local::{Fault, LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;
use serde_json::json;

struct Service {
    child: Child,
    url: String,
    http: reqwest::Client,
}

impl Service {
    fn start(local: &LocalService, folder: &Path) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let child = Command::new(support::example("axum_service"))
            .args(["127.0.0.1:0", folder.to_str().unwrap(), "10"])
            .env("AWS_REGION", local.region())
            .env("AWS_ENDPOINT_URL_OMICS", local.endpoint_url())
            .env("AWS_ACCESS_KEY_ID", LocalService::ACCESS_KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", LocalService::SECRET_ACCESS_KEY)
            .env("NO_PROXY", "127.0.0.1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut service = Self { child, url: String::new(), http };
        let mut lines = BufReader::new(service.child.stdout.take().unwrap()).lines();
        service.url = lines.find_map(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned)).unwrap();
        // The rest of its output is read, so that the pipe does not fill up.
        std::thread::spawn(move || lines.for_each(drop));
        service
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let response = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn post(&self, body: &serde_json::Value) -> (u16, String) {
        let call = self.http.post(format!("{}/exports", self.url)).header("content-type", "application/json");
        let response = call.body(body.to_string()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    async fn wait_for(&self, part: &str) {
        for _ in 0..1_000 {
            let (_, status) = self.get("/exports/run-7").await;
            if status.contains(part) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the status never contained {part:?}");
    }

    /// Sends SIGTERM, as container engines do, and waits for its exit.
    fn stop(mut self) {
        let kill = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.child.id())]).status().unwrap();
        assert!(kill.success());
        assert!(self.child.wait().unwrap().success(), "it exits with status 0");
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_restarted_resumes_its_runs() {
    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(700))).start().await.unwrap();
    let store = local.create_sequence_store();
    let read_sets: Vec<_> = (0..250).map(|_| local.seed_read_set(&store, SeedReadSet::active(FileType::Bam))).collect();
    let folder = std::env::temp_dir().join(format!("healthomics-axum-{}", std::process::id()));
    let service = Service::start(&local, &folder);

    assert_eq!(service.get(&format!("/stores/{store}/read-sets/{}", read_sets[0])).await, (200, "ACTIVE".to_owned()));
    assert_eq!(service.get(&format!("/stores/{store}/read-sets/12a")).await.0, 400);
    assert_eq!(service.get(&format!("/stores/{store}/read-sets/9999999999")).await.0, 404);
    local.fault_always("GetReadSetMetadata", Fault::error(503, "ServiceUnavailable", "later"));
    assert_eq!(service.get(&format!("/stores/{store}/read-sets/{}", read_sets[0])).await.0, 503);
    assert_eq!(service.get("/exports/run-7").await.0, 404);

    let role = "arn:aws:iam::123456789012:role/OmicsExport";
    let mut order = json!({ "runId": "run-7", "sequenceStoreId": store, "destination": "s3://my-bucket/exports",
        "roleArn": role, "readSets": read_sets });
    let (status, reason) = service.post(&order).await;
    assert!(status == 400 && reason.contains("destination"), "{reason}");
    order["destination"] = "s3://my-bucket/exports/".into();
    assert_eq!(service.post(&order).await.0, 202);
    assert_eq!(service.get("/exports/run-7").await.0, 200, "the run is accepted");
    assert_eq!(service.post(&order).await.0, 202, "the same order is the same run");
    let mut other = order.clone();
    other["readSets"] = json!([read_sets[0]]);
    assert_eq!(service.post(&other).await, (409, "run-7 is another order".to_owned()));
    service.wait_for("of 250 read sets").await;
    service.stop();
    assert!(folder.join("run-7.json").exists(), "the order is stored");

    let service = Service::start(&local, &folder);
    service.wait_for("done, 0 indeterminate: 250 of 250 items finished in 3 jobs").await;
    assert_eq!(local.jobs().len(), 3, "no job is started twice");
    assert!(!folder.join("run-7.json").exists(), "the order is done");
    service.stop();
    std::fs::remove_dir_all(folder).unwrap();
}
