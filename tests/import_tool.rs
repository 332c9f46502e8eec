//! The program `import`: manifests, exit codes, the table of results, and runs that are resumed.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use healthomics::SequenceStoreId;
use healthomics::local::{Fault, LocalService, Pace};
use serde_json::{Value, json};
use support::{Ended, Folder};

const ROLE: &str = "arn:aws:iam::123456789012:role/OmicsImport";
const SAMPLES: &str = include_str!("../examples/samples.csv");
const START: &str = "StartReadSetImportJob";

/// Runs it on an embedded service.
fn import(arguments: &[&str]) -> Ended {
    Ended::of(support::command("import").args(arguments).output().unwrap())
}

/// A manifest that is wrong, and the arguments.
fn import_manifest(folder: &Folder, name: &str, manifest: impl AsRef<[u8]>, arguments: &[&str]) -> Ended {
    let path = folder.write(name, manifest);
    Ended::of(support::command("import").arg("--manifest").arg(path).args(arguments).output().unwrap())
}

/// A service of the test, with a store, and a folder for files.
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

    fn command(&self, manifest: &Path) -> Command {
        let mut command = support::command("import");
        command.args(["--endpoint-url", &self.local.endpoint_url(), "--store", self.store.as_str(), "--role", ROLE]);
        command.args(["--run-id", "run", "--poll-ms", "10", "--requests-per-second", "100"]);
        command.arg("--manifest").arg(manifest);
        command
    }

    fn import(&self, manifest: &Path, arguments: &[&str]) -> Ended {
        Ended::of(self.command(manifest).args(arguments).output().unwrap())
    }

    /// The sources of the starts that were received.
    fn sources(&self) -> Vec<Value> {
        let requests = self.local.requests();
        let starts = requests.iter().filter(|request| request.operation == Some(START));
        starts
            .flat_map(|start| {
                let body: Value = serde_json::from_slice(&start.body).unwrap();
                body["sources"].as_array().unwrap().clone()
            })
            .collect()
    }
}

#[test]
fn without_a_store_it_shows_what_it_does() {
    let ended = import(&[]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "7 of 7 sources became read sets in 3 jobs\n"));
    assert!(ended.err.contains("without --store: a demonstration on an embedded local service"), "{ended:?}");
    let ended = import(&["--local", "--shard", "1/3", "--group-size", "2"]);
    assert_eq!(ended.out, "2 of 2 sources became read sets in 1 job\n");
}

