//! The `Debug` and `Display` output of every public type, with canaries in all values that it can take.

use std::collections::HashSet;
use std::time::Duration;

use healthomics::blocking::{Block as _, BlockEach as _, run};
use healthomics::bulk::{Duplicates, Planner};
use healthomics::error::{ErrorSummary, StopReason};
use healthomics::event::{Change, Event};
use healthomics::http::{Body, HttpError};
use healthomics::job::Export;
use healthomics::local::{ClientTokens, Fault, FaultRule, LocalService, Pace, Quotas, Seed, SeedReadSet, SeedStore};
use healthomics::read_set::{
    CreationType, ETagAlgorithm, FileType, ImportReadSetSource, ItemStatus, JobFilter, JobStatus, ReadSetFilter,
    ReadSetStatus, SourceFiles,
};
use healthomics::{
    Client, ClientToken, Error, ReadSetArn, ReadSetUri, ReferenceArn, RunId, S3Destination, S3Uri, SampleId, SubjectId,
};

use super::shown::Shown;
use super::{SECRET, SESSION, TOKEN, assert_clean, canary, record, service, signatures};

const STORE: &str = "1234567890";
const ROLE: &str = "arn:aws:iam::123456789012:role/OmicsRole";
const DESTINATION: &str = "s3://my-bucket/exports/";

fn source() -> ImportReadSetSource {
    let files = SourceFiles::source1("s3://my-bucket/a.fastq.gz").source2("s3://my-bucket/b.fastq.gz");
    let source = ImportReadSetSource::builder().source_files(files).source_file_type(FileType::Fastq);
    source.subject_id("S").sample_id("s").tag("k", "v").build()
}

#[tokio::test]
async fn no_public_type_shows_a_secret() {
    let _recorded = record();
    let mut shown = Shown::default();
    let (local, client) = service().await;
    settings(&mut shown, &local, &client);
    words(&mut shown);
    calls(&mut shown, &local, &client).await;
    bulk(&mut shown, &local, &client).await;
    errors(&mut shown, &local, &client).await;
    events(&mut shown);
    blocking(&mut shown, &client);
    for request in local.requests() {
        shown.debug(&request);
    }
    for job in local.jobs() {
        shown.debug(&job.kind);
        shown.debug(&job);
    }
    assert_clean("a type", &shown.text, &signatures(&local));
    // Callers cannot get a value of these types.
    let inner = ["Listed", "ListedJob", "Reconciling", "Scheduling"];
    let missing: Vec<_> = shown.missing().into_iter().filter(|name| !inner.contains(&&**name)).collect();
    assert!(missing.is_empty(), "types without output: {missing:?}");
}

fn settings(shown: &mut Shown, local: &LocalService, client: &Client) {
    shown.debug(client);
    shown.debug(local);
    shown.debug(&local.client_builder());
    shown.debug(&LocalService::builder().credentials(canary()).quotas(Quotas::of_new_account()));
    shown.debug(&(Quotas::of_new_account(), Pace::Polls(1), ClientTokens::Ignored, canary()));
    let store = local.create_sequence_store();
    let id = local.seed_read_set(&store, SeedReadSet::active(FileType::Bam));
    let seed = Seed::stores([SeedStore::new([SeedReadSet::archived(FileType::Bam)])]);
    shown.debug(&seed.clone());
    shown.debug(&local.seed(seed));
    shown.debug(&FaultRule::new("ListReadSets", Fault::EmptyBody));
    shown.debug(&(local.read_sets(&store), local.read_set_status(&store, &id)));
    shown.debug(&Fault::error(500, "InternalServerException", "x"));
}

