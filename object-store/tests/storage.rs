//! The journal in stores in memory and in a folder, on a paused clock.
#![allow(clippy::unwrap_used)]

mod support;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::poll;
use healthomics::bulk::JournalStorage;
use healthomics_object_store::ObjectStorage;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use support::{Fault, FaultyStore};
use tokio::time::Instant;

const LEASE: Duration = Duration::from_mins(1);

fn storage(store: &FaultyStore) -> ObjectStorage {
    ObjectStorage::new(Arc::new(store.clone()), "runs/7")
}

fn record(number: u64) -> Path {
    Path::from(format!("runs/7/records/{number:020}"))
}

async fn try_locked(store: &FaultyStore) -> io::Result<ObjectStorage> {
    let mut storage = storage(store);
    storage.lock().await?;
    Ok(storage)
}

async fn locked(store: &FaultyStore) -> ObjectStorage {
    try_locked(store).await.unwrap()
}

/// Appends a line without its newline.
async fn append(storage: &mut ObjectStorage, line: &str) -> io::Result<()> {
    storage.append(format!("{line}\n").into()).await
}

async fn try_read(storage: &mut ObjectStorage) -> io::Result<Vec<String>> {
    let mut text = Vec::new();
    while let Some(part) = storage.read().await? {
        text.extend_from_slice(&part);
    }
    Ok(String::from_utf8(text).unwrap().lines().map(str::to_owned).collect())
}

/// Locks a journal, reads it and releases it.
async fn lines(store: &FaultyStore) -> Vec<String> {
    let mut storage = locked(store).await;
    let lines = try_read(&mut storage).await.unwrap();
    release(storage).await;
    lines
}

async fn release(storage: ObjectStorage) {
    let released = storage.released();
    drop(storage);
    released.await;
}

/// A storage that has locked the journal and appended a line. Its process is paused: nothing renews its lease.
fn paused(storage: ObjectStorage, line: &'static str) -> ObjectStorage {
    let thread = std::thread::spawn(move || {
        let mut storage = storage;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            storage.lock().await.unwrap();
            append(&mut storage, line).await.unwrap();
        });
        storage
    });
    thread.join().unwrap()
}

async fn refused_lock(store: &FaultyStore) -> io::Error {
    storage(store).lock().await.unwrap_err()
}

