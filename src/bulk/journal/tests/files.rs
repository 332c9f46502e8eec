//! Files that can be a journal, and files that are refused.

use super::*;

#[test]
fn an_empty_file_becomes_a_journal() {
    let (directory, plan) = (Directory::new(), plan());
    for beginning in [&b""[..], b"\0\0\0", b"{\"jour"] {
        fs::write(directory.file(), beginning).unwrap();
        assert_eq!(states(&directory.file(), &plan), vec![GroupState::Untouched; 5]);
        assert!(fs::read(directory.file()).unwrap().starts_with(MAGIC));
    }
}

#[test]
fn a_file_that_is_not_a_journal_is_not_changed() {
    let (directory, plan) = (Directory::new(), plan());
    for foreign in ["5555555555", "{\"some\":\"json\"}", "{\"some\":\"json\"}\n", "id\n5555555555\n", "\n"] {
        fs::write(directory.file(), foreign).unwrap();
        let error = refusal(&directory.file(), &plan);
        assert!(matches!(error, BulkError::JournalCorrupt { line: 1, .. }), "{error}");
        assert!(error.to_string().contains("not a journal of a bulk run"), "{error}");
        assert_eq!(fs::read_to_string(directory.file()).unwrap(), foreign);
    }
}

#[test]
fn a_journal_of_another_run_is_refused_with_the_difference() {
    let directory = Directory::new();
    write_all(&directory.file(), &plan());
    let before = fs::read(directory.file()).unwrap();
    let export = |run: &str, store: &str, to: &str, role: &str| {
        Planner::export(run.into(), store.into(), to.into(), role.into()).group_size(2).plan(ids(10)).unwrap()
    };
    let [run, store, to, role] = ["run-7", "1234567890", "s3://bucket/out/", "arn:aws:iam::123456789012:role/Omics"];
    let others = ["5000000000", "5000000001", "5000000001"].into_iter().map(str::to_owned).chain(ids(10).skip(2));
    let dropped = planner().group_size(2).duplicates(Duplicates::Drop).plan(others).unwrap();
    for (expected, other) in [
        (r#"its run id is "run-7", here it is "run-8"; "#, export("run-8", store, to, role)),
        ("its store is 1234567890, here it is 1234567891; ", export(run, "1234567891", to, role)),
        (
            r#"its destination is "s3://bucket/out/", here it is "s3://bucket"; "#,
            export(run, store, "s3://bucket", role),
        ),
        (
            r#"its role is "arn:aws:iam::123456789012:role/Omics", here it is "arn"#,
            export(run, store, to, &format!("{role}2")),
        ),
        ("its group size is 2, here it is 5; ", planner().group_size(5).plan(ids(10)).unwrap()),
        ("its number of groups is 5, here it is 6; ", planner().group_size(2).plan(ids(11)).unwrap()),
        ("its input is SHA-256 ", planner().group_size(2).plan(ids(11).skip(1)).unwrap()),
        ("its input is SHA-256 ", dropped),
        ("its shard is 0 of 1, here it is 1 of 2; ", plan().shard(1, 2).unwrap()),
    ] {
        let error = refusal(&directory.file(), &other);
        assert!(matches!(error, BulkError::JournalMismatch { .. }) && error.to_string().contains(expected), "{error}");
    }
    let activations = Planner::activation(run.into(), store.into()).group_size(2).plan(ids(10)).unwrap();
    let error = refusal::<Activation>(&directory.file(), &activations);
    assert!(error.to_string().contains("its kind is export, here it is activation; "), "{error}");
    assert_eq!(fs::read(directory.file()).unwrap(), before, "a refused journal is not touched");
}

#[test]
fn a_second_writer_is_refused() {
    let (directory, plan) = (Directory::new(), plan());
    let (journal, _) = open(&directory.file(), &plan);
    let error = refusal(&directory.file(), &plan);
    assert!(matches!(error, BulkError::JournalLocked { .. }), "{error}");
    drop(journal);
    assert_eq!(states(&directory.file(), &plan).len(), 5);
}

/// A run that is dropped while it writes can be resumed by the same process at once.
#[tokio::test]
async fn a_journal_that_is_dropped_while_it_writes_can_be_opened() {
    let (directory, plan) = (Directory::new(), plan());
    let groups: Vec<_> = plan.groups().collect();
    for _ in 0..50 {
        let storage = file_storage(directory.file());
        let (mut journal, _) = Journal::open(storage, &plan, None).await.unwrap();
        let token = groups[0].client_token();
        let mut write = Box::pin(journal.starting(&groups[0], &token, Some(START), &[]));
        std::future::poll_fn(|cx| std::task::Poll::Ready(write.as_mut().poll(cx).is_ready())).await;
    }
    assert!(fs::read_to_string(directory.file()).unwrap().lines().count() <= 51);
}

#[test]
fn directories_that_cant_be_written_are_refused() {
    let (directory, plan) = (Directory::new(), plan());
    let path = directory.0.join("missing/run.jsonl");
    let error = refusal(&path, &plan);
    assert!(matches!(&error, BulkError::JournalIo { action: "open", .. }), "{error}");
    assert!(error.to_string().contains(&format!("{path:?}")) && std::error::Error::source(&error).is_some());
    let writable = fs::metadata(&directory.0).unwrap().permissions();
    let mut read_only = writable.clone();
    read_only.set_readonly(true);
    fs::set_permissions(&directory.0, read_only).unwrap();
    // Some users and systems may write all the same: what anyone may do there, the journal may.
    let allowed = fs::write(directory.0.join("probe"), "").is_ok();
    let opened = try_open(&directory.file(), &plan, None);
    fs::set_permissions(&directory.0, writable).unwrap();
    assert_eq!(opened.is_ok(), allowed);
    assert!(allowed || matches!(opened, Err(BulkError::JournalIo { action: "open", .. })));
}

#[test]
fn fields_of_a_foreign_journal_are_on_one_line() {
    let (directory, plan) = (Directory::new(), plan());
    write_all(&directory.file(), &plan);
    with_line(&directory.file(), 0, |line| line.replace(r#""kind":"export""#, r#""kind":"a\nb\u001b""#));
    let error = refusal(&directory.file(), &plan).to_string();
    assert!(error.contains(r"its kind is a\nb\u{1b}, here it is export; "), "{error}");
}

#[cfg(unix)]
#[test]
fn a_file_that_is_not_regular_is_refused() {
    let (directory, plan) = (Directory::new(), plan());
    let _socket = std::os::unix::net::UnixListener::bind(directory.file()).unwrap();
    for path in [directory.file(), directory.0.clone(), "/dev/null".into()] {
        let error = refusal(&path, &plan);
        assert!(matches!(error, BulkError::JournalNotRegular { .. }), "{error}");
        assert!(error.to_string().contains("is not a regular file"), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_followed() {
    let (directory, plan) = (Directory::new(), plan());
    let target = directory.0.join("there");
    fs::create_dir(&target).unwrap();
    std::os::unix::fs::symlink(target.join("run.jsonl"), directory.file()).unwrap();
    let expected = write_all(&directory.file(), &plan);
    assert_eq!(states(&target.join("run.jsonl"), &plan), expected);
}
