//! A web service that exports read sets: `cargo run --example axum_service` prints the requests to try. An order is
//! posted to `/exports`, and `/exports/{runId}` returns its progress.
//!
//! It shows one client for all handlers, errors as HTTP responses, and bulk runs that outlive the process. On SIGTERM
//! or Ctrl-C it accepts no more connections, completes the current requests, and drops the runs. When it is started
//! again, it resumes them from their journals.
//!
//! In a crate of your own it needs `axum = "0.8"`, `serde = { version = "1", features = ["derive"] }`,
//! `serde_json = "1"` and the feature `signal` of `tokio`, too.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Json, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use healthomics::bulk::{BulkError, BulkRun};
use healthomics::job::Export;
use healthomics::local::{LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{Client, ClientBuilder, Error, ReadSetId, RoleArn, RunId, S3Destination, SequenceStoreId};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An order. It is stored in the folder of the runs until it is done.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    run_id: RunId,
    sequence_store_id: SequenceStoreId,
    destination: S3Destination,
    role_arn: RoleArn,
    read_sets: Vec<ReadSetId>,
}

#[derive(Clone)]
struct App {
    client: Client,
    folder: PathBuf,
    poll_every: Duration,
    runs: Arc<Mutex<Runs>>,
}

#[derive(Default)]
struct Runs {
    tasks: JoinSet<()>,
    status: BTreeMap<RunId, String>,
}

/// An error of this service: the status and the message for its callers.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, self.1).into_response()
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::InvalidInput(_) => StatusCode::BAD_REQUEST,
            Error::ResourceNotFoundException(_) => StatusCode::NOT_FOUND,
            error if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
            error if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::BAD_GATEWAY,
        };
        println!("{}", error.report());
        Self(status, error.to_string())
    }
}

impl App {
    /// Checks the whole order, and starts nothing. The example `validate_orders` lists all violations in its response.
    fn plan(&self, order: Order) -> Result<BulkRun<Export>, BulkError> {
        let journal = self.folder.join(format!("{}.jsonl", order.run_id));
        let run = self.client.export_read_sets().run_id(order.run_id).sequence_store_id(order.sequence_store_id);
        let run = run.destination(order.destination).role_arn(order.role_arn).read_sets(order.read_sets).prepare()?;
        Ok(run.journal(journal).poll_every(self.poll_every))
    }

