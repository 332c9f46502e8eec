//! Finds the job of a start whose result is not known, by the content of the job instead of its client token.

use std::time::Duration;

use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::list::{List, ListRequest, pages};
use super::read_set::JobFilter;
use crate::error::Error;
use crate::model::SequenceStoreId;
use crate::pagination::Page;
use crate::protocol::operation::Operation;
use crate::runtime::known_jobs::ContentHash;
use crate::runtime::{Call, CallFuture};

/// By how much the clocks of client and service may differ. The service rejects requests whose time is further off.
const MAX_CLOCK_SKEW: time::Duration = time::Duration::minutes(15);
/// The most pages of 100 jobs that are listed.
const MAX_PAGES: usize = 100;
/// How often a job is requested that does not list its items yet.
const MAX_GETS_OF_A_JOB: u32 = 5;
/// The time between these requests.
const GET_INTERVAL: Duration = Duration::from_secs(1);

/// Which jobs have the content of a start: the same items, destination and role.
///
/// The job of another caller that has the same content can't be distinguished from that of the start.
///
/// ```
/// use std::time::SystemTime;
///
/// use healthomics::read_set::Reconciled;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::local::{Fault, LocalService};
/// # let local = LocalService::start().await?;
/// # let client = local.client_builder().max_attempts(1).build()?;
/// # let store = local.create_sequence_store();
/// # local.queue_fault("StartReadSetActivationJob", Fault::ResetAfter);
/// let call = client.start_read_set_activation_job().sequence_store_id(&store);
/// let call = call.sources(["5555555555"]);
/// let first_attempt = SystemTime::now();
/// if let Err(error) = call.clone().send().await
///     && error.may_have_been_applied()
/// {
///     match call.reconcile(first_attempt).await? {
///         Reconciled::Found(started) => println!("job {} was started", started.id),
///         Reconciled::NotFound => println!("no job was started"),
///         Reconciled::Several(jobs) => println!("one of {} jobs, or none", jobs.len()),
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reconciled<T> {
    /// One job has the content of the start.
    Found(T),
    /// No job has it. A request whose connection broke may still arrive: wait for some time before the start is repeated.
    NotFound,
    /// Several jobs have it, or the service does not report the content of one yet. Which of them is the job of the start
    /// is not known.
    Several(Vec<T>),
}

/// A request that starts a job, and how its job is found.
pub(crate) trait StartOperation: Operation<Output: StartOutput> + Clone + 'static {
    /// A page of the list of these jobs.
    type Jobs: List<Filter = JobFilter>;
    /// The request for one of these jobs.
    type Get: Operation;

    fn sequence_store_id(&self) -> &SequenceStoreId;

    /// The texts of the items that a job of this request has.
    fn items(&self) -> Vec<String>;

    /// The id of a job in a list; `None` if the list shows that the job is not that of this request.
    fn candidate(&self, listed: &<Self::Jobs as Page>::Item) -> Option<String>;

    fn get(&self, id: &str) -> Self::Get;

    /// The texts of the items of a job. Empty while the service does not report them.
    fn items_of(job: &<Self::Get as Operation>::Output) -> Vec<String>;

    /// The output of a start, from its job.
    fn output(&self, job: <Self::Get as Operation>::Output) -> Self::Output;
}

/// The output of a start.
pub(crate) trait StartOutput {
    /// The id of the job.
    fn job_id(&self) -> &str;
}

/// Starts a job. If client tokens are not trusted, a start that may have been applied is not repeated before the jobs of
/// the store show that there is none.
pub(crate) fn send<O: StartOperation>(call: Call, operation: O) -> CallFuture<O::Output> {
    if call.trust_client_token {
        return Box::pin(call.send(operation));
    }
    Box::pin(reconcile_and_send(call, operation))
}

/// When the first attempt of a start was sent.
#[derive(Clone, Copy)]
enum FirstAttempt {
    /// By a clock whose time the service had accepted.
    At(OffsetDateTime),
    /// By the clock of the runtime: the time of day may have been wrong.
    Sent(Instant),
}

async fn reconcile_and_send<O: StartOperation>(mut call: Call, operation: O) -> Result<O::Output, Error> {
    let mut first_attempt = call.reconcile_since.map(FirstAttempt::At);
    let mut last_error = None;
    let mut starts = 0;
    loop {
        if let Some(first_attempt) = first_attempt {
            // A request whose connection broke may still arrive.
            tokio::time::sleep(call.reconcile_after()).await;
            match (search(&call, &operation, first_attempt).await, last_error.take()) {
                (Ok(Reconciled::Found(output)), _) => return Ok(output),
                (Ok(Reconciled::NotFound), error) => last_error = error,
                (Ok(Reconciled::Several(jobs)), _) => {
                    let ids: Vec<_> = jobs.iter().map(StartOutput::job_id).collect();
                    return Err(Error::several_jobs(O::NAME, &operation.subject(), operation.client_token(), &ids));
                }
                (Err(error), None) => return Err(error),
                // The start may have been applied: that matters more than why its job can't be searched for.
                (Err(reconcile_error), Some(error)) => {
                    tracing::warn!(error = %reconcile_error.report(), "the job of a start can't be searched for");
                    return Err(error);
                }
            }
        }
        if let Some(error) = last_error.take_if(|_| starts >= call.max_attempts) {
            return Err(error);
        }
        first_attempt.get_or_insert(FirstAttempt::Sent(Instant::now()));
        match call.clone().send(operation.clone()).await {
            Ok(output) => {
                call.known_jobs().claim(output.job_id());
                return Ok(output);
            }
            Err(error) if error.may_have_been_applied() => {
                tracing::debug!(error = %error.report(), "a start may have been applied: its job is searched for");
                last_error = Some(error);
                call.is_client_token_new = false;
            }
            Err(error) => return Err(error),
        }
        starts += 1;
    }
}

