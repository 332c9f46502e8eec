//! The account or local service that a program works with.

use std::time::Duration;

use clap::Args;
use healthomics::local::{LocalService, Pace};
use healthomics::{Client, ClientBuilder, SequenceStoreId};

use super::exit::Failure;

/// Where credentials and region come from, for `--help`.
pub const CREDENTIALS: &str = "\
Credentials and region come from the environment: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL_OMICS.
A program that is built with --features aws-config uses the default chain of
AWS: these variables, AWS_PROFILE, profiles, SSO, web identity, containers and
instances.";

#[derive(Args, Debug)]
#[command(next_help_heading = "Account")]
pub struct AccountOptions {
    /// The sequence store: 10 to 36 digits. Without it, the program shows what it does on an embedded local service.
    #[arg(long, value_name = "ID", conflicts_with = "local")]
    pub store: Option<String>,
    /// Shows what the program does on an embedded local service. This is the default without --store.
    #[arg(long)]
    local: bool,
    /// The profile in ~/.aws/config, also one of SSO after `aws sso login`. Its credentials are used before those of the
    /// environment. It needs a program that is built with --features aws-config.
    #[arg(long, value_name = "NAME", requires = "store")]
    profile: Option<String>,
    /// The region, such as us-east-1, instead of the one of environment or profile.
    #[arg(long, requires = "store")]
    region: Option<String>,
    /// The endpoint URL, http:// or https://, instead of the endpoint of the region.
    #[arg(long, value_name = "URL", visible_alias = "endpoint", requires = "store")]
    endpoint_url: Option<String>,
    /// The largest number of requests a second of each operation. With n workers, give each of them 5 / n.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_second: u32,
    /// Does not rely on client tokens: a start that may have been applied is searched for among the jobs of the store
    /// before it is repeated.
    #[arg(long)]
    distrust_client_tokens: bool,
    /// The time between such a start and the search, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 30_000)]
    reconcile_after_ms: u64,
}

impl AccountOptions {
    /// The store, or an embedded service with an empty one.
    pub async fn store(&self) -> Result<Store, Failure> {
        if let Some(id) = &self.store {
            return Ok(Store { id: id.as_str().into(), local: None });
        }
        eprintln!("without --store: a demonstration on an embedded local service; --help explains everything");
        let local = LocalService::builder().pace(Pace::Time(Duration::from_millis(300))).start().await?;
        Ok(Store { id: local.create_sequence_store(), local: Some(local) })
    }

    async fn client(&self) -> Result<Client, Failure> {
        let mut builder = self.configuration().await?;
        if let Some(region) = &self.region {
            builder = builder.region(region);
        }
        if let Some(url) = &self.endpoint_url {
            builder = builder.endpoint_url(url);
        }
        builder = builder.trust_client_token(!self.distrust_client_tokens);
        builder = builder.reconcile_after(Duration::from_millis(self.reconcile_after_ms));
        Ok(builder.requests_per_second(self.requests_per_second).build()?)
    }

    #[cfg(feature = "aws-config")]
    async fn configuration(&self) -> Result<ClientBuilder, Failure> {
        let builder = match &self.profile {
            Some(profile) => ClientBuilder::from_profile(profile).await?,
            None => ClientBuilder::from_default_chain().await?,
        };
        Ok(builder)
    }

    #[cfg(not(feature = "aws-config"))]
    #[allow(clippy::unused_async, reason = "it is async with the feature")]
    async fn configuration(&self) -> Result<ClientBuilder, Failure> {
        let without = "this program is built without the feature aws-config: build it with --features aws-config, or set \
                       AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
        if let Some(profile) = &self.profile {
            return Err(Failure::new(format!("--profile {profile}: {without}")));
        }
        let has_keys = std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|value| !value.is_empty());
        if let Some(profile) = std::env::var_os("AWS_PROFILE").filter(|value| !value.is_empty() && !has_keys) {
            return Err(Failure::new(format!("AWS_PROFILE={}: {without}", profile.display())));
        }
        Ok(ClientBuilder::from_env()?)
    }
}

/// A sequence store, and the embedded service that has it, if there is one. The service stops when this is dropped.
pub struct Store {
    pub id: SequenceStoreId,
    pub local: Option<LocalService>,
}

impl Store {
    pub async fn client(&self, options: &AccountOptions) -> Result<Client, Failure> {
        match &self.local {
            Some(local) => Ok(local.client()?),
            None => options.client().await,
        }
    }
}