#[test]
fn a_wrong_manifest_is_refused_with_line_and_column() {
    let folder = Folder::new("wrong-manifests");
    for (name, manifest, expected) in [
        ("unknown", "sample,subject,bam,colour\na,b,s3://bucket/a,red\n", "line 1, column \"colour\""),
        ("twice", "sample,subject,bam,bam\na,b,s3://bucket/a,\n", "line 1, column \"bam\""),
        (
            "alias",
            "sample,subject,bam,sampleId\na,b,s3://bucket/a,a\n",
            "line 1, column \"sample\": it is another column",
        ),
        ("tag", "sample,subject,bam,tag:\na,b,s3://bucket/a,\n", "line 1, column \"tag:\""),
        ("none", "sample,subject,ubam\na,b,s3://bucket/a\nc,d,\n", "line 3, column ubam: 0 files"),
        ("two", "sample,subject,bam,cram\na,b,s3://bucket/a,s3://bucket/b\n", "line 2, column bam, cram: 2 files"),
        ("pair", "sample,subject,bam,fastq_2\na,b,s3://bucket/a,s3://bucket/b\n", "line 2, column fastq_2"),
        ("subject", "sample,subject,bam\na,,s3://bucket/a\n", "line 2, column subject"),
        ("sample", "subject,bam\na,s3://bucket/a\n", "line 2, column sample"),
        (
            "type",
            "sample,subject,source1\na,b,s3://bucket/a\n",
            "line 2, column sourceFileType: there is no such column",
        ),
        (
            "types",
            "sample,subject,bam,sourceFileType\na,b,s3://bkt/a,CRAM\n",
            "line 2, column sourceFileType: it is CRAM",
        ),
        ("tags", "sample,subject,ubam,tags\na,b,s3://bucket/a,x\n", "line 2, column tags: expected value"),
        (
            "tag-twice",
            "sample,subject,ubam,tags,tag:k\na,b,s3://bkt/a,\"{\"\"k\"\":\"\"v\"\"}\",w\n",
            "line 2, column tag:k",
        ),
        ("cells", "sample,subject,bam\na,b\n", "line 2, column 3: 2 cells under 3"),
        ("crlf", "sample,subject,ubam\r\na,b,s3://bucket/a\r\nc,d,\r\n", "line 3, column"),
        ("blank", "sample,subject,ubam\n\na,b,s3://bucket/a\n\n\nc,d,\n", "line 6, column"),
        ("quoted", "sample,subject,ubam\na,\"b\nb\",s3://bucket/a\nc,d,\n", "line 4, column"),
        (
            "open",
            "sample,subject,ubam\na,\"b,s3://bucket/a\nc,d,s3://bucket/c\n",
            "line 2, column 2: the closing quote",
        ),
        ("inside", "sample,subject,ubam\na,b \"c\",s3://bucket/a\n", "line 2, column 2: a quote inside of a cell"),
        ("after", "sample,subject,ubam\n\"a\"b,c,s3://bucket/a\n", "line 2, column 1: text after the closing quote"),
        ("bom", "\u{feff}sample,subject,ubam\na,b,s3://bucket/a\nc,d,\n", "line 3, column"),
        ("uri", "sample,subject,ubam\na,b,https://bucket/a\n", "line 2, column ubam: \"https://bucket/a\""),
        ("reference", "sample,subject,bam\na,b,s3://bucket/a\n", "line 2, column referenceArn: "),
        ("long", "sample_id,subject,ubam\nää,\u{1}ö,s3://bucket/a\n", "line 2, column subject: "),
        ("duplicate", "sample,subject,ubam\na,b,s3://bkt/a\nc,d,s3://bkt/a\n", "line 3, column ubam: a duplicate of"),
        (
            "tag-value",
            &format!("sample,subject,ubam,tag:k\na,b,s3://bkt/a,{}\n", "v".repeat(257)),
            "line 2, column tag:k: ",
        ),
        ("header", "sample,subject,ubam\n", "line 2: there are no rows"),
        ("empty", "", "line 1: the file is empty"),
        ("blanks", "\n\n", "line 1: the file is empty"),
        ("no-name", "sample,,ubam\na,b,s3://bucket/a\n", "line 1, column 2: it has no name"),
    ] {
        let ended = import_manifest(&folder, &format!("{name}.csv"), manifest, &[]);
        let errors = ended.errors();
        assert!(errors.len() == 1 && errors[0].contains(&format!("{name}.csv, {expected}")), "{name}: {ended:?}");
        assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""), "{name}");
    }
    let ended =
        import_manifest(&folder, "latin.csv", b"sample,subject,ubam\na,b,s3://bucket/a\nc,\xe4,s3://bkt/c\n", &[]);
    assert!(ended.errors()[0].contains("latin.csv, line 3: it is not UTF-8"), "{ended:?}");
}

#[test]
fn all_errors_of_a_manifest_are_printed_up_to_a_limit() {
    let folder = Folder::new("many-errors");
    let rows = "a,,s3://bucket/a\n".repeat(30);
    let ended = import_manifest(&folder, "samples.csv", format!("sample,subject,ubam\n{rows}"), &[]);
    let errors = ended.errors();
    assert_eq!(errors.len(), 21);
    assert!(errors[19].contains("line 21, column subject: it is empty"), "{ended:?}");
    assert_eq!(errors[20], "error: and 10 more errors");
}