fn words(shown: &mut Shown) {
    // Its `Display` tells it on purpose.
    shown.debug(&ClientToken::from(TOKEN));
    shown.display(&ClientToken::try_new(format!("{TOKEN}\n")).unwrap_err());
    shown.display(&JobStatus::from("NEW"));
    for value in [ItemStatus::Finished, "NEW".into()] {
        shown.display(&value);
    }
    let unknown = FileType::from("VCF");
    shown.display(&unknown);
    if let FileType::Unknown(value) = &unknown {
        shown.debug(&value);
    }
    shown.display(&ReadSetStatus::Active);
    shown.display(&CreationType::Import);
    shown.display(&ETagAlgorithm::BamMd5up);
    shown.display(&S3Uri::from("s3://bucket/key"));
    let uri = "s3://alias/123456789012/sequenceStore/1234567890/readSet/5555555555/reads.cram";
    shown.display(&uri.parse::<ReadSetUri>().unwrap());
    shown.display(&S3Destination::from(DESTINATION));
    shown.display(&ReferenceArn::from("arn:x"));
    shown.display(&ReadSetArn::from("arn:x"));
    shown.display(&SubjectId::from("S"));
    shown.display(&SampleId::from("s"));
    shown.display(&RunId::from("run"));
    shown.debug(&Body::from(SECRET));
    shown.display(&HttpError::not_sent("no connection"));
}

async fn calls(shown: &mut Shown, local: &LocalService, client: &Client) {
    let store = local.create_sequence_store();
    let [archived, not_active] = [0; 2].map(|_| local.seed_read_set(&store, SeedReadSet::archived(FileType::Cram)));

    shown.debug(&ImportReadSetSource::builder());
    let import = client.start_read_set_import_job().sequence_store_id(&store).role_arn(ROLE).sources([source()]);
    let import = shown.pass(import.client_token(TOKEN)).send().await.unwrap();
    let export = client.start_read_set_export_job().sequence_store_id(&store).role_arn(ROLE).destination(DESTINATION);
    let export = shown.pass(export.sources([&not_active]).client_token(TOKEN)).send().await.unwrap();
    let activation = client.start_read_set_activation_job().sequence_store_id(&store).sources([&archived]);
    shown.debug(&activation.clone().reconcile(std::time::SystemTime::now()).await.unwrap());
    let activation = shown.pass(activation.client_token(TOKEN)).send().await.unwrap();
    shown.debug(&(&import, &export, &activation));
    shown.display(&import.id.clone());
    shown.display(&export.id.clone());
    shown.display(&activation.id.clone());
    shown.display(&store.clone());
    shown.display(&archived.clone());

    shown.debug(&client.get_read_set_import_job().sequence_store_id(&store).id(&import.id));
    shown.debug(&client.get_read_set_export_job().sequence_store_id(&store).id(&export.id));
    let get = shown.pass(client.get_read_set_activation_job().sequence_store_id(&store).id(&activation.id));
    shown.debug(&get.send().await.unwrap());

    let job = shown.pass(client.job(&export));
    let wait = shown.pass(job.wait());
    let mut states = shown.pass(wait.states());
    let state = states.next().await.unwrap().unwrap();
    shown.debug(&state);
    let outcome = shown.pass(job.wait().await.unwrap());
    shown.display(&outcome.into_completed().unwrap_err());
    let mut watch = shown.pass(client.watch([client.job(&import)]));
    let (_, outcome) = watch.next().await.unwrap();
    shown.debug(&outcome.unwrap().into_completed().unwrap());
    shown.debug(&watch.progress());
    shown.debug(&watch.progress().retrying);
    let outcome = client.job(&activation).wait().await.unwrap();
    shown.debug(&outcome);
    shown.debug(&outcome.summary());
    let token = serde_json::to_string(&client.job(&activation)).unwrap();
    shown.debug(&serde_json::from_str::<healthomics::job::JobToken<healthomics::job::Activation>>(&token).unwrap());
    let never = client.export_job(&store, "0000000000").wait().await.unwrap_err();
    shown.display(&never);
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let outcome = client.job(&import).wait().on_progress(move |now| drop(sender.send(now.clone()))).await;
    shown.debug(&outcome.unwrap());
    shown.display(&receiver.recv().await.unwrap());

    let list = client.list_read_sets().sequence_store_id(&store).filter(ReadSetFilter::new().name("n"));
    shown.debug(&list.clone().pages());
    shown.debug(&shown_items(list.clone()));
    shown.pass(list).send().await.unwrap();
    let page = client.list_read_sets().sequence_store_id(&store).send().await.unwrap();
    shown.debug(&page);
    let filter = JobFilter::new().status(JobStatus::Completed);
    let list = client.list_read_set_import_jobs().sequence_store_id(&store).filter(filter);
    let page = shown.pass(list).send().await.unwrap();
    shown.debug(&page);
    let page = shown.pass(client.list_read_set_export_jobs().sequence_store_id(&store)).send().await.unwrap();
    shown.debug(&page);
    let page = shown.pass(client.list_read_set_activation_jobs().sequence_store_id(&store)).send().await.unwrap();
    shown.debug(&page);
    let read_set = shown.pass(client.get_read_set_metadata().sequence_store_id(&store).id(&archived));
    shown.debug(&read_set.send().await.unwrap());
    let imported = client.get_read_set_import_job().sequence_store_id(&store).id(&import.id).send().await.unwrap();
    let imported = imported.sources[0].read_set_id.as_ref().unwrap();
    let read_set = client.get_read_set_metadata().sequence_store_id(&store).id(imported).send().await.unwrap();
    shown.debug(&read_set);
    let deletion = shown.pass(client.batch_delete_read_set().sequence_store_id(&store).ids(["5555555555"]));
    shown.debug(&deletion.send().await.unwrap());
}

