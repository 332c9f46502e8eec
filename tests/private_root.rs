//! Private root certificates: of private endpoints, and of proxies that inspect TLS.
#![allow(clippy::unwrap_used)]

mod proxy;
mod support;

use std::path::PathBuf;
use std::process::{Command, Output};

use healthomics::error::ConfigurationError;
use healthomics::local::LocalService;
use healthomics::{Client, ClientBuilder, Error};
use proxy::{Proxy, Root};

struct Setup {
    local: LocalService,
    proxy: Proxy,
    root: Root,
}

async fn setup() -> Setup {
    let local = LocalService::start().await.unwrap();
    let root = Root::new();
    let proxy = Proxy::start(local.address().unwrap(), Some(&root)).await;
    Setup { local, proxy, root }
}

impl Setup {
    fn builder(&self) -> ClientBuilder {
        self.local.client_builder().endpoint_url(self.proxy.url())
    }
}

async fn start(client: &Client) -> Result<(), Error> {
    let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5000000001"]);
    match call.send().await {
        // There is no such store: this response shows that the request has arrived.
        Err(Error::ResourceNotFoundException(_)) => Ok(()),
        Err(error) => Err(error),
        Ok(job) => panic!("{job:?}"),
    }
}

#[tokio::test]
async fn an_untrusted_certificate_ends_the_call_at_once() {
    let setup = setup().await;
    let other = Root::new().pem;
    for builder in [setup.builder(), setup.builder().only_root_certificates(&other)] {
        let error = start(&builder.build().unwrap()).await.unwrap_err();
        assert!(matches!(error, Error::Transport(_)), "{error}");
        assert_eq!(
            error.to_string(),
            format!(
                "StartReadSetActivationJob (store 1234567890): no connection to {}: its certificate is not trusted, see \
                 add_root_certificates() [1 attempt]",
                setup.proxy.url().trim_start_matches("https://").trim_end_matches('/')
            )
        );
        assert!(!error.is_retryable() && !error.may_have_been_applied());
    }
    assert!(setup.local.requests().is_empty());
}

#[tokio::test]
async fn the_error_for_a_port_without_tls_says_so() {
    let setup = setup().await;
    let plain = format!("https://{}", setup.local.address().unwrap());
    let client = setup.builder().endpoint_url(&plain).max_attempts(1).build().unwrap();
    let error = start(&client).await.unwrap_err().to_string();
    let host = plain.trim_start_matches("https://");
    assert!(error.contains(&format!("no connection to {host}: it does not speak TLS, is its URL http://?")), "{error}");
}

#[tokio::test]
async fn a_private_root_is_trusted_in_addition_to_those_of_the_system_or_instead_of_them() {
    let setup = setup().await;
    let (pem, other) = (setup.root.pem.clone(), Root::new().pem);
    let bundle = format!("# ours\n{other}\n\n# and the other\n{pem}");
    for (builder, trusted) in [
        (setup.builder().add_root_certificates(&pem), true),
        (setup.builder().add_root_certificates(&other).add_root_certificates(&pem), true),
        (setup.builder().add_root_certificates(&bundle), true),
        (setup.builder().only_root_certificates(&pem), true),
        (setup.builder().only_root_certificates(&bundle), true),
        (setup.builder().only_root_certificates(&other).add_root_certificates(&pem), true),
        (setup.builder().add_root_certificates(&pem).only_root_certificates(&other), false),
    ] {
        let client = builder.build().unwrap();
        assert_eq!(start(&client).await.is_ok(), trusted);
    }
    let by_name = setup.builder().endpoint_url(setup.proxy.url_by_name()).add_root_certificates(&pem).build().unwrap();
    start(&by_name).await.unwrap();
    // Calls with a connect timeout of their own trust the same roots.
    let call = by_name.get_read_set_metadata().sequence_store_id("1234567890").id("1234567890");
    let error = call.connect_timeout(std::time::Duration::from_secs(2)).send().await.unwrap_err();
    assert!(matches!(error, Error::ResourceNotFoundException(_)), "{error}");
}