#[test]
fn wrong_arguments_are_refused() {
    for (arguments, expected) in [
        (&["--colour", "red"][..], "unexpected argument '--colour'"),
        (&["--shard"], "a value is required for '--shard"),
        (&["--shard", "8/8"], "shard 8 of 8"),
        (&["--shard", "one"], "expected I/N, such as 0/8"),
        (&["--group-size", "101"], "groups of 101"),
        (&["--jobs-at-once", "-1"], "-1"),
        (&["--requests-per-second", "0"], "--requests-per-second"),
        (&["--journal", "run.jsonl"], "--store <ID>"),
        (&["--endpoint-url", "http://127.0.0.1:9"], "--store <ID>"),
        (&["--manifest", "not-there.csv"], "not-there.csv: "),
        (&["--store", "1234567890"], "--manifest is missing"),
        (&["--pair", "_R1_"], "expected one {} and no /"),
        (&["--run-id", "a/b"], "--run-id: "),
        (&["--role", "me"], "--role: "),
    ] {
        let ended = import(arguments);
        assert!(ended.err.contains(expected) && ended.code == Some(1), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn help_explains_options_columns_and_exit_codes() {
    let ended = import(&["--help"]);
    assert_eq!(ended.code, Some(0));
    for part in
        ["--profile", "samples.RUN-ID.import.jsonl", "sourceFileType", "tag:KEY", "AWS_PROFILE", "  4  some items"]
    {
        assert!(ended.out.contains(part), "{part}: {}", ended.out);
    }
    assert_eq!(import(&["--version"]).code, Some(0));
}

#[cfg(not(feature = "aws-config"))]
#[test]
fn a_profile_needs_the_feature() {
    let account = ["--store", "1234567890", "--run-id", "run", "--role", ROLE];
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/samples.csv");
    let ended = import(&[&account[..], &["--manifest", manifest, "--profile", "lab"]].concat());
    assert_eq!((ended.code, ended.errors().len()), (Some(1), 1), "{ended:?}");
    assert!(ended.err.contains("--profile lab: this program is built without the feature aws-config"), "{ended:?}");
}

/// AWS's names of the columns, those of this program and JSON in cells describe the same sources.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_form_of_the_columns_makes_the_same_sources() {
    let expected = json!([
        {
            "sourceFiles": {"source1": "s3://bkt/x_1.fastq.gz", "source2": "s3://bkt/x_2.fastq.gz"},
            "sourceFileType": "FASTQ", "subjectId": "Zoë", "sampleId": "x", "name": "a, \"b\"", "generatedFrom": "1000 Genomes",
            "description": "d", "tags": {"k": "v"}
        },
        {
            "sourceFiles": {"source1": "s3://bkt/y.cram"}, "sourceFileType": "CRAM", "subjectId": "y", "sampleId": "y",
            "referenceArn": "arn:aws:omics:us-east-1:123456789012:referenceStore/1234567890/reference/2345678901"
        }
    ]);
    let reference = "arn:aws:omics:us-east-1:123456789012:referenceStore/1234567890/reference/2345678901";
    let aws = format!(
        "sourceFileType,source1,source2,subjectId,sampleId,generatedFrom,referenceArn,name,description,tags\n\
         FASTQ,s3://bkt/x_1.fastq.gz,s3://bkt/x_2.fastq.gz,Zoë,x,1000 Genomes,,\"a, \"\"b\"\"\",d,\"{{\"\"k\"\":\"\"v\"\"}}\"\n\
         cram,s3://bkt/y.cram,,y,y,,{reference},,,\n"
    );
    let own = format!(
        "\u{feff}sample,subject,fastq_1,fastq_2,cram,reference,name,description,generated_from,tag:k\r\n\
         x,Zoë,s3://bkt/x_1.fastq.gz,s3://bkt/x_2.fastq.gz,,,\"a, \"\"b\"\"\",d,1000 Genomes,v\r\n\
         y,y,,,s3://bkt/y.cram,{reference},,,,\r\n"
    );
    let json_cells = "Sample ID\tSubject_ID\tsourceFiles\tsource_file_type\tname\tdescription\tgeneratedFrom\ttags\tnote\n\
                      x\tZoë\t\"{\"\"source1\"\":\"\"s3://bkt/x_1.fastq.gz\"\",\"\"source2\"\":\"\"s3://bkt/x_2.fastq.gz\"\"}\"\tFASTQ\t\
                      \"a, \"\"b\"\"\"\td\t1000 Genomes\t\"{\"\"k\"\":\"\"v\"\"}\"\tmine\n\
                      y\t\ts3://bkt/y.cram\tCRAM\t\t\t\t\t\n";
    let options = ["--ignore-unknown-columns", "--subject-from-sample", "--reference", reference];
    for (name, manifest, arguments) in
        [("aws.csv", aws.as_str(), &[][..]), ("own.csv", &own, &[]), ("json.tsv", json_cells, &options)]
    {
        let account = Account::new(name).await;
        let manifest = account.folder.write(name, manifest);
        let ended = account.import(&manifest, arguments);
        assert_eq!(ended.code, Some(0), "{name}: {ended:?}");
        assert_eq!(Value::from(account.sources()), expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_one_file_each_become_pairs() {
    let account = Account::new("pairs").await;
    let manifest = account.folder.write(
        "samples.csv",
        "sample,subject,fastq_1,name,ubam\n\
         a,s,s3://bkt/R1/a_R2_L1_R1_001.fastq.gz,,\n\
         b,s,s3://bkt/b_R2_001.fastq.gz,second,\n\
         a,s,s3://bkt/R1/a_R2_L1_R2_001.fastq.gz,first,\n\
         c,s,,,s3://bkt/c.bam\n\
         b,s,s3://bkt/b_R1_001.fastq.gz,,\n",
    );
    let ended = account.import(&manifest, &["--pair", "_R{}_"]);
    assert_eq!(ended.out, "3 of 3 sources became read sets in 1 job\n", "{ended:?}");
    let sources: Vec<_> =
        account.sources().iter().map(|source| (source["sourceFiles"].clone(), source["name"].clone())).collect();
    let [first, second] = ["s3://bkt/R1/a_R2_L1_R1_001.fastq.gz", "s3://bkt/R1/a_R2_L1_R2_001.fastq.gz"];
    assert_eq!(sources[0], (json!({"source1": first, "source2": second}), json!("first")));
    let [first, second] = ["s3://bkt/b_R1_001.fastq.gz", "s3://bkt/b_R2_001.fastq.gz"];
    assert_eq!(sources[1], (json!({"source1": first, "source2": second}), json!("second")));
    assert_eq!(sources[2].0, json!({"source1": "s3://bkt/c.bam"}));
}

#[test]
fn a_file_without_its_pair_is_refused_with_its_line() {
    let folder = Folder::new("unpaired");
    let wrong = "sample,subject,fastq_1,name\n\
                 a,s,s3://bkt/a_R1_.fastq.gz,\n\
                 b,s,s3://bkt/a_R2_.fastq.gz,\n\
                 c,s,s3://bkt/c.fastq.gz,\n\
                 d,s,s3://bkt/d_R1_.fastq.gz,x\n\
                 d,s,s3://bkt/d_R2_.fastq.gz,y\n\
                 e,s,s3://bkt/e_R1_.fastq.gz,\n\
                 e,s,s3://bkt/e_R1_.fastq.gz,\n\
                 e,s,s3://bkt/e_R2_.fastq.gz,\n";
    let ended = import_manifest(&folder, "samples.csv", wrong, &["--pair", "_R{}_"]);
    let errors: Vec<_> = ended.errors().iter().map(|error| error.split_once("samples.csv, ").unwrap().1).collect();
    assert_eq!(
        errors,
        [
            "line 4, column fastq_1: the name of the file has no _R1_ or _R2_",
            "line 6, column name: it differs from line 5, which has the other file",
            &format!(
                "line 8, column fastq_1: the same file as in {}, line 7, column fastq_1",
                folder.path().join("samples.csv").display()
            ),
            "line 2, column fastq_1: no row of sample a and its subject has s3://bkt/a_R2_.fastq.gz",
            "line 3, column fastq_1: no row of sample b and its subject has s3://bkt/a_R1_.fastq.gz",
        ]
    );
    assert_eq!(ended.code, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_prints_the_plan_and_sends_and_writes_nothing() {
    let account = Account::new("dry-run").await;
    let manifest = account.folder.write("samples.csv", SAMPLES);
    let before = account.folder.names();
    let output = account.folder.path().join("results.csv");
    let arguments = ["--dry-run", "--group-size", "2", "--shard", "1/2", "--output", output.to_str().unwrap()];
    let ended = account.import(&manifest, &arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for line in [
        &format!("run run in store {}: 7 items in 4 jobs", account.store),
        "shard 1 of 2: 3 items in 2 jobs",
        "  line 4: sample HG00100, BAM s3://my-bucket/run-7/HG00100.chrom20.bam",
        "dropped: 0 duplicates",
        "nothing was started",
    ] {
        assert!(ended.out.lines().any(|printed| printed == line), "{line}: {}", ended.out);
    }
    assert!(ended.out.contains("samples.run.import.1-of-2.jsonl does not exist yet"), "{}", ended.out);

    let twice = account.folder.write("twice.csv", format!("{SAMPLES}{}", SAMPLES.lines().last().unwrap()));
    let ended = account.import(&twice, &["--dry-run"]);
    assert!(ended.code == Some(1) && ended.err.contains("line 9, column ubam: a duplicate of "), "{ended:?}");
    let ended = account.import(&twice, &["--dry-run", "--drop-duplicates"]);
    assert!(ended.code == Some(0) && ended.out.contains("dropped: 1 duplicate\n"), "{ended:?}");
    assert!(account.local.requests().is_empty());
    std::fs::remove_file(twice).unwrap();
    assert_eq!(account.folder.names(), before);
}

/// The journal is beside the manifest, and the table of results has a row for each source.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_items_have_a_code_one_line_for_a_cause_and_a_row_each() {
    let account = Account::new("failed-items").await;
    for lane in ["L001", "L002"] {
        account.local.fail_item(format!("s3://my-bucket/run-7/U0a-{lane}.bam"), "File validation failed");
    }
    let manifest = account.folder.write("samples.csv", SAMPLES);
    let output = account.folder.path().join("results.csv");
    let arguments = ["--group-size", "4", "--output", output.to_str().unwrap()];
    let ended = account.import(&manifest, &arguments);
    assert_eq!(
        ended.out,
        "5 of 7 sources became read sets in 2 jobs\n\
         2 items: File validation failed: line 6 (NA12878 U0a lane 1), line 7 (NA12878 U0a lane 2)\n"
    );
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.err.contains("samples.run.import.jsonl; Ctrl-C is safe: run the same command again\n"), "{ended:?}");
    assert!(ended.err.contains("2 items failed: fix the cause, and run them under another --run-id\n"), "{ended:?}");
    let table = account.folder.read("results.csv");
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split(',').collect()).collect();
    let header =
        ["line", "sample", "subject", "name", "source1", "source2", "read_set_id", "job_id", "status", "reason"];
    assert_eq!(rows[0], header);
    assert_eq!((rows.len(), rows[1][8], rows[1][9]), (8, "FINISHED", ""));
    assert_eq!(rows[5][..2], ["6", "U0a-L001"]);
    assert_eq!((rows[5][6], rows[5][8], rows[5][9]), ("", "FAILED", "File validation failed"));
    let imported: Vec<_> =
        account.local.read_sets(&account.store).iter().map(|read_set| read_set.id.to_string()).collect();
    assert!(imported.iter().any(|id| id == rows[1][6]), "{imported:?}");

    // The results are in the journal: the same command writes the same table without a request.
    account.local.clear_requests();
    std::fs::remove_file(&output).unwrap();
    assert_eq!(account.import(&manifest, &arguments).code, Some(3));
    assert_eq!(account.folder.read("results.csv"), table);
    assert!(account.local.requests().is_empty());
    assert_eq!(account.folder.names(), ["results.csv", "samples.csv", "samples.run.import.jsonl"]);
}

/// What failed is imported again by another run, once its cause is fixed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_failed_sources_are_imported_again() {
    let account = Account::new("only-failed").await;
    let manifest = account.folder.write("samples.csv", SAMPLES);
    let [results, second] = ["results.csv", "second.csv"].map(|name| account.folder.path().join(name));
    let [results, second] = [&results, &second].map(|path| path.to_str().unwrap());
    account.local.fail_item("s3://my-bucket/run-7/U0a-L001.bam", "File validation failed");
    assert_eq!(account.import(&manifest, &["--output", results]).code, Some(3));

    account.local.clear_requests();
    let ended = account.import(&manifest, &["--only-failed-in", results, "--output", results]);
    assert!(ended.code == Some(1) && ended.err.contains("--output would replace"), "{ended:?}");
    let ended = account.import(&manifest, &["--only-failed-in", results, "--output", second]);
    assert!(ended.code == Some(1) && ended.err.contains("is of another run"), "the run id is the same: {ended:?}");
    let mut command = support::command("import");
    command.args(["--endpoint-url", &account.local.endpoint_url(), "--store", account.store.as_str(), "--role", ROLE]);
    command.args(["--run-id", "again", "--poll-ms", "10", "--manifest", manifest.to_str().unwrap()]);
    let ended = Ended::of(command.args(["--only-failed-in", results, "--output", second]).output().unwrap());
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let sources = account.sources();
    assert_eq!((sources.len(), &sources[0]["sampleId"]), (1, &json!("U0a-L001")));
    assert!(account.folder.read("second.csv").contains("6,U0a-L001,"));

    let ended = account.import(&manifest, &["--only-failed-in", manifest.to_str().unwrap()]);
    assert!(ended.code == Some(1) && ended.err.contains("it is not a table of results"), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_output_that_is_something_else_is_not_replaced() {
    let account = Account::new("output").await;
    let manifest = account.folder.write("samples.csv", SAMPLES);
    let folder = account.folder.path().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let in_no_folder = account.folder.path().join("none/results.csv");
    let mut wrong = vec![
        (manifest.clone(), "is not a table of this program"),
        (folder, "can't read"),
        (in_no_folder, "can't write"),
    ];
    #[cfg(unix)]
    {
        let unreadable = account.folder.path().join("loop.csv");
        std::os::unix::fs::symlink(&unreadable, &unreadable).unwrap();
        wrong.push((unreadable, "can't read"));
    }
    let before = account.folder.names();
    for (path, expected) in wrong {
        let ended = account.import(&manifest, &["--output", path.to_str().unwrap()]);
        assert!(ended.code == Some(1) && ended.err.contains(expected), "{}: {ended:?}", path.display());
    }
    assert!(account.local.requests().is_empty(), "it is refused before anything is sent");
    assert_eq!(account.folder.names(), before);
    assert_eq!(account.folder.read("samples.csv"), SAMPLES);
}

/// A refused start is retried with the same journal when its cause is fixed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_starts_are_refused_fails_and_can_be_run_again() {
    let account = Account::new("refused").await;
    let manifest = account.folder.write("samples.csv", SAMPLES);
    let mut command = account.command(&manifest);
    let output = command.args(["--group-size", "4"]).env("AWS_SECRET_ACCESS_KEY", "wrong").output().unwrap();
    let ended = Ended::of(output);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.errors()[0].starts_with("error: nothing was started: StartReadSetImportJob (store "), "{ended:?}");
    assert_eq!(ended.errors().len(), 1, "one cause is printed once: {ended:?}");
    let ended = account.import(&manifest, &["--group-size", "4"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "7 of 7 sources became read sets in 2 jobs\n"));
    assert_eq!(account.local.jobs().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_without_a_result_have_a_code_and_the_same_command_finds_their_jobs() {
    let account = Account::new("indeterminate").await;
    let manifest = account.folder.write("samples.csv", SAMPLES);
    for operation in ["ListReadSetImportJobs", "GetReadSetImportJob"] {
        account.local.fault_always(operation, Fault::error(403, "AccessDeniedException", "not allowed"));
    }
    let output = account.folder.path().join("results.csv");
    let arguments = ["--group-size", "4", "--output", output.to_str().unwrap()];
    let ended = account.import(&manifest, &arguments);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert_eq!(ended.out.matches("AccessDeniedException").count(), 1, "one cause is printed once: {ended:?}");
    assert!(
        ended.err.contains("7 items without a result: fix the cause, if there is one, and run the same command again")
    );
    assert_eq!(account.folder.read("results.csv").matches(",INDETERMINATE,").count(), 7);

    account.local.clear_faults();
    let ended = account.import(&manifest, &arguments);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "7 of 7 sources became read sets in 2 jobs\n"));
    assert_eq!(account.local.jobs().len(), 2, "nothing is started twice");
    assert_eq!(account.folder.read("results.csv").matches(",FINISHED,").count(), 7);
}

/// Part of the starts is refused: the same command starts the rest.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_in_no_job_have_the_same_code() {
    let account = Account::new("not-started").await;
    let manifest = account.folder.write("samples.csv", SAMPLES);
    account.local.queue_fault(START, Fault::Delay(Duration::ZERO));
    account.local.queue_fault(START, Fault::error(403, "AccessDeniedException", "not allowed"));
    let ended = account.import(&manifest, &["--group-size", "4", "--jobs-at-once", "1"]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.out.starts_with("4 of 7 sources became read sets in 1 job\n3 items: "), "{ended:?}");
    let ended = account.import(&manifest, &["--group-size", "4"]);
    assert_eq!((ended.code, account.local.jobs().len()), (Some(0), 2), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_printed_on_a_line_of_its_own() {
    let account = Account::new("outage").await;
    let manifest = account.folder.write("samples.csv", SAMPLES);
    for _ in 0..3 {
        account.local.queue_fault(START, Fault::error(503, "ServiceUnavailable", "try later"));
    }
    let ended = account.import(&manifest, &[]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let lines: Vec<&str> = ended.err.lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("retrying since 20") && line.contains("try later")), "{ended:?}");
    assert!(lines.contains(&"calls succeed again"), "{ended:?}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_run_is_resumed_by_the_same_command() {
    let account = Account::new("interrupted").await;
    for operation in ["ListReadSetImportJobs", "GetReadSetImportJob"] {
        account.local.fault_always(operation, Fault::error(503, "ServiceUnavailable", "try later"));
    }
    let manifest = account.folder.write("samples.csv", SAMPLES);
    let mut command = account.command(&manifest);
    command.args(["--group-size", "4"]).stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    while account.local.jobs().len() < 2 {
        tokio::task::yield_now().await;
    }
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(
        ended.err.contains("interrupted; jobs that were started continue. Ctrl-C is safe: run the same command again")
    );

    account.local.clear_faults();
    let ended = account.import(&manifest, &["--group-size", "4"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), "7 of 7 sources became read sets in 2 jobs\n"));
    assert_eq!(account.local.jobs().len(), 2);
}

/// Reading a FIFO would wait for a writer for ever.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_is_a_fifo_is_refused() {
    let account = Account::new("fifo").await;
    let path = account.folder.path().join("journal");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let manifest = account.folder.write("samples.csv", SAMPLES);
    let ended = account.import(&manifest, &["--journal", path.to_str().unwrap()]);
    assert!(ended.code == Some(1) && ended.err.contains("is not a regular file"), "{ended:?}");
}
