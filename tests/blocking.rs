//! Calls without `async`, and what becomes of them where they do not belong.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use healthomics::blocking::{Block as _, BlockEach as _, BlockError, BlockingUnavailable, run};
use healthomics::job::{Activation, Job};
use healthomics::local::{Fault, LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{Client, Error, ReadSetId, SequenceStoreId};

const POLL: Duration = Duration::from_millis(5);

struct Place {
    local: LocalService,
    client: Client,
    store: SequenceStoreId,
    archived: Vec<ReadSetId>,
}

fn place() -> Place {
    let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(20))).start().block().unwrap();
    let client = local.client().unwrap();
    let store = local.create_sequence_store();
    let archived = (0..45).map(|_| local.seed_read_set(&store, SeedReadSet::archived(FileType::Cram))).collect();
    Place { local, client, store, archived }
}

fn start(place: &Place, read_sets: &[ReadSetId]) -> Job<Activation> {
    let call = place.client.start_read_set_activation_job().sequence_store_id(&place.store).sources(read_sets);
    place.client.job(&call.send().block().unwrap())
}

#[test]
fn calls_waits_lists_bulk_runs_and_watches_block() {
    let place = place();
    let outcome = start(&place, &place.archived[..20]).wait().poll_every(POLL).block().unwrap();
    assert_eq!(outcome.finished_items().count(), 20);

    let list = || place.client.list_read_sets().sequence_store_id(&place.store).max_results(10);
    let ids: Result<Vec<_>, _> = list().items().block_each().map(|item| item.map(|item| item.id)).collect();
    assert_eq!(ids.unwrap().len(), 45);
    assert_eq!(list().pages().block_each().map(|page| page.unwrap().read_sets.len()).sum::<usize>(), 45);

    let bulk = place.client.activate_read_sets().run_id("run").sequence_store_id(&place.store);
    let report = bulk.read_sets(&place.archived).prepare().unwrap().poll_every(POLL);
    assert_eq!(run(report.run()).unwrap().unwrap().finished_count(), 45);

    let jobs = [start(&place, &place.archived[..1]), start(&place, &place.archived[1..2])];
    let mut watch = place.client.watch(jobs).poll_every(POLL);
    let mut ended = 0;
    while let Some((_, outcome)) = run(watch.next()).unwrap() {
        assert!(outcome.unwrap().is_completed());
        ended += 1;
    }
    assert_eq!(ended, 2);
}

#[test]
fn errors_are_those_of_the_call() {
    let place = place();
    let call = || place.client.get_read_set_metadata().sequence_store_id(&place.store);
    let error = call().id("12a").send().block().unwrap_err();
    assert!(matches!(error.failed(), Some(Error::InvalidInput(_))), "{error:?}");
    let error = call().id("9999999999").send().block().unwrap_err();
    assert_eq!(error.failed().and_then(Error::status), Some(404));
    assert!(error.to_string().contains(", read set 9999999999): ResourceNotFoundException (404)"), "{error}");

    place.local.fault_always("ListReadSets", Fault::error(403, "AccessDeniedException", "no"));
    let mut items = place.client.list_read_sets().sequence_store_id(&place.store).items().block_each();
    let error = items.next().unwrap().unwrap_err();
    assert_eq!(error.failed().and_then(Error::status), Some(403));
    assert!(items.next().is_none());
}

#[test]
fn many_threads_block_at_once() {
    let place = place();
    std::thread::scope(|scope| {
        for read_sets in place.archived.chunks(5) {
            let place = &place;
            scope.spawn(move || {
                let outcome = start(place, read_sets).wait().poll_every(POLL).block().unwrap();
                assert_eq!(outcome.finished_items().count(), 5);
            });
        }
    });
    assert_eq!(place.local.jobs().len(), 9);
}

#[test]
fn inside_a_runtime_it_is_an_error_and_nothing_is_sent() {
    let place = place();
    let call = || place.client.list_read_sets().sequence_store_id(&place.store);
    let misuse = || {
        let error = call().send().block().unwrap_err();
        assert!(matches!(error, BlockError::BlockingUnavailable(BlockingUnavailable::InsideRuntime)), "{error:?}");
        assert!(error.failed().is_none() && error.to_string().contains("await it instead"), "{error}");
        let mut items = call().items().block_each();
        assert!(matches!(items.next(), Some(Err(BlockError::BlockingUnavailable(BlockingUnavailable::InsideRuntime)))));
        assert!(items.next().is_none());
    };
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async { misuse() });
    let many = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    many.block_on(async { misuse() });
    // The runtime of this module itself, in which its futures run.
    run(async { misuse() }).unwrap();
    assert!(place.local.requests().is_empty());
    // A thread of its own is the way out.
    many.block_on(async {
        std::thread::scope(|scope| scope.spawn(|| call().send().block()).join()).unwrap().unwrap();
    });
    assert_eq!(place.local.requests().len(), 1);
}
