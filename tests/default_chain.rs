//! Clients from the default chain of AWS: profiles and environment, each in a process of its own.
#![allow(clippy::unwrap_used)]

mod proxy;
mod support;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use healthomics::local::{LocalService, Pace};
use healthomics::{Credentials, SequenceStoreId};
use proxy::{Proxy, Root};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

struct Setup {
    local: LocalService,
    store: SequenceStoreId,
    job: String,
    /// A home directory without the settings of the user.
    home: PathBuf,
}

async fn setup(name: &str) -> Setup {
    // A wait polls at once, then after a second and longer: at the fourth read, credentials that are valid for a second
    // have expired.
    let local = LocalService::builder().pace(Pace::Polls(4)).start().await.unwrap();
    let store = local.create_sequence_store();
    let call = local.client().unwrap().start_read_set_export_job().sequence_store_id(&store).destination("s3://bucket");
    let call = call.role_arn("arn:aws:iam::123456789012:role/OmicsExport").sources(["5000000001"]);
    let job = call.send().await.unwrap().id.to_string();
    local.clear_requests();
    let home = std::env::temp_dir().join(format!("healthomics-{name}-{}", std::process::id()));
    std::fs::create_dir_all(home.join(".aws")).unwrap();
    Setup { local, store, job, home }
}

fn run(setup: &Setup, variables: &[(&str, &str)]) -> Output {
    run_with(setup, variables, &[])
}

fn run_with(setup: &Setup, variables: &[(&str, &str)], more: &[&str]) -> Output {
    let inherited =
        std::env::vars().filter(|(name, _)| !name.starts_with("AWS_") && !name.to_lowercase().contains("proxy"));
    let output = Command::new(support::example("default_chain"))
        .args([setup.store.as_str(), &setup.job])
        .args(more)
        .env_clear()
        .envs(inherited)
        .env("HOME", &setup.home)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    std::fs::remove_dir_all(&setup.home).unwrap();
    output
}

fn assert_found(setup: &Setup, output: &Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("region us-east-1") && out.contains(&format!("export job {} is", setup.job)), "{out}{err}");
    assert_eq!(setup.local.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_used() {
    let setup = setup("environment").await;
    let url = setup.local.endpoint_url();
    let output = run(
        &setup,
        &[
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", LocalService::ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", LocalService::SECRET_ACCESS_KEY),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
            ("AWS_ENDPOINT_URL_OMICS", &url),
        ],
    );
    assert_found(&setup, &output);
}

