//! The programs `export` and `report`, and the tables that `import`, `report` and `export` hand on to each other.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use healthomics::local::{Fault, JobKind, LocalService, Pace, SeedReadSet};
use healthomics::read_set::FileType;
use healthomics::{ReadSetId, SequenceStoreId};
use support::{Ended, Folder};

const ROLE: &str = "arn:aws:iam::123456789012:role/Omics";
const SAMPLES: &str = include_str!("../examples/samples.csv");

/// A service of the test, with a store, and a folder in which the programs run.
struct Account {
    local: LocalService,
    store: SequenceStoreId,
    folder: Folder,
}

impl Account {
    async fn new(name: &str) -> Self {
        let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(20))).start().await.unwrap();
        let store = local.create_sequence_store();
        Self { local, store, folder: Folder::new(name) }
    }

    fn seed(&self, sample: &str) -> ReadSetId {
        self.local.seed_read_set(&self.store, SeedReadSet::active(FileType::Bam).sample_id(sample).subject_id("s"))
    }

    /// Runs a program in the folder, with arguments that are separated by spaces.
    fn run(&self, program: &str, arguments: &str) -> Ended {
        let mut command = support::command(program);
        command.current_dir(self.folder.path());
        command.args(["--endpoint-url", &self.local.endpoint_url(), "--store", self.store.as_str()]);
        command.args(["--requests-per-second", "100"]).args(arguments.split_whitespace());
        Ended::of(command.output().unwrap())
    }

    fn export(&self, arguments: &str) -> Ended {
        let run = format!("--run-id run --poll-ms 10 --role {ROLE} --destination s3://my-bucket/exports/");
        self.run("export", &format!("{run} {arguments}"))
    }

    fn import(&self, arguments: &str) -> Ended {
        self.run("import", &format!("--poll-ms 10 --role {ROLE} {arguments}"))
    }

    /// The read sets of the exports that were started, in their order.
    fn exported(&self) -> Vec<String> {
        let jobs = self.local.jobs().into_iter().filter(|job| job.kind == JobKind::Export);
        jobs.flat_map(|job| job.items.into_iter().map(|item| item.key)).collect()
    }
}

/// The cells of a table without quotes.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().map(|line| line.split(',').collect()).collect()
}

#[test]
fn help_explains_the_exit_codes() {
    for (program, part) in [("export", "--activate-archived"), ("report", "each row has a read set")] {
        let ended = Ended::of(support::command(program).arg("--help").output().unwrap());
        assert!(ended.code == Some(0) && ended.out.contains(part) && ended.out.contains("Exit codes:"), "{ended:?}");
        let ended = Ended::of(support::command(program).arg("--colour").output().unwrap());
        assert_eq!(ended.code, Some(1), "{ended:?}");
    }
}

/// Samples are imported with a failure, which a second run repairs; the tables lead to the export of all of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tables_lead_from_samples_to_exported_files() {
    let account = Account::new("tables").await;
    account.folder.write("samples.csv", SAMPLES);
    let failing = "s3://my-bucket/run-7/U0a-L001.bam";
    account.local.fail_item(failing, "File validation failed");
    let ended = account.import("--run-id first --manifest samples.csv --output results.csv");
    assert_eq!(ended.code, Some(3), "{ended:?}");

    let ended = account.run("report", "results.csv --output table.csv");
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let table = account.folder.read("table.csv");
    let cells = rows(&table);
    assert_eq!(cells[0], ["sample", "subject", "name", "read_set_id", "status", "created", "reason"]);
    assert_eq!(cells[5], ["U0a-L001", "NA12878", "NA12878 U0a lane 1", "", "FAILED", "", "File validation failed"]);
    assert_eq!((cells.len(), cells[4][0], cells[4][4]), (8, "HG00096", "ACTIVE"));
    let ended = account.export("--from table.csv --dry-run");
    assert!(
        ended.out.contains("6 items in 1 job") && ended.err.contains("table.csv: 1 row without a read set"),
        "{ended:?}"
    );

    // The file is replaced by one that is valid, under another name.
    let lines: Vec<&str> = SAMPLES.lines().collect();
    account.folder.write("second.csv", format!("{}\n{}\n", lines[0], lines[5]));
    let fixed = account.folder.read("second.csv").replace("U0a-L001.bam", "U0a-L001-fixed.bam");
    account.folder.write("second.csv", fixed);
    let ended = account.import("--run-id second --manifest second.csv --output second-results.csv");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ended = account.run("report", "results.csv second-results.csv --output table.csv");
    // The failed row is of another file: it stays.
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.err.contains("8 rows, 1 without a read set, 0 without a result"), "{ended:?}");

    let ended = account.export("--from table.csv --group-size 4 --output exported.csv");
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "7 of 7 read sets exported in 2 jobs\n"), "{ended:?}");
    let table = account.folder.read("exported.csv");
    assert_eq!(rows(&table)[0], ["sample", "read_set_id", "job_id", "status", "reason"]);
    assert_eq!((rows(&table)[7][0], rows(&table)[7][3]), ("U0a-L001", "FINISHED"));
    assert_eq!(account.exported().len(), 7);
    assert!(account.folder.names().contains(&"table.run.export.jsonl".to_owned()));
}

