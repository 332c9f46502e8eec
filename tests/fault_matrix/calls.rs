//! A call of each operation.

use healthomics::local::{LocalService, SeedReadSet};
use healthomics::read_set::{FileType, ImportReadSetSource};
use healthomics::{Client, ClientToken, Error, ReadSetId, SequenceStoreId};
use time::OffsetDateTime;

const ROLE: &str = "arn:aws:iam::123456789012:role/Omics";

macro_rules! operations {
    ($($Name:ident,)+) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Operation {
            $($Name,)+
        }

        impl Operation {
            fn named(name: &str) -> Option<Self> {
                match name {
                    $(stringify!($Name) => Some(Self::$Name),)+
                    _ => None,
                }
            }
        }
    };
}

operations! {
    StartReadSetExportJob,
    StartReadSetImportJob,
    StartReadSetActivationJob,
    GetReadSetExportJob,
    GetReadSetImportJob,
    GetReadSetActivationJob,
    GetReadSetMetadata,
    ListReadSets,
    ListReadSetExportJobs,
    ListReadSetImportJobs,
    ListReadSetActivationJobs,
    BatchDeleteReadSet,
}
use Operation::*;

/// Every operation of the local service.
///
/// # Panics
///
/// If an operation has no call here.
pub fn all() -> Vec<Operation> {
    let named = |name| Operation::named(name).unwrap_or_else(|| panic!("{name} is not in the fault matrix"));
    LocalService::operations().map(named).collect()
}

/// What the service holds before the call.
#[derive(Clone)]
pub struct Target {
    store: SequenceStoreId,
    read_set: ReadSetId,
    job: String,
}

/// The common fields of outputs: of a job or read set, or of the only item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: String,
    pub status: String,
    pub created: Option<OffsetDateTime>,
    pub client_token: Option<ClientToken>,
}

/// Reads them from an output or an item. A macro, as their types have the names of fields in common and no trait.
macro_rules! seen {
    ($output:expr) => {
        Seen {
            id: $output.id.to_string(),
            status: $output.status.to_string(),
            created: $output.creation_time,
            client_token: None,
        }
    };
    ($output:expr, started) => {
        Seen { client_token: Some($output.client_token.clone()), ..seen!($output) }
    };
}

impl Operation {
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    pub fn is_start(self) -> bool {
        matches!(self, StartReadSetExportJob | StartReadSetImportJob | StartReadSetActivationJob)
    }

    /// Whether it changes something at the service.
    pub fn mutates(self) -> bool {
        self.is_start() || self == BatchDeleteReadSet
    }