/// Writes the files of a profile `lab` that calls the service.
fn write_profile(setup: &Setup) {
    let config = format!(
        "[profile lab]\nregion = us-east-1\nservices = here\n\n[services here]\nomics =\n  endpoint_url = {}\n",
        setup.local.endpoint_url()
    );
    std::fs::write(setup.home.join(".aws/config"), config).unwrap();
    let (id, secret) = (LocalService::ACCESS_KEY_ID, LocalService::SECRET_ACCESS_KEY);
    let credentials = format!("[lab]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    std::fs::write(setup.home.join(".aws/credentials"), credentials).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_used() {
    let setup = setup("profile").await;
    write_profile(&setup);
    let output = run(&setup, &[("AWS_PROFILE", "lab")]);
    assert_found(&setup, &output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_root_is_read_from_the_environment_or_a_profile() {
    for by_profile in [false, true] {
        let setup = setup("root").await;
        let root = Root::new();
        let proxy = Proxy::start(setup.local.address().unwrap(), Some(&root)).await;
        let (url, path) = (proxy.url(), setup.home.join("root.pem").to_str().unwrap().to_owned());
        std::fs::write(&path, &root.pem).unwrap();
        let bundle = if by_profile { format!("ca_bundle = {path}\n") } else { String::new() };
        std::fs::write(setup.home.join(".aws/config"), format!("[default]\nregion = us-east-1\n{bundle}")).unwrap();
        let mut variables = vec![
            ("AWS_ACCESS_KEY_ID", LocalService::ACCESS_KEY_ID),
            ("AWS_SECRET_ACCESS_KEY", LocalService::SECRET_ACCESS_KEY),
            ("AWS_ENDPOINT_URL_OMICS", &url),
        ];
        if !by_profile {
            variables.push(("AWS_CA_BUNDLE", &path));
        }
        let output = run(&setup, &variables);
        assert_found(&setup, &output);
    }
}

/// Responds to every request with session credentials, as the credentials endpoint of a container does.
async fn credentials_endpoint() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let body = r#"{"AccessKeyId":"ASIASESSION","SecretAccessKey":"secret","Token":"token","Expiration":"2099-01-01T00:00:00Z"}"#;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 1 << 16];
            while stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length";
                stream.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
            }
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_endpoints_are_trusted_by_a_private_root_too() {
    let setup = setup("credentials").await;
    let session = Credentials::new("ASIASESSION", "secret", Some("token".to_owned()), None, "test");
    setup.local.accept_credentials(session);
    let root = Root::new();
    let proxy = Proxy::start(setup.local.address().unwrap(), Some(&root)).await;
    let keys = Proxy::start(credentials_endpoint().await, Some(&root)).await;
    let (url, path) = (proxy.url(), setup.home.join("root.pem").to_str().unwrap().to_owned());
    std::fs::write(&path, &root.pem).unwrap();
    let output = run(
        &setup,
        &[
            ("AWS_REGION", "us-east-1"),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &keys.url()),
            ("AWS_ENDPOINT_URL_OMICS", &url),
            ("AWS_CA_BUNDLE", &path),
        ],
    );
    assert_found(&setup, &output);
}

/// Returns credentials that expire in a second, then fails `failures` times, then returns credentials that are valid
/// for years.
async fn failing_credentials_endpoint(failures: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut requests = 0;
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 1 << 16];
            if stream.read(&mut request).await.is_err() {
                continue;
            }
            requests += 1;
            let soon = OffsetDateTime::now_utc() + Duration::from_secs(1);
            let expiration = if requests == 1 { soon } else { datetime!(2099-01-01 0:00 UTC) };
            let expiration = expiration.format(&Rfc3339).unwrap();
            let keys = r#""AccessKeyId":"ASIASESSION","SecretAccessKey":"secret","Token":"token""#;
            let (status, body) = match requests {
                2.. if requests <= 1 + failures => ("503 Service Unavailable", String::new()),
                _ => ("200 OK", format!(r#"{{{keys},"Expiration":"{expiration}"}}"#)),
            };
            let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: application/json");
            let response = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            stream.write_all(response.as_bytes()).await.unwrap();
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_continues_when_a_credentials_endpoint_fails_during_a_renewal() {
    let setup = setup("renewal").await;
    setup.local.accept_credentials(Credentials::new("ASIASESSION", "secret", Some("token".to_owned()), None, "test"));
    let keys = format!("http://{}", failing_credentials_endpoint(20).await);
    let url = setup.local.endpoint_url();
    let output = run_with(
        &setup,
        &[("AWS_REGION", "us-east-1"), ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &keys), ("AWS_ENDPOINT_URL_OMICS", &url)],
        &["--wait"],
    );
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.contains(&format!("export job {} has ended", setup.job)), "{out}{err}");
    assert!(out.contains("retrying since") && out.contains("the credentials provider failed"), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread")]
async fn root_certificates_that_cannot_be_read_are_an_error() {
    let setup = setup("no-root").await;
    let output = run(&setup, &[("AWS_REGION", "us-east-1"), ("AWS_CA_BUNDLE", "/nowhere/roots.pem")]);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("error: AWS_CA_BUNDLE: /nowhere/roots.pem can't be read"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_error_names_a_profile_that_does_not_exist() {
    let setup = setup("typo").await;
    std::fs::write(setup.home.join(".aws/config"), "[profile right]\nregion = us-east-1\n").unwrap();
    let variables = [("AWS_PROFILE", "typo"), ("AWS_REGION", "us-east-1")];
    let output = run(&setup, &variables);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success()
            && error.contains("the profile \"typo\" is in neither")
            && error.contains("AWS_PROFILE"),
        "{error}"
    );
}

/// As with the AWS CLI, a profile that is given by hand comes before the keys in the environment.
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_that_is_given_comes_before_the_keys_of_the_environment() {
    let setup = setup("given-profile").await;
    write_profile(&setup);
    let report = |profile: &str| {
        let mut command = support::command("report");
        command.env_remove("AWS_REGION").env("HOME", &setup.home).env("AWS_ACCESS_KEY_ID", "OTHER");
        command.args(["--store", setup.store.as_str(), "--profile", profile]).output().unwrap()
    };
    let output = report("lab");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.contains("0 rows"), "{error}");
    assert_eq!(setup.local.requests().len(), 1);

    let output = report("typo");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && error.contains("the profile \"typo\" is in neither"), "{error}");
    std::fs::remove_dir_all(&setup.home).unwrap();
}

/// A profile without credentials of its own is used with those of the environment.
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_without_credentials_is_used_with_those_of_the_environment() {
    let setup = setup("region-profile").await;
    std::fs::write(setup.home.join(".aws/config"), "[profile lab]\nregion = us-east-1\n").unwrap();
    let mut command = support::command("report");
    command.env_remove("AWS_REGION").env("HOME", &setup.home);
    command.args(["--store", setup.store.as_str(), "--profile", "lab", "--endpoint-url", &setup.local.endpoint_url()]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::remove_dir_all(&setup.home).unwrap();
}
