//! The builders of bulk runs, with the fields of the single calls.

use super::{BulkError, BulkRun, Duplicates, Plan, Planner};
use crate::Client;
use crate::builder::{IsSet, builder, optional_value};
use crate::job::{Activation, Export, Import};
use crate::model::{ReadSetId, RoleArn, RunId, S3Destination, SequenceStoreId};
use crate::read_set::ImportReadSetSource;

impl Client {
    /// Exports any number of read sets, in jobs of up to 100.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # use healthomics::read_set::FileType;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let read_sets: Vec<_> = (0..250).map(|_| local.seed_read_set(&store, SeedReadSet::active(FileType::Bam))).collect();
    /// let bulk_run = client
    ///     .export_read_sets()
    ///     .run_id("delivery-2026-11")
    ///     .sequence_store_id(&store)
    ///     .destination("s3://my-bucket/exports/")
    ///     .role_arn("arn:aws:iam::123456789012:role/OmicsExport")
    ///     .read_sets(&read_sets)
    ///     .group_size(100)
    ///     .prepare()?;
    /// let report = bulk_run.run().await?;
    /// assert_eq!(report.to_string(), "250 of 250 items finished in 3 jobs");
    /// # Ok(()) }
    /// ```
    pub fn export_read_sets(&self) -> ExportReadSets {
        ExportReadSets::new(self.clone())
    }

    /// Imports any number of sources, in jobs of up to 100. It works like [`export_read_sets`](Self::export_read_sets).
    ///
    /// ```
    /// use healthomics::read_set::{FileType, ImportReadSetSource};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::LocalService;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// let sources = (1..=120).map(|sample| {
    ///     ImportReadSetSource::builder()
    ///         .source_files(format!("s3://my-bucket/{sample}.fastq.gz"))
    ///         .source_file_type(FileType::Fastq)
    ///         .subject_id("HG00096")
    ///         .sample_id(format!("sample-{sample}"))
    ///         .build()
    /// });
    /// let role = "arn:aws:iam::123456789012:role/OmicsImport";
    /// let call = client
    ///     .import_read_sets()
    ///     .run_id("arrival-2026-11")
    ///     .sequence_store_id(&store)
    ///     .role_arn(role);
    /// let bulk_run = call.sources(sources).prepare()?;
    /// let report = bulk_run.run().await?;
    /// for item in report.items() {
    ///     println!("{} became {:?}", item.item.source_files.source1, item.read_set_id);
    /// }
    /// assert_eq!(report.to_string(), "120 of 120 items finished in 2 jobs");
    /// # Ok(()) }
    /// ```
    pub fn import_read_sets(&self) -> ImportReadSets {
        ImportReadSets::new(self.clone())
    }

    /// Activates any number of read sets, in jobs of up to 20. It works like
    /// [`export_read_sets`](Self::export_read_sets).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::{LocalService, SeedReadSet};
    /// # use healthomics::read_set::FileType;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// # let read_sets: Vec<_> =
    /// #     (0..50).map(|_| local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam))).collect();
    /// let call = client.activate_read_sets().run_id("thaw-2026-11").sequence_store_id(&store);
    /// let bulk_run = call.read_sets(&read_sets).prepare()?;
    /// assert_eq!(bulk_run.run().await?.to_string(), "50 of 50 items finished in 3 jobs");
    /// # Ok(()) }
    /// ```
    pub fn activate_read_sets(&self) -> ActivateReadSets {
        ActivateReadSets::new(self.clone())
    }
}

optional_value! { Duplicates }

