//! Calls with the official SDK, configured as in its documentation.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use aws_sdk_omics::Client;
use aws_sdk_omics::client::Waiters as _;
use aws_sdk_omics::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_omics::types::ExportReadSet;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns};
use harness::{DESTINATION, KEY, REGION, ROLE, SECRET, STORE, Subject, Work, sources};

/// Resolves the host with the prefix `control-storage-`, which the SDK puts before any host.
#[derive(Clone, Debug)]
struct AllIsLoopback;

impl ResolveDns for AllIsLoopback {
    fn resolve_dns<'a>(&'a self, _name: &'a str) -> DnsFuture<'a> {
        DnsFuture::ready(Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST)]))
    }
}

#[derive(Clone)]
struct Sdk(Client);

impl Subject for Sdk {
    /// From an `SdkConfig` without profiles, so that the settings of this machine have no effect.
    fn new(endpoint: &str) -> Self {
        // Its default HTTP client with another resolver.
        let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
        let builder = aws_sdk_omics::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(KEY, SECRET, None, None, "versus"))
            .http_client(http.build_with_resolver(AllIsLoopback))
            .endpoint_url(endpoint.replace("127.0.0.1", "localhost"));
        Self(Client::from_conf(builder.build()))
    }

    fn start(&self) -> Work {
        let sources = sources().map(|id| ExportReadSet::builder().read_set_id(id).build().expect("it has an id"));
        let call = self.0.start_read_set_export_job().sequence_store_id(STORE).destination(DESTINATION);
        let call = call.role_arn(ROLE).set_sources(Some(sources.collect())).send();
        Box::pin(async move { assert_eq!(call.await.expect("it starts").id().len(), 10) })
    }

    fn get(&self, job: &'static str) -> Work {
        let call = self.0.get_read_set_export_job().sequence_store_id(STORE).id(job).send();
        Box::pin(async move { assert_eq!(call.await.expect("it is there").read_sets().len(), 100) })
    }

    fn wait(&self, job: &'static str) -> Option<Work> {
        let waiter = self.0.wait_until_read_set_export_job_completed().sequence_store_id(STORE).id(job);
        let wait = waiter.wait(Duration::from_secs(86_400));
        Some(Box::pin(async move { drop(wait.await.expect("it ends")) }))
    }
}

fn main() {
    #[cfg(feature = "chain")]
    if std::env::args().len() == 1 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let config = runtime.block_on(aws_config::load_defaults(BehaviorVersion::latest()));
        println!("{:?}", Client::new(&config));
        return;
    }
    harness::run::<Sdk>();
}
