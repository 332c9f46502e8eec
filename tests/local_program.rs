//! The local service as a program: `healthomics-local`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeSet, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use healthomics::read_set::ReadSetStatus;
use healthomics::{Client, Credentials};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_healthomics-local");

/// A program that serves, and the variables that it has printed.
struct Program {
    child: Child,
    out: BufReader<ChildStdout>,
    variables: HashMap<String, String>,
}

impl Program {
    /// Starts the program and reads its output up to the line that says that it is ready.
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(PROGRAM).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut program = Self { child, out, variables: HashMap::new() };
        loop {
            let mut line = String::new();
            program.out.read_line(&mut line).unwrap();
            if line == "# ready\n" {
                return program;
            }
            assert!(!line.is_empty(), "the program has ended");
            if let Some((name, value)) = line.trim_end().strip_prefix("export ").and_then(|line| line.split_once('=')) {
                program.variables.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn variable(&self, name: &str) -> &str {
        self.variables.get(name).unwrap_or_else(|| panic!("{name} is not in {:?}", self.variables))
    }

    fn client(&self) -> Client {
        let key = self.variable("AWS_ACCESS_KEY_ID");
        let secret = self.variable("AWS_SECRET_ACCESS_KEY");
        let token = self.variables.get("AWS_SESSION_TOKEN").cloned();
        Client::builder()
            .endpoint_url(self.variable("AWS_ENDPOINT_URL"))
            .region(self.variable("AWS_REGION"))
            .credentials(Credentials::new(key, secret, token, None, "test"))
            .use_system_proxy(false)
            .build()
            .unwrap()
    }

    /// Sends a request of the control path over a plain socket; returns the status line and the body.
    fn control(&self, method: &str, name: &str, body: &Value) -> (String, Value) {
        let url = self.variable("AWS_ENDPOINT_URL");
        let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let length = body.len();
        write!(
            stream,
            "{method} /_local/{name} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        let (head, body) = response.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn run(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().unwrap()
}

/// A file with this text, which is removed at the end of the test.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("healthomics-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

#[tokio::test]
async fn the_printed_settings_are_those_of_a_client() {
    let read_sets: Vec<_> =
        (0..3_000).map(|n| json!({"id": format!("{n:010}"), "status": "ARCHIVED", "fileType": "BAM"})).collect();
    let seed = File::new("seed.json", &json!({"stores": [{"id": "1234567890", "readSets": read_sets}]}).to_string());
    let arguments = [
        "--region",
        "eu-west-2",
        "--access-key-id",
        "AKIDOTHER",
        "--secret-access-key",
        "it's secret",
        "--session-token",
        "session",
        "--pace-polls",
        "1",
        "--seed",
        seed.path(),
    ];
    let mut program = Program::start(&arguments);
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        assert_eq!(program.variable(name), "eu-west-2");
    }
    assert_eq!(program.variable("AWS_ENDPOINT_URL_OMICS"), program.variable("AWS_ENDPOINT_URL"));
    assert_eq!(program.variable("AWS_DISABLE_HOST_PREFIX_INJECTION"), "true");
    assert_eq!(program.variable("AWS_ACCESS_KEY_ID"), "AKIDOTHER");
    assert_eq!(program.variable("AWS_SECRET_ACCESS_KEY"), r"'it'\''s secret'");
    program.variables.insert("AWS_SECRET_ACCESS_KEY".to_owned(), "it's secret".to_owned());

    let client = program.client();
    let id = "0000002999";
    let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources([id]);
    let started = call.send().await.unwrap();
    assert!(client.job(&started).get().await.unwrap().status.is_terminal());
    let read_set = client.get_read_set_metadata().sequence_store_id("1234567890").id(id).send().await.unwrap();
    assert_eq!(read_set.status, ReadSetStatus::Active);
}

#[tokio::test]
async fn quotas_are_those_of_the_arguments() {
    let program = Program::start(&["--requests-per-second", "1", "--jobs-at-once", "0", "--control"]);
    drop(program.control("POST", "seed", &json!({"stores": [{"id": "1234567890"}]})));
    let client = program.client();
    let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5555555555"]);
    let error = call.send().await.unwrap_err();
    assert!(matches!(error, healthomics::Error::ServiceQuotaExceededException(_)), "{error}");
}

#[test]
fn the_control_path_needs_its_flag() {
    let program = Program::start(&[]);
    assert!(!program.variables.contains_key("HEALTHOMICS_LOCAL_CONTROL"));
    let (status, body) = program.control("GET", "health", &Value::Null);
    assert!(status.contains(" 403 "), "{status}");
    assert_eq!(body["message"], "Missing Authentication Token");

    let program = Program::start(&["--control"]);
    let expected = format!("{}/_local", program.variable("AWS_ENDPOINT_URL"));
    assert_eq!(program.variable("HEALTHOMICS_LOCAL_CONTROL"), expected);
    let (status, body) = program.control("GET", "health", &Value::Null);
    assert!(status.contains(" 200 "), "{status}");
    assert_eq!(body["status"], "ok");
}

#[test]
fn a_wrong_argument_is_one_line_that_says_what_and_where() {
    let value =
        File::new("value.json", "{\"stores\":[{\"readSets\":[\n{\"status\":\"ACTVE\",\"fileType\":\"BAM\"}]}]}");
    let syntax = File::new("syntax.json", "{\"stores\":");
    let busy = Program::start(&[]);
    let port = busy.variable("AWS_ENDPOINT_URL").rsplit(':').next().unwrap();
    for (arguments, parts) in [
        (vec!["--port", "x"], vec!["'x'", "--port"]),
        (vec!["--prot", "1"], vec!["--prot"]),
        (vec!["--pace-ms"], vec!["--pace-ms"]),
        (vec!["more"], vec!["'more'"]),
        (vec!["--port", port], vec!["127.0.0.1", port]),
        (vec!["--address", "0.0.0.0"], vec!["0.0.0.0", "--allow-non-loopback"]),
        (vec!["--seed", "/no/such/file"], vec!["--seed /no/such/file: "]),
        (vec!["--seed", value.path()], vec![value.path(), "\"ACTVE\" is none of ARCHIVED, ", "line 2 column 17"]),
        (vec!["--seed", syntax.path()], vec![syntax.path(), "EOF", "line 1 column 10"]),
    ] {
        let output = run(&arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{arguments:?}: {error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        for part in parts {
            assert!(error.contains(part), "{part:?} is not in {error:?}");
        }
    }
}

#[test]
fn the_help_has_every_argument() {
    let output = run(&["--help"]);
    assert!(output.status.success());
    let help = String::from_utf8(output.stdout).unwrap();
    for flag in
        ["--port", "--address", "--allow-non-loopback", "--region", "--seed", "--pace-polls", "--pace-ms", "--control"]
    {
        assert!(help.contains(flag), "{flag} is not in {help}");
    }
    let version = run(&["--version"]);
    assert!(String::from_utf8(version.stdout).unwrap().starts_with("healthomics-local "));
}

#[test]
fn all_interfaces_are_served_if_allowed() {
    let program = Program::start(&["--address", "0.0.0.0", "--allow-non-loopback", "--control"]);
    assert!(program.variable("AWS_ENDPOINT_URL").starts_with("http://127.0.0.1:"));
    assert!(program.control("GET", "health", &Value::Null).0.contains(" 200 "));
}

#[cfg(unix)]
#[test]
fn signals_end_it_with_success() {
    for signal in ["TERM", "INT"] {
        let mut program = Program::start(&["--control"]);
        let address = program.variable("AWS_ENDPOINT_URL").strip_prefix("http://").unwrap().to_owned();
        // A connection that is open, and a request whose response never comes.
        let fault = json!({"operation": "ListReadSets", "fault": "hangBefore"});
        assert!(program.control("POST", "inject-fault", &fault).0.contains(" 200 "));
        let mut hanging = TcpStream::connect(&address).unwrap();
        write!(hanging, "POST /sequencestore/1234567890/readsets HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
        let kill = Command::new("kill").args(["-s", signal, &program.child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        assert_eq!(program.child.wait().unwrap().code(), Some(0), "SIG{signal}");
        let mut rest = String::new();
        program.out.read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "");
        assert!(TcpStream::connect(&address).is_err());
    }
}

fn guide() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/guide/testing.md")).unwrap()
}

/// The requests of the test in the guide; `tests/interop/run` runs the test itself with pytest.
#[tokio::test]
async fn the_requests_of_the_test_in_the_guide_work() {
    let program = Program::start(&["--control"]);
    let control = |method: &str, name: &str, body: Value| {
        let (status, body) = program.control(method, name, &body);
        assert!(status.contains(" 200 "), "{status} {body}");
        body
    };
    control("POST", "reset", json!({}));
    let read_set = json!({"id": "5555555555", "status": "ARCHIVED", "fileType": "CRAM"});
    control("POST", "seed", json!({"stores": [{"id": "1234567890", "readSets": [read_set]}]}));
    control("POST", "inject-fault", json!({"operation": "StartReadSetActivationJob", "fault": "resetAfter"}));
    let call = program.client().start_read_set_activation_job();
    call.sequence_store_id("1234567890").sources(["5555555555"]).client_token("order-4711").send().await.unwrap();
    let count = control("GET", "request-count?operation=StartReadSetActivationJob", Value::Null);
    assert_eq!(count, json!({"count": 2}));
    let jobs = control("GET", "jobs", Value::Null);
    assert_eq!(jobs["jobs"].as_array().unwrap().len(), 1);
    assert_eq!(jobs["jobs"][0]["items"][0]["key"], "5555555555");
}

#[test]
fn the_table_in_the_guide_has_every_control_request() {
    let program = Program::start(&["--control"]);
    let (_, refused) = program.control("GET", "", &Value::Null);
    let (_, list) = refused["message"].as_str().unwrap().split_once("there are ").unwrap();
    let known: BTreeSet<_> = list.split(", ").map(|request| request.replace("/_local/", "")).collect();
    let guide = guide();
    let rows = guide.lines().filter_map(|line| line.strip_prefix("| `"));
    let documented: BTreeSet<_> = rows
        .filter(|row| row.starts_with("GET ") || row.starts_with("POST "))
        .map(|row| row.split_once('`').unwrap().0.to_owned())
        .collect();
    assert_eq!(known, documented);
}

#[test]
fn the_seed_in_the_guide_is_valid() {
    let guide = guide();
    let (_, rest) = guide.split_once("```json\n").expect("the guide has a seed file");
    let seed = File::new("guide.json", rest.split_once("```").unwrap().0);
    drop(Program::start(&["--seed", seed.path()]));
}