    /// The name of the list in its response, if there is one.
    pub fn list_key(self) -> Option<&'static str> {
        match self {
            ListReadSets => Some("readSets"),
            ListReadSetExportJobs => Some("exportJobs"),
            ListReadSetImportJobs => Some("importJobs"),
            ListReadSetActivationJobs => Some("activationJobs"),
            _ => None,
        }
    }

    /// Creates a store with what the call is about.
    pub async fn prepare(self, local: &LocalService) -> Target {
        let store = local.create_sequence_store();
        let read_set = local.seed_read_set(&store, SeedReadSet::active(FileType::Cram));
        let mut target = Target { store, read_set, job: String::new() };
        let start = match self {
            GetReadSetExportJob | ListReadSetExportJobs => StartReadSetExportJob,
            GetReadSetImportJob | ListReadSetImportJobs => StartReadSetImportJob,
            GetReadSetActivationJob | ListReadSetActivationJobs => StartReadSetActivationJob,
            _ => return target,
        };
        target.job = Box::pin(start.call(&local.client().unwrap(), &target, None)).await.unwrap().id;
        local.clear_requests();
        target
    }

    pub async fn call(self, client: &Client, at: &Target, token: Option<&ClientToken>) -> Result<Seen, Error> {
        let Target { store, read_set, job } = at;
        match self {
            StartReadSetExportJob => {
                let call = client.start_read_set_export_job().sequence_store_id(store).sources([read_set]);
                let call = call.destination("s3://bucket/").role_arn(ROLE);
                let call = if let Some(token) = token { call.client_token(token) } else { call };
                call.send().await.map(|job| seen!(job, started))
            }
            StartReadSetImportJob => {
                let source = ImportReadSetSource::builder()
                    .source_files("s3://bucket/a.cram")
                    .source_file_type(FileType::Ubam)
                    .subject_id("subject")
                    .sample_id("sample")
                    .build();
                let call = client.start_read_set_import_job().sequence_store_id(store).sources([source]).role_arn(ROLE);
                let call = if let Some(token) = token { call.client_token(token) } else { call };
                call.send().await.map(|job| seen!(job, started))
            }
            StartReadSetActivationJob => {
                let call = client.start_read_set_activation_job().sequence_store_id(store).sources([read_set]);
                let call = if let Some(token) = token { call.client_token(token) } else { call };
                call.send().await.map(|job| seen!(job, started))
            }
            GetReadSetExportJob => {
                let call = client.get_read_set_export_job().sequence_store_id(store).id(job.as_str());
                call.send().await.map(|job| seen!(job))
            }
            GetReadSetImportJob => {
                let call = client.get_read_set_import_job().sequence_store_id(store).id(job.as_str());
                call.send().await.map(|job| seen!(job))
            }
            GetReadSetActivationJob => {
                let call = client.get_read_set_activation_job().sequence_store_id(store).id(job.as_str());
                call.send().await.map(|job| seen!(job))
            }
            GetReadSetMetadata => {
                let call = client.get_read_set_metadata().sequence_store_id(store).id(read_set);
                call.send().await.map(|read_set| seen!(read_set))
            }
            ListReadSets => {
                let list = client.list_read_sets().sequence_store_id(store).send().await?;
                Ok(only(list.read_sets.iter().map(|read_set| seen!(read_set))))
            }
            ListReadSetExportJobs => {
                let list = client.list_read_set_export_jobs().sequence_store_id(store).send().await?;
                Ok(only(list.export_jobs.iter().map(|job| seen!(job))))
            }
            ListReadSetImportJobs => {
                let list = client.list_read_set_import_jobs().sequence_store_id(store).send().await?;
                Ok(only(list.import_jobs.iter().map(|job| seen!(job))))
            }
            ListReadSetActivationJobs => {
                let list = client.list_read_set_activation_jobs().sequence_store_id(store).send().await?;
                Ok(only(list.activation_jobs.iter().map(|job| seen!(job))))
            }
            BatchDeleteReadSet => {
                // One of the read sets does not exist, so that the response has a body.
                let missing = ReadSetId::from("9999999999");
                let call = client.batch_delete_read_set().sequence_store_id(store).ids([read_set, &missing]);
                drop(call.send().await?);
                Ok(Seen { id: read_set.to_string(), status: String::new(), created: None, client_token: None })
            }
        }
    }

    /// How often the service has done what the operation changes, if it changes anything: jobs that were started, or
    /// read sets that were deleted.
    pub fn effects(self, local: &LocalService, at: &Target) -> Option<usize> {
        match self {
            BatchDeleteReadSet => Some(usize::from(local.read_set_status(&at.store, &at.read_set).is_none())),
            _ if self.is_start() => Some(local.jobs().len()),
            _ => None,
        }
    }

    /// The id that a successful call must return, from what the service holds.
    pub fn expected_id(self, local: &LocalService, at: &Target) -> Option<String> {
        match self {
            GetReadSetMetadata | ListReadSets => Some(at.read_set.to_string()),
            _ => local.jobs().first().map(|job| job.id.clone()),
        }
    }
}

fn only(mut items: impl Iterator<Item = Seen>) -> Seen {
    let first = items.next().expect("the list has an item");
    assert!(items.next().is_none(), "the list has one item");
    first
}