fn assert_busy(result: io::Result<()>) {
    assert_eq!(result.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
}

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(start_paused = true)]
async fn lines_are_read_in_their_order_by_later_runs() {
    let folder = Folder(std::env::temp_dir().join(format!("healthomics-object-store-{}", std::process::id())));
    std::fs::create_dir(&folder.0).unwrap();
    let stores: [Arc<dyn ObjectStore>; 2] = [
        Arc::new(FaultyStore::default()),
        Arc::new(LocalFileSystem::new_with_prefix(&folder.0).unwrap().with_fsync(true)),
    ];
    for store in stores {
        let begin = Instant::now();
        let mut expected = Vec::new();
        for run in 0..4 {
            let mut storage = ObjectStorage::new(Arc::clone(&store), "runs/7");
            storage.lock().await.unwrap();
            assert_eq!(try_read(&mut storage).await.unwrap(), expected, "{store}, run {run}");
            for number in 0..run * 25 {
                let line = format!("{run} {number}");
                append(&mut storage, &line).await.unwrap();
                expected.push(line);
            }
            release(storage).await;
        }
        assert_eq!(expected.len(), 150);
        assert!(begin.elapsed() < LEASE, "a lease that is released is not waited for");
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_lives_keeps_its_journal() {
    let store = FaultyStore::default();
    let mut first = locked(&store).await;
    for _ in 0..20 {
        let begin = Instant::now();
        assert_eq!(refused_lock(&store).await.kind(), io::ErrorKind::ResourceBusy);
        assert!(begin.elapsed() <= LEASE / 2, "{:?}", begin.elapsed());
    }
    append(&mut first, "one").await.unwrap();
    release(first).await;
    assert_eq!(lines(&store).await, ["one"]);
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_journal_is_taken_over_after_the_duration_of_its_lease() {
    for duration in [Duration::from_secs(1), Duration::from_mins(10)] {
        let store = FaultyStore::default();
        let first = paused(storage(&store).lease(duration), "one");
        let begin = Instant::now();
        let mut second = locked(&store).await;
        assert!(begin.elapsed() >= duration && begin.elapsed() < duration * 2, "{:?}", begin.elapsed());
        assert_eq!(try_read(&mut second).await.unwrap(), ["one"]);
        drop(first);
    }
}

#[tokio::test(start_paused = true)]
async fn a_writer_whose_journal_was_taken_over_stores_nothing() {
    let store = FaultyStore::default();
    let mut first = paused(storage(&store), "one");
    let mut second = locked(&store).await;
    append(&mut second, "two").await.unwrap();
    assert_busy(append(&mut first, "lost").await);
    assert_eq!(append(&mut first, "lost").await.unwrap_err().kind(), io::ErrorKind::NotConnected);
    append(&mut second, "three").await.unwrap();
    // Nor does it end the lease of the other one.
    drop(first);
    assert_eq!(refused_lock(&store).await.kind(), io::ErrorKind::ResourceBusy);
    release(second).await;
    assert_eq!(lines(&store).await, ["one", "two", "three"]);
}

#[tokio::test(start_paused = true)]
async fn of_several_runs_one_takes_over() {
    let store = FaultyStore::default();
    let _first = paused(storage(&store), "one");
    let results = join_all((0..5).map(|_| try_locked(&store))).await;
    let (winners, refused): (Vec<_>, Vec<_>) = results.into_iter().partition(Result::is_ok);
    assert_eq!((winners.len(), refused.len()), (1, 4));
    for error in refused {
        assert_busy(error.map(drop));
    }
}

/// A request of a process that has ended arrives at the store while another run takes over.
#[tokio::test(start_paused = true)]
async fn a_late_record_of_the_last_writer_is_read() {
    let store = FaultyStore::default();
    let mut first = paused(storage(&store), "one");
    append(&mut first, "late").await.unwrap();
    let late = store.get(&record(3)).await.unwrap().bytes().await.unwrap();
    store.delete(&record(3)).await.unwrap();
    store.queue([Fault::Overtaken(late.into())]);
    assert_eq!(lines(&store).await, ["one", "late"]);
}

#[tokio::test(start_paused = true)]
async fn an_append_whose_response_is_lost_is_stored_once() {
    let store = FaultyStore::default();
    let mut storage = locked(&store).await;
    store.queue([Fault::LostResponse, Fault::None, Fault::Unavailable, Fault::LostResponse]);
    for line in ["one", "one", "two"] {
        append(&mut storage, line).await.unwrap();
    }
    release(storage).await;
    assert_eq!(lines(&store).await, ["one", "one", "two"]);
}

/// The same line of another writer is not taken for the own one.
#[tokio::test(start_paused = true)]
async fn an_equal_line_of_another_writer_is_not_mistaken() {
    let store = FaultyStore::default();
    let mut storage = locked(&store).await;
    append(&mut storage, "one").await.unwrap();
    let other = FaultyStore::default();
    let mut twin = locked(&other).await;
    append(&mut twin, "one").await.unwrap();
    append(&mut twin, "two").await.unwrap();
    let equal = other.get(&record(3)).await.unwrap().bytes().await.unwrap();
    store.queue([Fault::Overtaken(equal.into())]);
    assert_busy(append(&mut storage, "two").await);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_survived_for_the_duration_of_the_lease() {
    let store = FaultyStore::default();
    let mut storage = locked(&store).await;
    store.queue(vec![Fault::Unavailable; 12]);
    let begin = Instant::now();
    append(&mut storage, "one").await.unwrap();
    assert!(begin.elapsed() > Duration::from_secs(30), "{:?}", begin.elapsed());

    store.queue(vec![Fault::Unavailable; 1000]);
    let begin = Instant::now();
    let error = append(&mut storage, "two").await.unwrap_err();
    assert!(begin.elapsed() < LEASE + Duration::from_secs(10), "{:?}", begin.elapsed());
    assert!(error.to_string().contains("503 Service Unavailable"), "{error}");
    store.clear();
    assert_eq!(append(&mut storage, "two").await.unwrap_err().kind(), io::ErrorKind::NotConnected);
    assert_eq!(lines(&store).await, ["one"], "the lease is released");
}

#[tokio::test(start_paused = true)]
async fn missing_rights_are_an_error_at_once() {
    let store = FaultyStore::default();
    let mut storage = locked(&store).await;
    store.queue([Fault::Denied]);
    let begin = Instant::now();
    assert_eq!(append(&mut storage, "one").await.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    assert_eq!(begin.elapsed(), Duration::ZERO);
}

/// Amazon S3 responds 409 to concurrent requests for an object, of which none may succeed.
#[tokio::test(start_paused = true)]
async fn a_conflict_without_a_record_is_retried() {
    let store = FaultyStore::default();
    let mut storage = locked(&store).await;
    store.queue([Fault::Conflict, Fault::Conflict]);
    append(&mut storage, "one").await.unwrap();
    release(storage).await;
    assert_eq!(lines(&store).await, ["one"]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_ignores_conditions_is_rejected() {
    let store = FaultyStore::default();
    store.queue([Fault::Overwrites, Fault::Overwrites]);
    let error = refused_lock(&store).await;
    assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    assert!(error.to_string().starts_with("FaultyStore ignores the condition"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_append_that_is_dropped_leaves_the_journal_to_the_next_run() {
    let store = FaultyStore::default();
    let mut storage = locked(&store).await;
    append(&mut storage, "one").await.unwrap();
    let mut pending = Box::pin(append(&mut storage, "two"));
    assert!(poll!(&mut pending).is_pending());
    drop(pending);
    assert_eq!(append(&mut storage, "three").await.unwrap_err().kind(), io::ErrorKind::NotConnected);
    release(storage).await;
    assert_eq!(lines(&store).await, ["one"]);
}

#[tokio::test(start_paused = true)]
async fn records_that_are_missing_or_changed_are_errors() {
    let filled = || async {
        let store = FaultyStore::default();
        let mut storage = locked(&store).await;
        for line in ["one", "two", "three"] {
            append(&mut storage, line).await.unwrap();
        }
        release(storage).await;
        store
    };
    for number in 1..=3 {
        let store = filled().await;
        store.delete(&record(number)).await.unwrap();
        let error = refused_lock(&store).await;
        let expected = format!("{}: it does not exist, but {} does", record(number), record(number + 1));
        assert_eq!((error.kind(), error.to_string()), (io::ErrorKind::InvalidData, expected));
    }

    let store = filled().await;
    store.put(&Path::from("runs/7/records/notes.txt"), "hello".into()).await.unwrap();
    assert!(refused_lock(&store).await.to_string().ends_with("but runs/7/records/notes.txt does"));

    let changes: [(u64, &'static str, &str); 5] = [
        (2, "", "it has no header"),
        (2, "{}\n{}\n", "missing field `format`"),
        (4, "\u{0}\n", "expected value at line 1"),
        (3, "{\"format\":2,\"number\":3,\"writer\":\"67e55044-10b1-426f-9247-bb680e5fe0c8\"}\n", "its format is 2"),
        (3, "{\"format\":1,\"number\":4,\"writer\":\"67e55044-10b1-426f-9247-bb680e5fe0c8\"}\n", "written as record 4"),
    ];
    for (number, content, expected) in changes {
        let store = filled().await;
        store.put(&record(number), content.into()).await.unwrap();
        let result = match try_locked(&store).await {
            Ok(mut storage) => try_read(&mut storage).await.map(drop),
            Err(error) => Err(error),
        };
        let error = result.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        let text = error.to_string();
        assert!(text.starts_with(record(number).as_ref()) && text.contains(expected), "{text}");
    }
}

/// Whatever a lease object has, nothing panics or waits forever.
#[tokio::test(start_paused = true)]
async fn a_lease_that_is_missing_wrong_or_endless() {
    for content in
        [None, Some("{"), Some(r#"{"owner":"x","duration_ms":18446744073709551615,"renewals":0,"released":false}"#)]
    {
        let store = FaultyStore::default();
        let _first = paused(storage(&store), "one");
        let leases = store.list_with_delimiter(Some(&Path::from("runs/7/leases"))).await.unwrap().objects;
        let lease = &leases[0].location;
        match content {
            None => store.delete(lease).await.unwrap(),
            Some(content) => drop(store.put(lease, content.into()).await.unwrap()),
        }
        let begin = Instant::now();
        let result = storage(&store).lock().await;
        match content {
            None => assert!(result.is_ok() && begin.elapsed() >= LEASE),
            Some("{") => assert!(result.unwrap_err().to_string().starts_with(lease.as_ref())),
            Some(_) => assert!(result.is_ok() && begin.elapsed() >= Duration::from_hours(24)),
        }
    }
}

/// Runs that are paused, end, continue after they were replaced, and drop appends, with faults: each line whose append
/// succeeded is read by every later run, once and in order, and no run that was replaced stores a line.
#[tokio::test(start_paused = true)]
async fn random_histories_lose_nothing() {
    for seed in 0..500 {
        let mut random = fastrand::Rng::with_seed(seed);
        let store = FaultyStore::default();
        let mut history = History::default();
        let mut replaced: Vec<ObjectStorage> = Vec::new();
        for run in 0..8 {
            let is_paused = random.bool();
            let mut current = if is_paused {
                history.stored.push("first".to_owned());
                paused(storage(&store), "first")
            } else {
                let mut current = locked(&store).await;
                history.assert_is(&try_read(&mut current).await.unwrap(), seed);
                current
            };
            for number in 0..random.usize(0..6) {
                let faults = [Fault::None, Fault::Unavailable, Fault::LostResponse, Fault::Conflict];
                store.queue((0..random.usize(0..4)).map(|_| random.choice(faults.clone()).unwrap()));
                let line = format!("run {run}, line {number}");
                let index = random.usize(0..3);
                if let Some(storage) = replaced.get_mut(index) {
                    let kind = append(storage, &line).await.unwrap_err().kind();
                    assert!(
                        [io::ErrorKind::ResourceBusy, io::ErrorKind::NotConnected].contains(&kind),
                        "{seed}: {kind}"
                    );
                } else {
                    let polls = if random.u8(0..6) == 0 { random.u32(1..4) } else { u32::MAX };
                    history.append(&mut current, line, polls).await;
                }
                store.clear();
            }
            if is_paused {
                replaced.push(current);
            } else {
                release(current).await;
            }
        }
        history.assert_is(&lines(&store).await, seed);
    }
}

/// What a journal must have.
#[derive(Default)]
struct History {
    stored: Vec<String>,
    /// Lines whose append was dropped: they may be stored.
    indeterminate: Vec<String>,
}

impl History {
    /// Appends a line, and drops the append if it is not complete after so many polls.
    async fn append(&mut self, storage: &mut ObjectStorage, line: String, polls: u32) {
        let mut result = Box::pin(append(storage, &line));
        if polls < u32::MAX {
            for _ in 1..polls {
                if poll!(&mut result).is_ready() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            drop(result);
            self.indeterminate.push(line);
            return;
        }
        match result.await {
            Ok(()) => self.stored.push(line),
            // An earlier append was dropped.
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::NotConnected),
        }
    }

    fn assert_is(&self, found: &[String], seed: u64) {
        let certain: Vec<_> = found.iter().filter(|line| !self.indeterminate.contains(line)).cloned().collect();
        assert_eq!(certain, self.stored, "seed {seed}");
    }
}

#[test]
fn urls() {
    let path = |url: &str| ObjectStorage::from_url(url).map(|storage| storage.path().to_owned());
    assert_eq!(path("memory:///a/b").unwrap(), PathBuf::from("memory:///a/b"));
    assert!(path("no URL").unwrap_err().to_string().contains("relative URL without a base"));
    assert!(path("ftp://a/b").is_err());
    let store = Arc::new(FaultyStore::default());
    assert_eq!(ObjectStorage::new(store, "a/b").path(), PathBuf::from("FaultyStore/a/b"));
}
