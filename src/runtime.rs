//! What a client holds, and the one loop that every call goes through.

pub(crate) mod attempt;
pub(crate) mod call;
pub(crate) mod clock;
pub(crate) mod credentials;
pub(crate) mod known_jobs;
pub(crate) mod lambda;
pub(crate) mod rate_limiter;
pub(crate) mod retry;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use tokio::sync::Semaphore;

pub(crate) use self::call::Call;
pub use self::call::CallFuture;
use self::clock::Clock;
use self::credentials::CredentialsCache;
use self::known_jobs::KnownJobs;
use self::lambda::Lambda;
use self::rate_limiter::RateLimiter;
use self::retry::{Quota, RetryPolicy};
use crate::http::HttpClient;
use crate::protocol::endpoint::Endpoint;

/// What a client holds. Its clones and its calls share it.
pub(crate) struct Runtime {
    pub(crate) region: String,
    pub(crate) endpoint: Endpoint,
    pub(crate) http_client: Arc<dyn HttpClient>,
    pub(crate) credentials: CredentialsCache,
    pub(crate) clock: Clock,
    pub(crate) retry: RetryPolicy,
    pub(crate) quota: Quota,
    pub(crate) rate_limiter: RateLimiter,
    /// Between the first polls of a job, if they are to be closer together than usual.
    pub(crate) initial_poll_interval: Option<Duration>,
    /// One permit for each request that may be in flight; `None` is no limit.
    pub(crate) connection_permits: Option<Semaphore>,
    pub(crate) timeouts: Timeouts,
    pub(crate) max_response_size: usize,
    pub(crate) user_agent: HeaderValue,
    pub(crate) parameter_validation: bool,
    pub(crate) trust_client_token: bool,
    pub(crate) reconcile_after: Duration,
    pub(crate) known_jobs: KnownJobs,
    pub(crate) lambda: Lambda,
}

impl fmt::Debug for Runtime {
    /// A client, without the credentials provider, which may show its secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("region", &self.region)
            .field("endpoint", &self.endpoint)
            .field("timeouts", &self.timeouts)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// How long parts of a call may take; `None` is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Timeouts {
    pub(crate) connect: Option<Duration>,
    pub(crate) read: Option<Duration>,
    pub(crate) attempt: Option<Duration>,
    pub(crate) operation: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Some(Duration::from_millis(3_100)),
            read: Some(Duration::from_secs(30)),
            attempt: Some(Duration::from_mins(1)),
            // Three attempts and the backoff between them.
            operation: Some(Duration::from_mins(4)),
        }
    }
}
