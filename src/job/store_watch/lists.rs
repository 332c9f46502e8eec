//! Lists of the jobs of a store, which cost one request for a hundred jobs.

use std::collections::BTreeSet;
use std::task::{Context, Poll};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::job::kind::JobKind;
use crate::job::schedule::MAX_SERVER_DELAY;
use crate::job::timer::deadline_after;
use crate::model::SequenceStoreId;
use crate::model::time::can_be_written;
use crate::{CallFuture, Client, Error};

/// Lists filter for jobs that were created this long before the oldest one: AWS does not document whether the filter
/// includes the time itself.
const CREATED_AFTER_MARGIN: time::Duration = time::Duration::SECOND;
/// After so many consecutive failures of lists, each job is polled instead.
const MAX_FAILURES: u32 = 3;
/// How long no list is requested after that.
const BACKOFF: Duration = Duration::from_mins(1);

/// What lists report of some jobs.
pub(super) struct Listing<K: JobKind> {
    /// Id, creation time, and whether the job has ended.
    pub(super) jobs: Vec<(K::Id, Option<OffsetDateTime>, bool)>,
    /// Jobs that are on no page.
    pub(super) missing: BTreeSet<K::Id>,
}

/// The lists of a watch: the one in flight, and what the last ones have shown.
pub(super) struct Lists<K: JobKind> {
    call: Option<CallFuture<Listing<K>>>,
    /// The caller may not list.
    denied: bool,
    consecutive_failures: u32,
    /// Each job is polled, as lists fail.
    replaced: bool,
    /// No list is requested before.
    not_before: Option<Instant>,
}

/// What follows a list that has failed.
pub(super) enum AfterFailure {
    /// Another list in a later round.
    Retry,
    /// A poll of each job.
    PollEach,
}

impl<K: JobKind> Lists<K> {
    pub(super) fn new() -> Self {
        Self { call: None, denied: false, consecutive_failures: 0, replaced: false, not_before: None }
    }

    pub(super) fn is_in_flight(&self) -> bool {
        self.call.is_some()
    }

    /// Whether each job is polled, as lists fail.
    pub(super) fn are_replaced(&self) -> bool {
        self.replaced
    }

    pub(super) fn may_be_requested(&self) -> bool {
        !self.denied && self.not_before.is_none_or(|not_before| Instant::now() >= not_before)
    }

    /// Requests a list of some jobs; `oldest` is when the first of them was created, if that is known of all.
    pub(super) fn request(
        &mut self,
        client: Client,
        store: SequenceStoreId,
        oldest: Option<OffsetDateTime>,
        ids: BTreeSet<K::Id>,
    ) {
        let created_after = oldest.and_then(|oldest| oldest.checked_sub(CREATED_AFTER_MARGIN));
        // A filter can't have any other time.
        let created_after = created_after.filter(|time| can_be_written(*time));
        self.call = Some(Box::pin(list(client, store, created_after, ids)));
    }

    /// The result of the list in flight; pending if there is none.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Listing<K>, Error>> {
        let Some(call) = &mut self.call else { return Poll::Pending };
        let result = call.as_mut().poll(cx);
        if result.is_ready() {
            self.call = None;
        }
        result
    }

    pub(super) fn cancel(&mut self) {
        self.call = None;
    }

    pub(super) fn succeeded(&mut self, store: &SequenceStoreId) {
        if std::mem::take(&mut self.replaced) {
            tracing::info!(%store, "jobs can be listed again");
        }
        self.consecutive_failures = 0;
        self.not_before = None;
    }

    pub(super) fn failed(&mut self, store: &SequenceStoreId, error: &Error) -> AfterFailure {
        self.consecutive_failures = self.consecutive_failures.saturating_add(1);
        if error.is_outage() && self.consecutive_failures < MAX_FAILURES {
            return AfterFailure::Retry;
        }
        // Missing permissions are permanent; any other error may concern this one response.
        self.denied = !error.is_outage() && matches!(error.status(), Some(401 | 403 | 405));
        if self.consecutive_failures >= MAX_FAILURES {
            let server_delay = error.retry_after().unwrap_or_default().min(MAX_SERVER_DELAY);
            self.not_before = Some(deadline_after(server_delay.max(BACKOFF)));
        }
        if !std::mem::replace(&mut self.replaced, true) {
            let error = error.report();
            tracing::warn!(%store, %error, "jobs can't be listed, so each is polled");
        }
        AfterFailure::PollEach
    }
}

/// Requests page after page until each job is found.
async fn list<K: JobKind>(
    client: Client,
    store: SequenceStoreId,
    created_after: Option<OffsetDateTime>,
    mut missing: BTreeSet<K::Id>,
) -> Result<Listing<K>, Error> {
    let mut jobs = Vec::new();
    let mut next_token = None;
    // More pages than jobs would cost more than a poll of each job.
    for _ in 0..missing.len().max(1) {
        let page = K::list(&client, &store, created_after, next_token).await?;
        for listed in page.jobs {
            if missing.remove(&listed.id) {
                jobs.push((listed.id, listed.created, listed.status.is_terminal()));
            }
        }
        next_token = page.next_token;
        if missing.is_empty() || next_token.is_none() {
            break;
        }
    }
    Ok(Listing { jobs, missing })
}