    fn order_path(&self, id: &RunId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// Stores an order until it is done. Until then, no other order can have its run id.
    fn store(&self, order: &Order) -> Result<(), Refusal> {
        let internal = |error: std::io::Error| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
        let path = self.order_path(&order.run_id);
        let json = serde_json::to_vec(order).map_err(|error| internal(error.into()))?;
        if std::fs::read(&path).is_ok_and(|stored| stored != json) {
            return Err(Refusal(StatusCode::CONFLICT, format!("{} is another order", order.run_id)));
        }
        // The file is complete or absent, whenever this process ends.
        let draft = path.with_extension("draft");
        std::fs::write(&draft, json).and_then(|()| std::fs::rename(draft, path)).map_err(internal)
    }

    fn with_runs<T>(&self, change: impl FnOnce(&mut Runs) -> T) -> T {
        change(&mut self.runs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs an order in the background. To do it twice for an order is harmless: its journal is locked.
    fn spawn(&self, id: &RunId, bulk_run: BulkRun<Export>) {
        self.with_runs(|runs| {
            runs.status.entry(id.clone()).or_insert_with(|| "accepted".to_owned());
        });
        let reporter = self.clone();
        let run_id = id.clone();
        let bulk_run = bulk_run.on_progress(move |progress| {
            let mut status =
                format!("{} of {} read sets, {} failed", progress.settled, progress.items, progress.failed);
            if let Some(retrying) = &progress.retrying {
                status = format!("{status}, {retrying}");
            }
            reporter.with_runs(|runs| runs.status.insert(run_id.clone(), status));
        });
        let app = self.clone();
        let id = id.clone();
        let task = async move {
            match bulk_run.run().await {
                Ok(report) => {
                    let indeterminate = report.indeterminate().count();
                    let status = format!("done, {indeterminate} indeterminate: {report}");
                    app.with_runs(|runs| runs.status.insert(id.clone(), status));
                    // Indeterminate groups are resumed when the service is started again.
                    if indeterminate == 0 {
                        drop(std::fs::remove_file(app.order_path(&id)));
                    }
                }
                Err(BulkError::JournalLocked { .. }) => {}
                Err(error) => drop(app.with_runs(|runs| runs.status.insert(id, error.to_string()))),
            }
        };
        self.with_runs(|runs| drop(runs.tasks.spawn(task)));
    }

    /// Resumes the orders that an earlier process has not completed.
    fn resume(&self) -> Result<(), Failure> {
        for path in std::fs::read_dir(&self.folder)?.map(|entry| entry.map(|entry| entry.path())) {
            let path = path?;
            if path.extension().is_some_and(|extension| extension == "json") {
                let order: Order = serde_json::from_slice(&std::fs::read(path)?)?;
                println!("resuming {}", order.run_id);
                self.spawn(&order.run_id.clone(), self.plan(order)?);
            }
        }
        Ok(())
    }
}

async fn export(State(app): State<App>, Json(order): Json<Order>) -> Result<StatusCode, Refusal> {
    let id = order.run_id.clone();
    let run = app.plan(order.clone()).map_err(|error| Refusal(StatusCode::BAD_REQUEST, error.to_string()))?;
    app.store(&order)?;
    app.spawn(&id, run);
    Ok(StatusCode::ACCEPTED)
}

async fn status(State(app): State<App>, Path(id): Path<RunId>) -> Result<String, Refusal> {
    let status = app.with_runs(|runs| runs.status.get(&id).cloned());
    status.ok_or_else(|| Refusal(StatusCode::NOT_FOUND, format!("no run {id}")))
}

async fn read_set(
    State(app): State<App>,
    Path((store, id)): Path<(SequenceStoreId, ReadSetId)>,
) -> Result<String, Refusal> {
    let read_set = app.client.get_read_set_metadata().sequence_store_id(store).id(id).send().await?;
    Ok(read_set.status.to_string())
}

/// Waits for Ctrl-C or SIGTERM, which container engines send before SIGKILL.
async fn shutdown_signal() {
    let interrupt = async { drop(tokio::signal::ctrl_c().await) };
    #[cfg(unix)]
    let terminate = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! { () = interrupt => {}, () = terminate => {} }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let folder = arguments.next().map_or_else(|| std::env::temp_dir().join("healthomics-runs"), PathBuf::from);
    let poll_every = arguments.next().map_or(Ok(2_000), |millis| millis.parse())?;
    std::fs::create_dir_all(&folder)?;
    // An embedded HealthOmics, so that no AWS account is needed.
    let local = LocalService::builder().pace(Pace::Time(Duration::from_secs(5))).start().await?;
    let builder = if std::env::var_os("AWS_REGION").is_some() {
        ClientBuilder::from_env()?
    } else {
        let store = local.create_sequence_store();
        let read_set = local.seed_read_set(&store, SeedReadSet::active(FileType::Cram));
        println!(
            "try: curl {address}/exports -H 'content-type: application/json' -d '{{\"runId\": \"delivery-{read_set}\", \
             \"sequenceStoreId\": \"{store}\", \"destination\": \"s3://my-bucket/exports/\", \"roleArn\": \
             \"arn:aws:iam::123456789012:role/OmicsExport\", \"readSets\": [\"{read_set}\", \"5555555555\"]}}'"
        );
        println!("and: curl {address}/exports/delivery-{read_set}");
        local.client_builder()
    };
    // Callers do not wait longer than this, and neither does a shutdown.
    let client = builder.operation_timeout(Duration::from_secs(10)).app_name("axum-service").build()?;
    let app = App { client, folder, poll_every: Duration::from_millis(poll_every), runs: Arc::default() };
    app.resume()?;

    let router = axum::Router::new()
        .route("/exports", post(export))
        .route("/exports/{run_id}", get(status))
        .route("/stores/{store}/read-sets/{id}", get(read_set))
        .with_state(app.clone());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, router).with_graceful_shutdown(shutdown_signal()).await?;

    // The jobs continue at the service, and the journals have their ids.
    let mut tasks = app.with_runs(|runs| std::mem::take(&mut runs.tasks));
    tasks.shutdown().await;
    println!("stopped");
    Ok(())
}