fn shown_items(
    list: healthomics::read_set::ListReadSets<healthomics::builder::Set<healthomics::SequenceStoreId>>,
) -> impl std::fmt::Debug {
    list.items()
}

async fn bulk(shown: &mut Shown, local: &LocalService, client: &Client) {
    let store = local.create_sequence_store();
    let ids = ["5555555555", "5555555556"];
    let export = client.export_read_sets().run_id("r").sequence_store_id(&store).destination(DESTINATION);
    let export = shown.pass(export.role_arn(ROLE).read_sets(ids));
    let plan = shown.pass(export.clone().plan().unwrap());
    shown.debug(&plan.groups().next().unwrap());
    shown.debug(&plan.current_shard());
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let run = export.prepare().unwrap().on_progress(move |now| drop(sender.send(now.clone())));
    shown.debug(&run.progress_handle());
    let report = shown.pass(run).run().await.unwrap();
    shown.display(&report.clone());
    shown.display(&report.clone().into_completed().unwrap_err());
    shown.debug(&receiver.recv().await.unwrap());
    for item in report.items() {
        shown.debug(&item);
    }
    shown.debug(&report.errors());
    shown.debug(&report.summary());
    shown.debug(&client.import_read_sets().run_id("r").sequence_store_id(&store).role_arn(ROLE).sources([source()]));
    shown.debug(&client.activate_read_sets().run_id("r").sequence_store_id(&store).read_sets(ids));
    let planner = || Planner::export("r".into(), STORE.into(), DESTINATION.into(), ROLE.into());
    shown.debug(&Duplicates::Drop);
    shown.debug(&planner().duplicates(Duplicates::Drop));
    let error = planner().plan(["5555555555", "5555555555"]).unwrap_err();
    shown.display(&error);
    if let healthomics::bulk::BulkError::DuplicateItems { first, .. } = error {
        shown.debug(&first);
    }
    shown.display(&planner().group_size(0).plan(ids).unwrap_err());
    shown.display(&planner().plan(["x"]).unwrap_err());
    shown.display(&planner().plan(ids).unwrap().shard(3, 2).unwrap_err());
    shown.display(
        &client.bulk_run::<Export>(planner().plan(ids).unwrap()).journal("/nowhere/at/all").run().await.unwrap_err(),
    );
}