builder! {
    /// A bulk export: made by [`Client::export_read_sets`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::bulk::BulkError> {
    /// let call = client
    ///     .export_read_sets()
    ///     .run_id("delivery-7")
    ///     .sequence_store_id("1234567890")
    ///     .destination("s3://my-bucket/exports/")
    ///     .role_arn("arn:aws:iam::123456789012:role/OmicsExport")
    ///     .read_sets(["5555555555", "5555555556"]);
    /// println!("{}", call.prepare()?.run().await?);
    /// # Ok(()) }
    /// ```
    pub struct ExportReadSets(client: Client) in mod export_read_sets builds
    pub(crate) struct ExportReadSetsInput;
    required {
        /// The id of the run, 1 to 64 of `A-Z a-z 0-9 . _ -`: two runs with the same id and input start nothing twice.
        Run = run_id: RunId;
        /// The sequence store of the read sets: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId;
        /// The location of the exported files: `s3://bucket`, `s3://bucket/` or `s3://bucket/prefix/`.
        Destination = destination: S3Destination;
        /// The role that HealthOmics assumes to write there: `arn:…`, 20 to 2,048 characters.
        Role = role_arn: RoleArn;
        /// The read sets to export.
        ReadSets = read_sets: Vec<ReadSetId>, each ReadSetId;
    }
    optional {
        /// The number of read sets of a job: 1 to 100. The default is 100.
        group_size: usize;
    }
    defaulted {
        /// What to do about read sets that are in the input more than once. The default is to refuse the input.
        duplicates: Duplicates = Duplicates::default();
        /// Whether archived read sets are activated before they are exported. The default is `false`: an archived read
        /// set can't be exported.
        ///
        /// The run lists the archived read sets of the store, and activates in jobs of up to 20, in the order of the
        /// input. A group is exported as soon as all of its read sets are active, also those that other jobs activate.
        /// If a read set can't be activated, its group is exported without it, and the report has the reason.
        ///
        /// A job of activations has the same read sets and the same client token in every run of the plan. It also
        /// contains read sets that are active, for which the service does nothing. A job in which none is archived is
        /// left out. Exports and activations have one journal, one progress and one report.
        ///
        /// The caller needs the rights to `omics:ListReadSets` and `omics:StartReadSetActivationJob`,
        /// `omics:GetReadSetActivationJob` and `omics:ListReadSetActivationJobs`, too.
        ///
        /// ```
        /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// # use healthomics::local::{LocalService, SeedReadSet};
        /// # let local = LocalService::start().await?;
        /// # let client = local.client()?;
        /// # let store = local.create_sequence_store();
        /// # let archived = local.seed_read_set(&store, SeedReadSet::archived("BAM".into()));
        /// # let active = local.seed_read_set(&store, SeedReadSet::active("BAM".into()));
        /// let bulk_run = client
        ///     .export_read_sets()
        ///     .run_id("delivery-2026-11")
        ///     .sequence_store_id(&store)
        ///     .destination("s3://my-bucket/exports/")
        ///     .role_arn("arn:aws:iam::123456789012:role/OmicsExport")
        ///     .read_sets([archived, active])
        ///     .activate_archived(true)
        ///     .prepare()?;
        /// let report = bulk_run.run().await?;
        /// assert_eq!(report.to_string(), "2 of 2 items finished in 1 job");
        /// assert_eq!(report.activation_job_ids().count(), 1);
        /// # Ok(()) }
        /// ```
        activate_archived: bool = false;
    }
}

builder! {
    /// A bulk import: made by [`Client::import_read_sets`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::bulk::BulkError> {
    /// use healthomics::read_set::{FileType, ImportReadSetSource};
    ///
    /// let source = ImportReadSetSource::builder()
    ///     .source_files("s3://my-bucket/HG00096.bam")
    ///     .source_file_type(FileType::Ubam)
    ///     .subject_id("HG00096")
    ///     .sample_id("HG00096-blood")
    ///     .build();
    /// let call = client
    ///     .import_read_sets()
    ///     .run_id("arrival-7")
    ///     .sequence_store_id("1234567890")
    ///     .role_arn("arn:aws:iam::123456789012:role/OmicsImport")
    ///     .sources([source]);
    /// println!("{}", call.prepare()?.run().await?);
    /// # Ok(()) }
    /// ```
    pub struct ImportReadSets(client: Client) in mod import_read_sets builds
    pub(crate) struct ImportReadSetsInput;
    required {
        /// The id of the run, 1 to 64 of `A-Z a-z 0-9 . _ -`: two runs with the same id and input start nothing twice.
        Run = run_id: RunId;
        /// The sequence store of the new read sets: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId;
        /// The role that HealthOmics assumes to read the files: `arn:…`, 20 to 2,048 characters.
        Role = role_arn: RoleArn;
        /// The sources to import; each becomes a read set.
        Sources = sources: Vec<ImportReadSetSource>, each ImportReadSetSource;
    }
    optional {
        /// The number of sources of a job: 1 to 100. The default is 100.
        group_size: usize;
    }
    defaulted {
        /// What to do about sources whose files are in the input more than once. The default is to refuse the input.
        duplicates: Duplicates = Duplicates::default();
    }
}

