//! Calls without `async`, inside a Tokio runtime, and outside of one.
#![allow(clippy::unwrap_used)]

use std::task::{Context, Poll, Waker};
use std::time::Duration;

use healthomics::blocking::{Block as _, BlockEach as _, BlockError, BlockingUnavailable, run};
use healthomics::job::{Activation, Job};
use healthomics::local::{Fault, LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{Client, Error, ReadSetId, SequenceStoreId};

const POLL: Duration = Duration::from_millis(5);

struct Service {
    local: LocalService,
    client: Client,
    store: SequenceStoreId,
    archived: Vec<ReadSetId>,
}

fn service() -> Service {
    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(20))).start().block().unwrap();
    let client = local.client().unwrap();
    let store = local.create_sequence_store();
    let archived = (0..45).map(|_| local.seed_read_set(&store, SeedReadSet::archived(FileType::Cram))).collect();
    Service { local, client, store, archived }
}

fn start(service: &Service, read_sets: &[ReadSetId]) -> Job<Activation> {
    let call = service.client.start_read_set_activation_job().sequence_store_id(&service.store).sources(read_sets);
    service.client.job(&call.send().block().unwrap())
}

#[test]
fn calls_waits_lists_bulk_runs_and_watches_block() {
    let service = service();
    let outcome = start(&service, &service.archived[..20]).wait().poll_every(POLL).block().unwrap();
    assert_eq!(outcome.finished_items().count(), 20);

    let list = || service.client.list_read_sets().sequence_store_id(&service.store).max_results(10);
    let ids: Result<Vec<_>, _> = list().items().block_each().map(|item| item.map(|item| item.id)).collect();
    assert_eq!(ids.unwrap().len(), 45);
    assert_eq!(list().pages().block_each().map(|page| page.unwrap().read_sets.len()).sum::<usize>(), 45);

    let bulk = service.client.activate_read_sets().run_id("run").sequence_store_id(&service.store);
    let report = bulk.read_sets(&service.archived).prepare().unwrap().poll_every(POLL);
    assert_eq!(run(report.run()).unwrap().unwrap().finished_count(), 45);

    let jobs = [start(&service, &service.archived[..1]), start(&service, &service.archived[1..2])];
    let mut watch = service.client.watch(jobs).poll_every(POLL);
    let mut ended = 0;
    while let Some((_, outcome)) = run(watch.next()).unwrap() {
        assert!(outcome.unwrap().is_completed());
        ended += 1;
    }
    assert_eq!(ended, 2);
}

#[test]
fn errors_are_those_of_the_call() {
    let service = service();
    let call = || service.client.get_read_set_metadata().sequence_store_id(&service.store);
    let error = call().id("12a").send().block().unwrap_err();
    assert!(matches!(error.failed(), Some(Error::InvalidInput(_))), "{error:?}");
    let error = call().id("9999999999").send().block().unwrap_err();
    assert_eq!(error.failed().and_then(Error::status), Some(404));
    assert!(error.to_string().contains(", read set 9999999999): ResourceNotFoundException (404)"), "{error}");

    service.local.fault_always("ListReadSets", Fault::error(403, "AccessDeniedException", "no"));
    let mut items = service.client.list_read_sets().sequence_store_id(&service.store).items().block_each();
    let error = items.next().unwrap().unwrap_err();
    assert_eq!(error.failed().and_then(Error::status), Some(403));
    assert!(items.next().is_none());
}

#[test]
fn many_threads_block_at_once() {
    let service = service();
    std::thread::scope(|scope| {
        for read_sets in service.archived.chunks(5) {
            let service = &service;
            scope.spawn(move || {
                let outcome = start(service, read_sets).wait().poll_every(POLL).block().unwrap();
                assert_eq!(outcome.finished_items().count(), 5);
            });
        }
    });
    assert_eq!(service.local.jobs().len(), 9);
}

#[test]
fn inside_a_runtime_blocking_is_an_error_and_nothing_is_sent() {
    let service = service();
    let call = || service.client.list_read_sets().sequence_store_id(&service.store);
    let is_refused = || {
        let error = call().send().block().unwrap_err();
        assert!(matches!(error, BlockError::BlockingUnavailable(BlockingUnavailable::InsideRuntime)), "{error:?}");
        assert!(error.failed().is_none() && error.to_string().contains("await it instead"), "{error}");
        let mut items = call().items().block_each();
        assert!(matches!(items.next(), Some(Err(BlockError::BlockingUnavailable(BlockingUnavailable::InsideRuntime)))));
        assert!(items.next().is_none());
    };
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async { is_refused() });
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    many.block_on(async { is_refused() });
    // The runtime of the module `blocking` itself.
    run(async { is_refused() }).unwrap();
    assert!(service.local.requests().is_empty());
    // On a thread of its own it is possible.
    many.block_on(async {
        std::thread::scope(|scope| scope.spawn(|| call().send().block()).join()).unwrap().unwrap();
    });
    assert_eq!(service.local.requests().len(), 1);
}

/// The output of a future that is ready when it is polled for the first time, without a runtime.
fn ready<F: IntoFuture>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future.into_future());
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn outside_a_runtime_everything_is_an_error_that_names_the_runtime() {
    let service = service();
    let client = &service.client;
    let check = |error: &Error| {
        assert!(matches!(error, Error::Configuration(_)), "{error:?}");
        let expected = "no Tokio runtime: await this inside one (`#[tokio::main]`), or use `healthomics::blocking` \
                        (feature `blocking`)";
        assert_eq!(error.to_string(), expected);
        assert!(!error.is_retryable() && !error.may_have_been_applied());
    };
    let list = || client.list_read_sets().sequence_store_id(&service.store);
    check(&ready(list().send()).unwrap_err());
    check(&ready(list().pages().next()).unwrap().unwrap_err());
    check(&ready(list().items().next()).unwrap().unwrap_err());

    let job = |id: &str| client.activation_job(&service.store, id);
    let wait = || job("1234567890").wait().on_progress(|_| {});
    check(&ready(job("1234567890").get()).unwrap_err());
    check(ready(wait()).unwrap_err().call_error().unwrap());
    check(ready(wait().states().next()).unwrap().unwrap_err().call_error().unwrap());
    for count in [1, 5] {
        let jobs = (0..count).map(|index| job(&format!("123456789{index}")));
        let mut watch = client.watch(jobs).on_progress(|_| {});
        for _ in 0..count {
            let (_, outcome) = ready(watch.next()).unwrap();
            check(outcome.unwrap_err().call_error().unwrap());
        }
        assert!(ready(watch.next()).is_none());
    }

    let bulk = client.activate_read_sets().run_id("run").sequence_store_id(&service.store);
    let run = bulk.read_sets(&service.archived).prepare().unwrap().on_progress(|_| {});
    let error = ready(run.run()).unwrap_err();
    assert!(error.to_string().contains("no Tokio runtime"), "{error}");
    assert!(service.local.requests().is_empty());
}

#[test]
fn debug_of_its_errors_is_the_error_inside() {
    let service = service();
    let call = service.client.get_read_set_metadata().sequence_store_id(&service.store).id("5555555555");
    let error = call.send().block().unwrap_err();
    assert_eq!(format!("{error:?}"), error.to_string());
    assert!(error.to_string().starts_with("GetReadSetMetadata (store "), "{error}");
}