/// [`reconcile`], with the time of the first attempt by a clock whose time the service has accepted.
async fn search<O: StartOperation>(
    call: &Call,
    operation: &O,
    first_attempt: FirstAttempt,
) -> Result<Reconciled<O::Output>, Error> {
    let first_attempt = match first_attempt {
        FirstAttempt::At(time) => time,
        FirstAttempt::Sent(instant) => {
            if call.time_of(instant).is_none() {
                // Any request corrects the clock, or confirms it.
                let mut call = call.clone();
                call.rate_limited = true;
                call.send(list_request::<O>(operation, 1, None)).await?;
            }
            call.time_of(instant).unwrap_or(OffsetDateTime::UNIX_EPOCH)
        }
    };
    reconcile(call, operation, first_attempt).await
}

fn list_request<O: StartOperation>(
    operation: &O,
    max_results: i32,
    created_after: Option<OffsetDateTime>,
) -> ListRequest<O::Jobs> {
    ListRequest {
        sequence_store_id: operation.sequence_store_id().clone(),
        max_results: Some(max_results),
        next_token: None,
        filter: created_after.map(|time| JobFilter::new().created_after(time)),
    }
}

/// Searches the jobs that were created since the first attempt of a start for those of its content.
pub(crate) async fn reconcile<O: StartOperation>(
    call: &Call,
    operation: &O,
    first_attempt: OffsetDateTime,
) -> Result<Reconciled<O::Output>, Error> {
    let mut call = call.clone();
    call.rate_limited = true;
    let candidates = candidates(&call, operation, first_attempt).await?;
    let content = content_hash(operation.items());
    let mut jobs = Vec::new();
    let mut is_content_known = true;
    for id in candidates {
        if call.known_jobs().content(&id).is_some_and(|other| other != content) {
            continue;
        }
        let (job, job_content) = get(&call, operation, &id).await?;
        if job_content.is_none() {
            is_content_known = false;
        }
        if job_content.is_none_or(|job_content| job_content == content) {
            jobs.push(operation.output(job));
        }
    }
    // Another start may have found one of them meanwhile.
    jobs.retain(|job| !call.known_jobs().is_claimed(job.job_id()));
    if jobs.len() == 1
        && is_content_known
        && let Some(job) = jobs.pop()
    {
        // Between the check and this, only another thread can claim it.
        if call.known_jobs().claim(job.job_id()) {
            return Ok(Reconciled::Found(job));
        }
        return Ok(Reconciled::NotFound);
    }
    Ok(if jobs.is_empty() { Reconciled::NotFound } else { Reconciled::Several(jobs) })
}

/// The ids of the jobs that may be that of the start, apart from the results of other starts of this client.
async fn candidates<O: StartOperation>(
    call: &Call,
    operation: &O,
    first_attempt: OffsetDateTime,
) -> Result<Vec<String>, Error> {
    let created_after = first_attempt.checked_sub(MAX_CLOCK_SKEW).unwrap_or(first_attempt);
    let mut pages = pages(call.clone(), list_request(operation, 100, Some(created_after)));
    let mut candidates = Vec::new();
    let mut count = 0;
    while let Some(page) = pages.next().await {
        count += 1;
        if count > MAX_PAGES {
            return Err(Error::too_many_jobs(<O::Jobs as List>::NAME, &operation.subject()));
        }
        let ids = page?.into_items();
        let ids = ids.iter().filter_map(|job| operation.candidate(job));
        candidates.extend(ids.filter(|id| !call.known_jobs().is_claimed(id)));
    }
    Ok(candidates)
}

/// A job and its content. There is none if the service does not report the items of the job.
async fn get<O: StartOperation>(
    call: &Call,
    operation: &O,
    id: &str,
) -> Result<(<O::Get as Operation>::Output, Option<ContentHash>), Error> {
    let mut gets = 0;
    loop {
        let job = call.clone().send(operation.get(id)).await?;
        gets += 1;
        let items = O::items_of(&job);
        if !items.is_empty() {
            let content = content_hash(items);
            call.known_jobs().set_content(id, content);
            return Ok((job, Some(content)));
        }
        if gets == MAX_GETS_OF_A_JOB {
            return Ok((job, None));
        }
        tokio::time::sleep(GET_INTERVAL).await;
    }
}

/// Hashes items in any order.
fn content_hash(mut items: Vec<String>) -> ContentHash {
    items.sort_unstable();
    let mut hasher = Sha256::new();
    for item in items {
        hasher.update((item.len() as u64).to_be_bytes());
        hasher.update(item);
    }
    hasher.finalize().into()
}

/// Whether two destinations or roles may be the same. The service may leave them out, and add a slash to a destination.
pub(super) fn may_be_same(requested: &str, reported: Option<&str>) -> bool {
    reported.is_none_or(|reported| reported.trim_end_matches('/') == requested.trim_end_matches('/'))
}