#[tokio::test]
async fn an_invalid_certificate_is_an_error_when_the_client_is_built() {
    let setup = setup().await;
    let pem = &setup.root.pem;
    let truncated: String = pem.lines().filter(|line| !line.starts_with("-----END")).collect::<Vec<_>>().join("\n");
    let malformed = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for (bytes, reason) in [
        (String::new(), "there is no certificate in PEM form"),
        ("hello".to_owned(), "there is no certificate in PEM form"),
        (key.to_owned(), "there is no certificate in PEM form"),
        (truncated, "certificate 1 is malformed"),
        (malformed.to_owned(), "certificate 1 is malformed"),
        (format!("{pem}{malformed}"), "certificate 2 is malformed"),
    ] {
        let plain = || setup.local.client_builder();
        for (builder, setting) in [
            (setup.builder().add_root_certificates(&bytes), "add_root_certificates()"),
            (setup.builder().only_root_certificates(&bytes), "only_root_certificates()"),
            (plain().add_root_certificates(&bytes), "add_root_certificates()"),
        ] {
            let error = builder.build().unwrap_err();
            assert_eq!(error.to_string(), format!("{setting}: {reason}"));
            let Error::Configuration(error) = error else { panic!("{error}") };
            assert!(matches!(*error, ConfigurationError::InvalidRootCertificates { .. }), "{error}");
        }
    }
    // DER is given by mistake instead of PEM.
    assert!(setup.builder().add_root_certificates([0x30, 0x82, 0xff, 0x00]).build().is_err());
}

/// Runs the quickstart in a process with an environment of its own, in which a variable names root certificates.
fn example(setup: &Setup, endpoint: &str, variable: &str, bundle: &str) -> Output {
    let inherited =
        std::env::vars().filter(|(name, _)| !name.starts_with("AWS_") && !name.to_lowercase().contains("proxy"));
    Command::new(support::example("quickstart"))
        .args(["--store", "1234567890", "--role", "arn:aws:iam::123456789012:role/Omics"])
        .args(["--destination", "s3://my-bucket/", "--endpoint", endpoint])
        .env_clear()
        .envs(inherited)
        .env("AWS_REGION", setup.local.region())
        .env("AWS_ACCESS_KEY_ID", LocalService::ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", LocalService::SECRET_ACCESS_KEY)
        .env(variable, bundle)
        .output()
        .unwrap()
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("healthomics-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bundle_of_the_environment_is_trusted() {
    let setup = setup().await;
    let folder = folder("bundle");
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let (good, bad, missing) = (path("good.pem"), path("bad.pem"), path("missing.pem"));
    std::fs::write(&good, &setup.root.pem).unwrap();
    std::fs::write(&bad, "hello").unwrap();
    let (https, http) = (setup.proxy.url(), setup.local.endpoint_url());
    let arrived = "ResourceNotFoundException (404)".to_owned();
    for (endpoint, bundle, message) in [
        (&https, &good, arrived.clone()),
        (&https, &bad, "AWS_CA_BUNDLE: there is no certificate in PEM form".to_owned()),
        (&https, &missing, format!("AWS_CA_BUNDLE: {missing} can't be read")),
        (&https, &String::new(), "its certificate is not trusted".to_owned()),
        // It is not read without TLS.
        (&http, &missing, arrived),
    ] {
        let output = example(&setup, endpoint, "AWS_CA_BUNDLE", bundle);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(&message), "{endpoint} {bundle}: {text}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

/// The variable `SSL_CERT_FILE` names the root certificates of the system on Linux.
#[cfg(all(target_os = "linux", not(feature = "native-tls")))]
#[tokio::test(flavor = "multi_thread")]
async fn the_roots_of_the_system_are_read_by_the_first_connection_unless_roots_are_compiled_in() {
    let setup = setup().await;
    let folder = folder("system-roots");
    let (good, empty) = (folder.join("good.pem"), folder.join("empty.pem"));
    std::fs::write(&good, &setup.root.pem).unwrap();
    std::fs::write(&empty, "").unwrap();
    let untrusted = "its certificate is not trusted, see add_root_certificates() [1 attempt]";
    let arrived = if cfg!(feature = "webpki-roots") { untrusted } else { "ResourceNotFoundException (404)" };
    for (roots, message) in [(&good, arrived), (&empty, untrusted)] {
        let output = example(&setup, &setup.proxy.url(), "SSL_CERT_FILE", roots.to_str().unwrap());
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(text.contains(message), "{}: {text}", roots.display());
    }
    std::fs::remove_dir_all(folder).unwrap();
}
