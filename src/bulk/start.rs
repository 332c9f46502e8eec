//! How a job of each kind is started, and how the results of its items are read.

use time::OffsetDateTime;

use super::journal::ItemResult;
use super::{BulkKind, Group, Plan};
use crate::job::{Activation, Export, Import, Job, JobItem as _, JobKind, JobState};
use crate::model::{ClientToken, ItemStatus, JobStatus, ReadSetId, S3Destination};
use crate::{CallFuture, Client};

/// A kind of jobs that a plan can start.
///
/// ```
/// use healthomics::bulk::Planner;
/// use healthomics::Client;
/// use healthomics::bulk::{BulkError, BulkStart, Plan};
///
/// async fn all_finished<K: BulkStart>(
///     client: &Client,
///     plan: Plan<K>,
/// ) -> Result<bool, BulkError> {
///     let report = client.bulk_run(plan).run().await?;
///     Ok(report.finished_count() == report.plan().item_count())
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
///
/// let nothing = Planner::activation("run-7".into(), "1234567890".into()).plan([""; 0])?;
/// assert!(all_finished(&local.client()?, nothing).await?);
/// # Ok(()) }
/// ```
pub trait BulkStart: BulkKind {
    /// Starts a job of these items.
    #[doc(hidden)]
    fn start(
        client: &Client,
        plan: &Plan<Self>,
        items: Vec<Self::Item>,
        token: ClientToken,
        reconciling: Reconciling,
    ) -> CallFuture<Job<Self>>;

    /// The plan of the activations before the jobs; `None` if there are none.
    #[doc(hidden)]
    fn activation_plan(_plan: &Plan<Self>) -> Option<Plan<Activation>> {
        None
    }

    /// The read set that the job made of an item; `None` for kinds that make none.
    #[doc(hidden)]
    fn created_read_set(detail: &<<Self as JobKind>::State as JobState>::Item) -> Option<&ReadSetId>;

    /// Whether an item of a job is this item of the plan.
    #[doc(hidden)]
    fn is_same_item(detail: &<<Self as JobKind>::State as JobState>::Item, item: &Self::Item) -> bool;
}

/// What is done about an earlier start whose result is not known.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
#[allow(unnameable_types, missing_docs, reason = "an argument of a hidden method")]
pub struct Reconciling {
    /// Whether the client token makes the service return the job of that start.
    pub trust_client_token: bool,
    /// When that start was sent, if its job is to be found before another start is sent.
    pub since: Option<OffsetDateTime>,
}

macro_rules! start {
    (
        $Kind:ty, $start:ident $(, $field:ident = $value:expr)*;
        created_read_set $created_read_set:expr; is_same_item $is_same_item:expr
        $(; activation_plan $activation_plan:expr)?
    ) => {
        impl BulkStart for $Kind {
            fn start(
                client: &Client,
                plan: &Plan<Self>,
                items: Vec<Self::Item>,
                token: ClientToken,
                reconciling: Reconciling,
            ) -> CallFuture<Job<Self>> {
                let call = client.$start().sequence_store_id(plan.sequence_store_id());
                let call = call.sources(items).client_token(token);
                $(let call = { let value: fn(&Plan<Self>) -> &str = $value; call.$field(value(plan)) };)*
                let call = call.reconciling(reconciling.trust_client_token, reconciling.since).rate_limited(None);
                let client = client.clone();
                Box::pin(async move { Ok(client.job(&call.send().await?)) })
            }

            fn created_read_set(detail: &<<Self as JobKind>::State as JobState>::Item) -> Option<&ReadSetId> {
                let created_read_set: fn(&<<Self as JobKind>::State as JobState>::Item) -> Option<&ReadSetId> = $created_read_set;
                created_read_set(detail)
            }

            fn is_same_item(detail: &<<Self as JobKind>::State as JobState>::Item, item: &Self::Item) -> bool {
                let is_same_item: fn(&<<Self as JobKind>::State as JobState>::Item, &Self::Item) -> bool = $is_same_item;
                is_same_item(detail, item)
            }

            $(
                fn activation_plan(plan: &Plan<Self>) -> Option<Plan<Activation>> {
                    let activation_plan: fn(&Plan<Self>) -> Option<Plan<Activation>> = $activation_plan;
                    activation_plan(plan)
                }
            )?
        }
    };
}

start! {
    Export, start_read_set_export_job,
    role_arn = |plan| plan.role_arn().map_or("", |role| role.as_str()),
    destination = |plan| plan.destination().map_or("", S3Destination::as_str);
    created_read_set |_| None; is_same_item |detail, item| detail.id == *item;
    activation_plan |plan| plan.activation_plan()
}
start! {
    Import, start_read_set_import_job,
    role_arn = |plan| plan.role_arn().map_or("", |role| role.as_str());
    created_read_set |detail| detail.read_set_id.as_ref();
    is_same_item |detail, item| detail.source_files == item.source_files
}
start! {
    Activation, start_read_set_activation_job;
    created_read_set |_| None; is_same_item |detail, item| detail.read_set_id == *item
}

/// The result of each item of a group. The service usually lists items in the order of the start; otherwise each item
/// is searched for.
///
/// A completed job has finished all of its items, even those that the response leaves out. In any other job, such an
/// item has no status. `is_sole` is whether no other group was given the job. `excluded` are the results of items that
/// are not in the job.
pub(super) fn item_results<K: BulkStart>(
    group: &Group<'_, K>,
    excluded: &[ItemResult],
    job: &K::State,
    is_sole: bool,
) -> Vec<ItemResult> {
    let details = job.items();
    let is_completed = is_sole && *job.status() == JobStatus::Completed;
    let items = group.positions().zip(group.items()).enumerate();
    items
        .map(|(index, (position, item))| {
            if let Some(excluded) = excluded.iter().find(|excluded| excluded.position == position) {
                return excluded.clone();
            }
            let in_order = details.get(index).filter(|detail| K::is_same_item(detail, item));
            match in_order.or_else(|| details.iter().find(|detail| K::is_same_item(detail, item))) {
                Some(detail) => {
                    let failed = *detail.status() != ItemStatus::Finished;
                    ItemResult {
                        position,
                        status: Some(detail.status().clone()),
                        read_set_id: K::created_read_set(detail).cloned(),
                        reason: failed.then(|| detail.reason().to_owned()),
                        activation: None,
                    }
                }
                None => ItemResult {
                    position,
                    status: is_completed.then_some(ItemStatus::Finished),
                    read_set_id: None,
                    reason: (!is_completed).then(|| "the job has ended, and does not list the item".to_owned()),
                    activation: None,
                },
            }
        })
        .collect()
}