fn events(shown: &mut Shown) {
    for kind in ["Export Job Status Change", "Status Change"] {
        let detail = format!(r#"{{ "id": "{STORE}", "sequenceStoreId": "{STORE}", "status": "NEW" }}"#);
        let json = format!(r#"{{ "source": "aws.omics", "detail-type": "Read Set {kind}", "detail": {detail} }}"#);
        let event = shown.pass(json.parse::<Event>().unwrap());
        shown.debug(&event.change);
        if let Change::ExportJob(change) = event.change {
            shown.display(&change);
        }
    }
    shown.display(&"{}".parse::<Event>().unwrap_err());
}

/// Which is refused here, inside a runtime.
fn blocking(shown: &mut Shown, client: &Client) {
    shown.display(&run(async {}).unwrap_err());
    let list = || client.list_read_sets().sequence_store_id(STORE);
    shown.display(&list().send().block().unwrap_err());
    shown.debug(&list().items().block_each());
}

/// An error of every variant.
async fn errors(shown: &mut Shown, local: &LocalService, client: &Client) {
    let mut show = |error: Error| {
        shown.text.push_str(&error.report().to_string());
        shown.display(&ErrorSummary::from(&error));
        if let Some(error) = error.as_service_error() {
            shown.debug(error);
        }
        if let Some(violations) = error.violations() {
            shown.display(&violations.clone());
            shown.display(&violations.iter().next().unwrap().clone());
        }
        shown.debug::<Option<StopReason>>(&error.stop_reason());
        match &error {
            Error::InvalidInput(error) => shown.display(&error),
            Error::Configuration(error) => shown.display(&error),
            Error::Credentials(error)
            | Error::Signing(error)
            | Error::Transport(error)
            | Error::Timeout(error)
            | Error::UndecodableResponse(error) => shown.display(&error),
            _ => {}
        }
        shown.display(&error);
        std::mem::discriminant(&error)
    };
    let store = local.create_sequence_store();
    let call = || {
        let call = client.start_read_set_activation_job().sequence_store_id(&store).sources(["5555555555"]);
        call.client_token(TOKEN).max_attempts(1)
    };
    let mut seen = HashSet::new();
    for (status, code) in [
        (400, "ValidationException"),
        (402, "ServiceQuotaExceededException"),
        (403, "AccessDeniedException"),
        (404, "ResourceNotFoundException"),
        (405, "NotSupportedOperationException"),
        (408, "RequestTimeoutException"),
        (409, "ConflictException"),
        (416, "RangeNotSatisfiableException"),
        (429, "ThrottlingException"),
        (500, "InternalServerException"),
        (418, "Teapot"),
    ] {
        local.queue_fault("StartReadSetActivationJob", Fault::error(status, code, "no"));
        seen.insert(show(call().send().await.unwrap_err()));
    }
    for (fault, limit) in [(Fault::ResetAfter, 30), (Fault::HangAfter, 1), (Fault::MalformedBody, 30)] {
        local.queue_fault("StartReadSetActivationJob", fault);
        seen.insert(show(call().read_timeout(Duration::from_secs(limit)).send().await.unwrap_err()));
    }
    seen.insert(show(call().client_token(format!("{TOKEN}\n")).send().await.unwrap_err()));
    let broken = |secret: &str, session: &str| {
        let credentials = healthomics::Credentials::new("AKIDCANARY", secret, Some(session.to_owned()), None, "broken");
        local.client_builder().credentials(credentials).build().unwrap()
    };
    let get = |client: Client| client.get_read_set_export_job().sequence_store_id(&store).id(STORE).send();
    seen.insert(show(get(broken(SECRET, &format!("{SESSION}\n"))).await.unwrap_err()));
    let provider = super::ShowsSecret { secret: SECRET };
    let without_credentials = local.client_builder().credentials_provider(provider).build().unwrap();
    seen.insert(show(get(without_credentials).await.unwrap_err()));
    let builder = || Client::builder().credentials(canary()).region("us-east-1");
    let url = format!("https://AKIDCANARY:{SECRET}@host/?{SESSION}");
    for builder in [
        builder().region(""),
        builder().region("moon-1"),
        builder().endpoint_url(url),
        builder().endpoint_url("http://host").use_fips(true),
        builder().endpoint_url("http://host").use_dual_stack(true),
        builder().region("us-iso-east-1").use_dual_stack(true),
        builder().app_name("a b"),
        Client::builder().region("us-east-1"),
    ] {
        seen.insert(show(builder.build().unwrap_err()));
    }
    assert_eq!(seen.len(), 18, "an error of each variant");
}