builder! {
    /// A bulk activation: made by [`Client::activate_read_sets`].
    ///
    /// ```
    /// # async fn example(client: healthomics::Client) -> Result<(), healthomics::bulk::BulkError> {
    /// let call = client
    ///     .activate_read_sets()
    ///     .run_id("activation-7")
    ///     .sequence_store_id("1234567890")
    ///     .read_sets(["5555555555", "5555555556"]);
    /// println!("{}", call.prepare()?.run().await?);
    /// # Ok(()) }
    /// ```
    pub struct ActivateReadSets(client: Client) in mod activate_read_sets builds
    pub(crate) struct ActivateReadSetsInput;
    required {
        /// The id of the run, 1 to 64 of `A-Z a-z 0-9 . _ -`: two runs with the same id and input start nothing twice.
        Run = run_id: RunId;
        /// The sequence store of the read sets: 10 to 36 digits.
        StoreId = sequence_store_id: SequenceStoreId;
        /// The read sets to activate.
        ReadSets = read_sets: Vec<ReadSetId>, each ReadSetId;
    }
    optional {
        /// The number of read sets of a job: 1 to 20. The default is 20.
        group_size: usize;
    }
    defaulted {
        /// What to do about read sets that are in the input more than once. The default is to refuse the input.
        duplicates: Duplicates = Duplicates::default();
    }
}

/// The closing methods, which are the same for all kinds.
macro_rules! closing {
    ($Builder:ident<$($Param:ident: $Type:ty),+> of $Kind:ty, |$input:ident| $planner:expr, $items:ident) => {
        impl<$($Param),+> $Builder<$($Param),+> {
            /// Checks the input and divides it into groups, without a request. The plan can be sharded among workers.
            ///
            /// # Errors
            ///
            /// [`BulkError`] with everything that is wrong. Nothing was started.
            ///
            /// ```
            /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
            /// # let local = healthomics::local::LocalService::start().await?;
            /// # let client = local.client()?;
            /// # let store = local.create_sequence_store();
            /// let call = client.activate_read_sets().run_id("run-7").sequence_store_id(&store);
            /// let read_sets = ["5555555551", "5555555552", "5555555553"];
            /// let plan = call.read_sets(read_sets).group_size(2).plan()?;
            /// assert_eq!(plan.groups().map(|group| group.items().len()).collect::<Vec<_>>(), [2, 1]);
            /// // The first of two workers:
            /// let bulk_run = client.bulk_run(plan.shard(0, 2)?);
            /// # drop(bulk_run);
            /// # Ok(()) }
            /// ```
            pub fn plan(self) -> Result<Plan<$Kind>, BulkError>
            where
                $($Param: IsSet<$Type>,)+
            {
                let (client, $input) = self.into_parts();
                let (size, duplicates) = ($input.group_size, $input.duplicates);
                let mut planner = $planner.duplicates(duplicates).parameter_validation(client.parameter_validation());
                if let Some(size) = size {
                    planner = planner.group_size(size);
                }
                planner.plan($input.$items)
            }

            /// Checks the input, divides it into groups, and prepares the run of the plan, without a request.
            ///
            /// # Errors
            ///
            /// [`BulkError`] with everything that is wrong. Nothing was started.
            pub fn prepare(self) -> Result<BulkRun<$Kind>, BulkError>
            where
                $($Param: IsSet<$Type>,)+
            {
                let client = self.client.clone();
                Ok(client.bulk_run(self.plan()?))
            }
        }
    };
}

closing! {
    ExportReadSets<
        Run: RunId, StoreId: SequenceStoreId, Destination: S3Destination, Role: RoleArn, ReadSets: Vec<ReadSetId>
    > of Export,
    |input| {
        let planner = Planner::export(input.run_id, input.sequence_store_id, input.destination, input.role_arn);
        planner.activate_archived(input.activate_archived)
    },
    read_sets
}
closing! {
    ImportReadSets<Run: RunId, StoreId: SequenceStoreId, Role: RoleArn, Sources: Vec<ImportReadSetSource>> of Import,
    |input| Planner::import(input.run_id, input.sequence_store_id, input.role_arn), sources
}
closing! {
    ActivateReadSets<Run: RunId, StoreId: SequenceStoreId, ReadSets: Vec<ReadSetId>> of Activation,
    |input| Planner::activation(input.run_id, input.sequence_store_id), read_sets
}