/// The same file is imported by a second run: its row replaces the one that failed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_table_replaces_what_failed_in_an_earlier_one() {
    let account = Account::new("later-table").await;
    let id = account.seed("a");
    let header = "sample,subject,name,source1,read_set_id,job_id,status,reason\n";
    account.folder.write(
        "first.csv",
        format!("{header}a,s,,s3://bkt/a,,1234567890,FAILED,broken\nb,s,,s3://bkt/b,,,NOT_STARTED,denied\n"),
    );
    account.folder.write("second.csv", format!("{header}a,s,,s3://bkt/a,{id},1234567891,FINISHED,\n"));
    let ended = account.run("report", "first.csv second.csv");
    let cells = rows(&ended.out);
    assert_eq!((cells.len(), cells[1][0], cells[1][4]), (3, "b", "NOT_STARTED"), "{ended:?}");
    assert_eq!(cells[2][..5], ["a", "s", "", id.as_str(), "ACTIVE"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_of_a_manifest_has_the_read_sets_of_each_sample() {
    let account = Account::new("manifest").await;
    let [first, second] = ["a", "a"].map(|sample| account.seed(sample));
    account.folder.write("samples.csv", "sampleId,subjectId\na,s\nb,s\na,other\n");
    let ended = account.run("report", "samples.csv");
    let cells = rows(&ended.out);
    let found: Vec<_> = cells[1..].iter().map(|row| (row[0], row[1], row[3], row[4])).collect();
    let expected = [
        ("a", "s", first.as_str(), "ACTIVE"),
        ("a", "s", second.as_str(), "ACTIVE"),
        ("b", "s", "", "MISSING"),
        ("a", "other", "", "MISSING"),
    ];
    assert_eq!(found, expected);
    assert_eq!(ended.code, Some(3), "{ended:?}");

    let ended = account.run("report", "--sample a --status ACTIVE");
    assert_eq!((ended.code, rows(&ended.out).len()), (Some(0), 3), "{ended:?}");
    account.folder.write("deleted.csv", "sample,read_set_id\na,5555555555\n");
    let ended = account.run("report", "deleted.csv");
    assert!(
        ended.code == Some(3) && ended.out.contains("a,,,5555555555,MISSING,,the store does not have it"),
        "{ended:?}"
    );
    account.folder.write("other.csv", "colour\nred\n");
    let ended = account.run("report", "other.csv");
    assert!(ended.code == Some(1) && ended.err.contains("other.csv, line 1: there is no column sample"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_sets_come_from_arguments_lists_and_tables() {
    let account = Account::new("inputs").await;
    let ids: Vec<String> = (0..3).map(|_| account.seed("a").to_string()).collect();
    account.folder.write("list.txt", format!("\n{}\r\n {} \n", ids[0], ids[1]));
    account.folder.write("table.csv", format!("Sample,My Set\na,{}\nb,\n", ids[2]));
    for (arguments, run, expected) in [
        (ids.join(" "), "arguments", ids.clone()),
        ("--from list.txt".to_owned(), "list", ids[..2].to_vec()),
        ("--from table.csv --column my_set".to_owned(), "table", ids[2..].to_vec()),
    ] {
        let before = account.exported().len();
        let ended = account
            .run("export", &format!("--run-id {run} --poll-ms 10 --role {ROLE} --destination s3://bucket {arguments}"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(account.exported()[before..], expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_read_sets_are_refused_with_their_place() {
    let account = Account::new("wrong-inputs").await;
    account.folder.write("list.txt", "5555555555\n12\n");
    account.folder.write("table.csv", "sample,read_set_id\na,5555555555\nb,x1\nc,5555555555\n");
    account.folder.write("other.csv", "sample,colour\na,red\n");
    account.folder.write("empty.txt", "\n");
    account.folder.write("failed.csv", "sample,read_set_id\na,\n");
    for (arguments, expected) in [
        ("--from list.txt", "list.txt, line 2, column 1: \"12\" must be 10 to 36 digits"),
        ("--from table.csv", "table.csv, line 3, column read_set_id: \"x1\" must be 10 to 36 digits"),
        ("5555555555 7", "argument 2: \"7\" must be"),
        ("5555555555 5555555555", "argument 2: a duplicate of argument 1"),
        ("--from other.csv", "other.csv, line 1: there is no column read_set_id or id"),
        ("--from other.csv --column set", "other.csv, line 1: there is no column set"),
        ("--from empty.txt", "empty.txt, line 1: the file is empty"),
        ("--from failed.csv", "no read sets: "),
        ("--from none.csv", "none.csv: "),
        ("", "no read sets: give ids, --from FILE, a filter, or --all"),
        ("--sample a 5555555555", "a filter can't be combined with ids"),
        ("--all --from list.txt", "cannot be used with"),
        ("--sample nobody", "no read set matches the filter"),
        ("--created-after yesterday", "expected 2026-11-28 or 2026-11-28T06:00:00Z"),
        ("--name a,\u{1}", "filter.name"),
    ] {
        let ended = account.export(arguments);
        assert!(ended.code == Some(1) && ended.err.contains(expected), "{arguments}: {ended:?}");
    }
    assert!(account.local.jobs().is_empty());
}

/// The read sets of a filter are those of the first call, also when others match later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_read_sets_of_a_filter_are_listed_once() {
    let account = Account::new("filter").await;
    let ids = ["a", "a", "b"].map(|sample| account.seed(sample));
    let dry = account.export("--sample a --created-after 2020-01-01 --dry-run");
    assert!(dry.code == Some(0) && dry.out.contains("2 items in 1 job"), "{dry:?}");
    assert!(account.folder.names().is_empty(), "a dry run writes nothing");
    account.local.fault_always("StartReadSetExportJob", Fault::error(403, "AccessDeniedException", "not allowed"));
    let ended = account.export("--sample a");
    assert!(ended.code == Some(1) && ended.err.contains("nothing was started"), "{ended:?}");
    account.local.clear_faults();
    account.seed("a");
    let ended = account.export("--sample a");
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "2 of 2 read sets exported in 1 job\n"), "{ended:?}");
    assert_eq!(account.exported(), [ids[0].as_str(), ids[1].as_str()]);

    let ended = account.export("--sample b");
    assert!(ended.code == Some(1) && ended.err.contains("choose another --run-id"), "{ended:?}");
    assert_eq!(account.folder.names(), ["export.run.export.jsonl", "export.run.read-sets.csv"]);
}

/// A list that can't be read is not replaced, as the run would then have other read sets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stored_list_that_can_not_be_read_is_not_replaced() {
    let account = Account::new("unreadable-list").await;
    account.seed("a");
    std::fs::create_dir(account.folder.path().join("export.run.read-sets.csv")).unwrap();
    let ended = account.export("--all");
    assert!(ended.code == Some(1) && ended.err.contains("can't read export.run.read-sets.csv"), "{ended:?}");
    assert!(account.local.requests().is_empty());
    assert_eq!(account.folder.names(), ["export.run.read-sets.csv"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archived_read_sets_are_activated_if_asked() {
    let account = Account::new("archived").await;
    let active = account.seed("a");
    let archive = || account.local.seed_read_set(&account.store, SeedReadSet::archived(FileType::Bam));
    let [archived, damaged] = [archive(), archive()];
    account.local.fail_item(damaged.as_str(), "the archive is damaged");
    let ended = account.export(&format!("{active} {archived} {damaged} --activate-archived --output exported.csv"));
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.out.starts_with("2 of 3 read sets exported in 1 job\n"), "{ended:?}");
    assert!(ended.out.contains("the archive is damaged"), "{ended:?}");
    assert_eq!(account.exported(), [active.as_str(), archived.as_str()]);
    let table = account.folder.read("exported.csv");
    assert_eq!((rows(&table)[1][3], rows(&table)[3][3]), ("FINISHED", "FAILED"));
}
