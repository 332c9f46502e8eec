//! Bulk runs against a service in the process, under a paused clock.

mod credentials;
mod missing_jobs;
mod progress;
mod refusals;
mod results;
mod resume;
mod scheduling;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use super::*;
use crate::Error;
use crate::bulk::Planner;
use crate::http::HttpErrorKind;
use crate::job::{Activation, Export};
use crate::model::ReadSetId;
use crate::testing::service::{STORE, Service};
use crate::testing::{Script, Step, builder, respond};

const ROLE: &str = "arn:aws:iam::123456789012:role/Omics";

const STARTED: &str = r#"{"id":"1234567890","status":"SUBMITTED"}"#;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn read_sets(count: usize) -> impl Iterator<Item = ReadSetId> {
    (0..count).map(|index| format!("{:010}", 7_000_000_000_u64 + index as u64).into())
}

fn exports(count: usize) -> Plan<Export> {
    let planner = Planner::export("run-1".into(), STORE.into(), "s3://bucket/".into(), ROLE.into());
    planner.plan(read_sets(count)).unwrap()
}

fn activations(count: usize) -> Plan<Activation> {
    Planner::activation("run-1".into(), STORE.into()).plan(read_sets(count)).unwrap()
}

/// As an account is when it is new.
fn account() -> Service {
    Service::new().with(|account| {
        account.jobs_at_once = 20;
        account.requests_a_second = 5;
    })
}

/// Every item went into one job, and the jobs are as few as possible.
fn assert_each_once(service: &Service, items: usize, jobs: usize) {
    let started = service.jobs();
    assert_eq!(started.len(), jobs);
    let seen: Vec<_> = started.iter().flat_map(|job| &job.items).map(|item| &item.key).collect();
    assert_eq!(seen.len(), items);
    assert_eq!(seen.iter().collect::<HashSet<_>>().len(), items);
}

fn journal(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("healthomics-run-{name}-{}.jsonl", std::process::id()));
    let _ = std::fs::remove_file(&path);
    path
}

fn denied(request_id: &str) -> Step {
    let headers = [("x-amzn-errortype", "AccessDeniedException"), ("x-amzn-requestid", request_id)];
    respond(403, &headers, r#"{"message":"not allowed"}"#)
}

fn not_found() -> Step {
    respond(404, &[("x-amzn-errortype", "ResourceNotFoundException")], r#"{"message":"not found"}"#)
}

fn started(id: &str) -> Step {
    respond(200, &[], &format!(r#"{{"id":"{id}","status":"SUBMITTED"}}"#))
}
