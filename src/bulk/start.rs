//! How each kind of jobs is started, and what it tells of its items.

use super::journal::ItemResult;
use super::{BulkKind, Group, Plan};
use crate::job::{Activation, Export, Import, Job, JobItem as _, JobKind, JobState};
use crate::model::{ItemStatus, JobStatus, ReadSetId, S3Destination};
use crate::{CallFuture, Client};

/// A kind of jobs that a plan can start.
///
/// ```
/// use healthomics::Client;
/// use healthomics::bulk::{BulkError, BulkStart, Plan};
///
/// async fn all_finished<K: BulkStart>(client: &Client, plan: Plan<K>) -> Result<bool, BulkError> {
///     let report = client.bulk_run(plan).run().await?;
///     Ok(report.finished_count() == report.plan().item_count())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::bulk::Planner;
/// # let local = healthomics::local::LocalService::start().await?;
///
/// let nothing = Planner::activation("run-7".into(), "1234567890".into()).plan([""; 0])?;
/// assert!(all_finished(&local.client()?, nothing).await?);
/// # Ok(()) }
/// ```
pub trait BulkStart: BulkKind {
    #[doc(hidden)]
    fn start(client: &Client, plan: &Plan<Self>, group: &Group<'_, Self>) -> CallFuture<Job<Self>>;

    /// What an item became, for kinds that make something new of it.
    #[doc(hidden)]
    fn made(told: &<<Self as JobKind>::State as JobState>::Item) -> Option<&ReadSetId>;

    /// Whether a job tells of this very item.
    #[doc(hidden)]
    fn tells_of(told: &<<Self as JobKind>::State as JobState>::Item, item: &Self::Item) -> bool;
}

macro_rules! start {
    (
        $Kind:ty, $start:ident $(, $member:ident = $value:expr)*;
        made $made:expr; tells_of $tells_of:expr
    ) => {
        impl BulkStart for $Kind {
            fn start(client: &Client, plan: &Plan<Self>, group: &Group<'_, Self>) -> CallFuture<Job<Self>> {
                let call = client.$start().sequence_store_id(plan.sequence_store_id());
                let call = call.sources(group.items().iter().cloned()).client_token(group.client_token());
                $(let call = { let value: fn(&Plan<Self>) -> &str = $value; call.$member(value(plan)) };)*
                let (send, client) = (call.rate_limited(None).send(), client.clone());
                Box::pin(async move { Ok(client.job(&send.await?)) })
            }

            fn made(told: &<<Self as JobKind>::State as JobState>::Item) -> Option<&ReadSetId> {
                let made: fn(&<<Self as JobKind>::State as JobState>::Item) -> Option<&ReadSetId> = $made;
                made(told)
            }

            fn tells_of(told: &<<Self as JobKind>::State as JobState>::Item, item: &Self::Item) -> bool {
                let tells_of: fn(&<<Self as JobKind>::State as JobState>::Item, &Self::Item) -> bool = $tells_of;
                tells_of(told, item)
            }
        }
    };
}

start! {
    Export, start_read_set_export_job,
    role_arn = |plan| plan.role_arn().map_or("", |role| role.as_str()),
    destination = |plan| plan.destination().map_or("", S3Destination::as_str);
    made |_| None; tells_of |told, item| told.id == *item
}
start! {
    Import, start_read_set_import_job,
    role_arn = |plan| plan.role_arn().map_or("", |role| role.as_str());
    made |told| told.read_set_id.as_ref(); tells_of |told, item| told.source_files == item.source_files
}
start! {
    Activation, start_read_set_activation_job;
    made |_| None; tells_of |told, item| told.read_set_id == *item
}

/// The result of each item of a group. The service keeps their order; where it does not, they are looked for.
///
/// A job that is completed has finished all of its items, also those that the response leaves out. Of any other job,
/// such an item has no status. `owns_job` is whether the job is this group's alone.
pub(super) fn item_results<K: BulkStart>(group: &Group<'_, K>, job: &K::State, owns_job: bool) -> Vec<ItemResult> {
    let told = job.items();
    let completed = owns_job && *job.status() == JobStatus::Completed;
    let asked = group.positions().zip(group.items()).enumerate();
    asked
        .map(|(index, (position, item))| {
            let in_order = told.get(index).filter(|told| K::tells_of(told, item));
            match in_order.or_else(|| told.iter().find(|told| K::tells_of(told, item))) {
                Some(told) => {
                    let failed = *told.status() != ItemStatus::Finished;
                    ItemResult {
                        position,
                        status: Some(told.status().clone()),
                        read_set_id: K::made(told).cloned(),
                        reason: failed.then(|| told.reason().to_owned()),
                    }
                }
                None => ItemResult {
                    position,
                    status: completed.then_some(ItemStatus::Finished),
                    read_set_id: None,
                    reason: (!completed).then(|| "the job has ended, and does not list the item".to_owned()),
                },
            }
        })
        .collect()
}
