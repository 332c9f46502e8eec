//! The lines of a journal, and the states that they stand for.

use super::*;

#[test]
fn every_state_is_read_back() {
    let (directory, plan) = (Directory::new(), plan());
    let expected = write_all(&directory.file(), &plan);
    assert_eq!(states(&directory.file(), &plan), expected);
    // Once more: reading changes nothing.
    assert_eq!(states(&directory.file(), &plan), expected);
}

#[test]
fn the_format_does_not_change() {
    let (directory, plan) = (Directory::new(), plan());
    write_all(&directory.file(), &plan);
    let text = fs::read_to_string(directory.file()).unwrap();
    assert!(text.lines().all(|line| with_checksum(&without_checksum(line)) == format!("{line}\n")));
    let lines: Vec<_> = text.lines().map(without_checksum).collect();
    let token = plan.groups().nth(1).unwrap().client_token();
    assert_eq!(
        lines[0],
        format!(
            r#"{{"journal":"healthomics-bulk","version":3,"runId":"run-7","kind":"export","sequenceStoreId":"1234567890","roleArn":"arn:aws:iam::123456789012:role/Omics","destination":"s3://bucket/out/","groups":5,"groupSize":2,"plan":"{}","shard":0,"shards":1}}"#,
            plan.digest()
        )
    );
    assert!(lines[0].as_bytes().starts_with(MAGIC));
    assert_eq!(
        lines[1],
        format!(r#"{{"line":"starting","group":1,"token":"{token}","firstStart":"2026-11-28T12:00:00Z"}}"#)
    );
    assert_eq!(lines[4], r#"{"line":"started","group":3,"job":"0000000013"}"#);
    assert_eq!(
        lines[6],
        r#"{"line":"ended","group":3,"job":"0000000013","status":"COMPLETED_WITH_FAILURES","items":[{"position":6,"status":"FINISHED","readSetId":"7777777777"},{"position":7,"status":"NEW_ONE","reason":"not\nthere: \"é\""}]}"#
    );
    assert_eq!(
        lines[8],
        r#"{"line":"refused","group":4,"error":"StartReadSetExportJob: AccessDeniedException (403): no"}"#
    );
}

#[test]
fn a_missing_job_is_read_back() {
    let (directory, plan) = (Directory::new(), plan());
    write_all(&directory.file(), &plan);
    let (mut journal, _) = open(&directory.file(), &plan);
    block_on(journal.missing(&plan.groups().nth(2).unwrap(), &"0000000012".into(), "no such job")).unwrap();
    drop(journal);
    let expected = GroupState::Missing { job: "0000000012".into(), error: "no such job".to_owned() };
    assert_eq!(states(&directory.file(), &plan)[2], expected);
    let text = fs::read_to_string(directory.file()).unwrap();
    let line = without_checksum(text.lines().last().unwrap());
    assert_eq!(line, r#"{"line":"missing","group":2,"job":"0000000012","error":"no such job"}"#);
}

#[test]
fn later_lines_win() {
    let (directory, plan) = (Directory::new(), plan());
    write_all(&directory.file(), &plan);
    let (mut journal, _) = open(&directory.file(), &plan);
    for group in plan.groups() {
        starting(&mut journal, &group);
    }
    drop(journal);
    assert_eq!(states(&directory.file(), &plan), vec![GroupState::Indeterminate; 5]);
}

#[test]
fn a_shard_has_states_of_its_own_groups() {
    let (directory, shard) = (Directory::new(), plan().shard(1, 2).unwrap());
    let (mut journal, states) = open(&directory.file(), &shard);
    assert_eq!(states.len(), 2);
    let group = shard.groups().nth(1).unwrap();
    block_on(journal.started(&group, &"0000000001".into())).unwrap();
    drop(journal);
    let running = GroupState::Running { job: "0000000001".into() };
    assert_eq!(self::states(&directory.file(), &shard), [GroupState::Untouched, running]);
    with_line(&directory.file(), 1, |line| line.replace(":3,", ":2,"));
    let error = refusal(&directory.file(), &shard);
    assert!(error.to_string().contains("group 2 is not of this run and shard"), "{error}");
}

#[test]
fn a_newer_format_is_refused_and_newer_lines_are_ignored() {
    let (directory, plan) = (Directory::new(), plan());
    let expected = write_all(&directory.file(), &plan);
    with_line(&directory.file(), 0, |line| line.replace("\"shards\":1", "\"shards\":1,\"new\":{\"a\":[1]}"));
    let more =
        |line: &str| format!("{}\n{}", r#"{"line":"paused","group":"all"}"#, line.replace('}', r#","new":null}"#));
    with_line(&directory.file(), 4, more);
    assert_eq!(states(&directory.file(), &plan), expected);

    fs::write(directory.file(), "{\"journal\":\"healthomics-bulk\",\"version\":4,\"else\":true}\n").unwrap();
    let error = refusal(&directory.file(), &plan);
    assert!(matches!(error, BulkError::JournalUnsupportedVersion { version: 4, supported: 3, .. }), "{error}");
}

#[test]
fn the_read_sets_of_an_import_are_read_back() {
    let directory = Directory::new();
    let source = |n: usize| {
        let source = crate::read_set::ImportReadSetSource::builder().source_files(format!("s3://bucket/{n}.bam"));
        source.source_file_type(crate::model::FileType::Ubam).subject_id("S").sample_id("s").build()
    };
    let plan: Plan<Import> =
        Planner::import("run-7".into(), "1234567890".into(), "arn:aws:iam::123456789012:role/Omics".into())
            .plan((0..3).map(source))
            .unwrap();
    let (mut journal, _) = open(&directory.file(), &plan);
    let item = |position| ItemResult {
        position,
        status: Some(ItemStatus::Finished),
        read_set_id: Some("7777777777".into()),
        reason: None,
        activation: None,
    };
    // The job need not list each item.
    let unlisted = ItemResult { status: None, read_set_id: None, ..item(2) };
    let (job, items) = ("0000000001".into(), vec![item(0), item(1), unlisted]);
    let status = JobStatus::CompletedWithFailures;
    block_on(journal.ended(&plan.groups().next().unwrap(), &job, &status, &items)).unwrap();
    drop(journal);
    let (_, read) = open(&directory.file(), &plan);
    assert_eq!(read, [GroupState::Finished { job, status, items }]);
}

/// A hundred results a group: a million items.
#[test]
fn ten_thousand_groups_are_read() {
    let size = if cfg!(debug_assertions) { 5 } else { 100 };
    let (directory, plan) = (Directory::new(), planner().group_size(size).plan(ids(10_000 * size)).unwrap());
    drop(open(&directory.file(), &plan));
    let mut text = fs::read(directory.file()).unwrap();
    for group in plan.groups() {
        let index = group.index();
        let (job, status, items) = ("0000000001".to_owned(), JobStatus::Completed, results(&group));
        let token = group.client_token().to_string();
        text.extend(line::to_line(
            &Line::Starting { group: index, token, first_start: None, excluded: Vec::new() },
            VERSION,
        ));
        text.extend(line::to_line(&Line::Started { group: index, job: job.clone() }, VERSION));
        text.extend(line::to_line(&Line::Ended { group: index, job, status, items }, VERSION));
    }
    fs::write(directory.file(), &text).unwrap();
    let states = states(&directory.file(), &plan);
    assert!(states.iter().all(|state| matches!(state, GroupState::Finished { items, .. } if items.len() == size)));
}

/// As the version before checksums has written it.
#[test]
fn a_journal_of_version_1_is_read_and_continued() {
    let (directory, plan) = (Directory::new(), plan());
    let expected = write_all(&directory.file(), &plan);
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/journal_v1.jsonl");
    fs::copy(fixture, directory.file()).unwrap();
    assert_eq!(states(&directory.file(), &plan), expected);
    let (mut journal, _) = open(&directory.file(), &plan);
    starting(&mut journal, &plan.groups().next().unwrap());
    drop(journal);
    let states = states(&directory.file(), &plan);
    assert_eq!((&states[0], &states[1..]), (&GroupState::Indeterminate, &expected[1..]));
    let text = fs::read_to_string(directory.file()).unwrap();
    assert!(!text.contains("crc32"), "a version that knows no checksums may go on with it");
}

/// In version 1, an item that a completed job did not list had an empty status.
#[test]
fn an_empty_status_in_version_1_is_none_unless_the_job_is_completed() {
    let plan = plan();
    let header = String::from_utf8(line::to_line(&Header { version: 1, ..Header::of(&plan) }, 1)).unwrap();
    for (status, expected) in [("COMPLETED", Some(ItemStatus::Finished)), ("FAILED", None)] {
        let items = r#"[{"position":0,"status":""},{"position":1,"status":"FINISHED"}]"#;
        let ended = format!(r#"{{"line":"ended","group":0,"job":"1","status":"{status}","items":{items}}}"#);
        let states = read(format!("{header}{ended}\n").as_bytes(), &plan).unwrap().unwrap();
        let GroupState::Finished { items, .. } = &states[0] else { panic!("{states:?}") };
        assert_eq!(
            items.iter().map(|item| item.status.clone()).collect::<Vec<_>>(),
            [expected, Some(ItemStatus::Finished)]
        );
    }
}

/// Exports that activate archived read sets first have lines of both kinds of jobs.
#[test]
fn activations_are_read_back() {
    let directory = Directory::new();
    let plan = planner().group_size(40).activate_archived(true).plan(ids(50)).unwrap();
    let activation_plan = plan.activation_plan().unwrap();
    let (mut journal, states) = try_open(&directory.file(), &plan, Some(&activation_plan)).unwrap();
    assert_eq!((states.groups.len(), states.activations.len()), (2, 3));
    let activation = activation_plan.groups().nth(1).unwrap();
    block_on(journal.starting(&activation, &activation.client_token(), Some(START), &[])).unwrap();
    block_on(journal.started(&activation, &"0000000001".into())).unwrap();
    let group = plan.groups().next().unwrap();
    let failed = ItemResult {
        position: 25,
        status: Some(ItemStatus::Failed),
        read_set_id: None,
        reason: Some("not activated: damaged".to_owned()),
        activation: Some(FailedActivation { job: "0000000001".to_owned(), status: JobStatus::Failed }),
    };
    let token = group.client_token_without(&[25]);
    block_on(journal.starting(&group, &token, Some(START), std::slice::from_ref(&failed))).unwrap();
    drop(journal);

    let text = fs::read_to_string(directory.file()).unwrap();
    let lines: Vec<_> = text.lines().map(without_checksum).collect();
    assert!(lines[0].ends_with(r#","shard":0,"shards":1,"activateArchived":true}"#), "{}", lines[0]);
    assert_eq!(lines[2], r#"{"line":"started","group":1,"job":"0000000001","activation":true}"#);
    assert_eq!(
        lines[3],
        format!(
            r#"{{"line":"starting","group":0,"token":"{token}","firstStart":"2026-11-28T12:00:00Z","excluded":[{{"position":25,"status":"FAILED","reason":"not activated: damaged","activation":{{"job":"0000000001","status":"FAILED"}}}}]}}"#
        )
    );
    let (_, states) = try_open(&directory.file(), &plan, Some(&activation_plan)).unwrap();
    let group = &states.groups[0];
    assert_eq!((&group.state, group.first_start), (&GroupState::Indeterminate, Some(START)));
    assert_eq!(group.excluded, [failed]);
    assert_eq!(states.groups[1].state, GroupState::Untouched);
    let activations: Vec<_> = states.activations.into_iter().map(|group| group.state).collect();
    let running = GroupState::Running { job: "0000000001".into() };
    assert_eq!(activations, [GroupState::Untouched, running, GroupState::Untouched]);

    // The token belongs to what is left out, and what is left out to the group.
    for (change, reason) in [
        (r#""position":26"#, "the token is not that of the group"),
        (r#""position":45"#, "an item is not of the group"),
    ] {
        let changed: String =
            lines.iter().map(|line| with_checksum(&line.replace(r#""position":25"#, change))).collect();
        fs::write(directory.file(), changed).unwrap();
        let error = try_open(&directory.file(), &plan, Some(&activation_plan)).err().unwrap().to_string();
        assert!(error.contains("line 4") && error.contains(reason), "{error}");
    }
}
