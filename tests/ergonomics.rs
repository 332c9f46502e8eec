//! The traits of public types, checked by the compiler and by values.
#![allow(clippy::unwrap_used)]

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::str::FromStr;

use healthomics::bulk::{BulkError, BulkRun, ExportReadSets, Plan, Planner, Report, RunFailed};
use healthomics::error::InvalidValue;
use healthomics::event::{Event, EventError};
use healthomics::job::{
    Export, Job, JobFailed, JobToken, Outcome, OutcomeSummary, Progress, Retrying, States, Wait, WaitError, Watch,
    WatchProgress,
};
use healthomics::local::LocalService;
use healthomics::read_set::{
    CreationType, ETagAlgorithm, FileType, GetReadSetExportJobOutput, ImportReadSetSource, ItemStatus, JobFilter,
    JobStatus, ListReadSets, ReadSetFilter, ReadSetStatus, SourceFiles, StartReadSetExportJob,
    StartReadSetExportJobOutput,
};
use healthomics::{
    ActivationJobId, CallFuture, Client, ClientBuilder, ClientToken, Error, ExportJobId, ImportJobId, ReadSetArn,
    ReadSetId, ReferenceArn, RoleArn, RunId, S3Destination, S3Uri, SampleId, SequenceStoreId, SubjectId, pagination,
};

fn shared<T: Debug + Send + Sync + 'static>() {}
fn shared_and_cloned<T: Clone + Debug + Send + Sync + 'static>() {}
fn plain_data<T>()
where
    T: Clone + Debug + PartialEq + serde::Serialize + serde::de::DeserializeOwned + Send + Sync + 'static,
{
}
fn sent<T: Send + 'static>() {}
fn an_error<T: std::error::Error + Send + Sync + 'static>() {}

#[test]
fn public_types_can_be_shared_sent_and_cloned() {
    shared_and_cloned::<Client>();
    shared_and_cloned::<ClientBuilder>();
    shared_and_cloned::<StartReadSetExportJob>();
    shared_and_cloned::<ListReadSets>();
    shared_and_cloned::<ExportReadSets>();
    shared_and_cloned::<StartReadSetExportJobOutput>();
    shared_and_cloned::<GetReadSetExportJobOutput>();
    shared_and_cloned::<ImportReadSetSource>();
    shared_and_cloned::<SourceFiles>();
    shared_and_cloned::<JobFilter>();
    shared_and_cloned::<ReadSetFilter>();
    shared_and_cloned::<Job<Export>>();
    shared_and_cloned::<Outcome<Export>>();
    shared_and_cloned::<Planner<Export>>();
    shared_and_cloned::<Plan<Export>>();
    shared_and_cloned::<Report<Export>>();
    shared_and_cloned::<Event>();
    shared::<LocalService>();
    plain_data::<GetReadSetExportJobOutput>();
    plain_data::<JobToken<Export>>();
    plain_data::<OutcomeSummary>();
    plain_data::<Progress>();
    plain_data::<Retrying>();
    plain_data::<WatchProgress>();
    // Held by one task, moved between threads.
    sent::<CallFuture<GetReadSetExportJobOutput>>();
    sent::<Wait<Export>>();
    sent::<States<Export>>();
    sent::<Watch<Export>>();
    sent::<BulkRun<Export>>();
    sent::<pagination::Items<healthomics::read_set::ListReadSetsOutput>>();
    sent::<pagination::Pages<healthomics::read_set::ListReadSetsOutput>>();

    an_error::<Error>();
    an_error::<BulkError>();
    an_error::<WaitError<Export>>();
    shared_and_cloned::<WaitError<Export>>();
    an_error::<JobFailed<Export>>();
    an_error::<RunFailed<Export>>();
    an_error::<EventError>();
}

/// What holds for each type of text.
trait Text:
    Clone
    + Debug
    + Display
    + Hash
    + Ord
    + FromStr<Err = InvalidValue>
    + AsRef<str>
    + Borrow<str>
    + From<String>
    + Into<String>
    + PartialEq<str>
    + PartialEq<String>
    + serde::Serialize
    + serde::de::DeserializeOwned
    + Send
    + Sync
    + 'static
where
    for<'a> Self: From<&'a str> + From<&'a String> + From<&'a Self> + PartialEq<&'a str>,
{
    /// A text that a request may contain.
    const VALID: &'static str;

    fn check() {
        let text = "0123456789";
        let value = Self::from(text);
        assert_eq!(value, text);
        let owned = text.to_owned();
        assert!(value == *text && value == owned);
        assert_eq!(Self::VALID.parse::<Self>().unwrap(), Self::from(Self::VALID));
        let error = "".parse::<Self>().unwrap_err();
        assert!(
            error.to_string().starts_with("not a valid ") && error.to_string().ends_with(error.constraint()),
            "{error}"
        );
        assert_eq!(Self::from(&value), value);
        assert_eq!(Self::from(&text.to_owned()), Self::from(text.to_owned()));
        assert_eq!(format!("{value:>12}"), "  0123456789");
        assert_eq!((value.as_ref(), value.clone().into()), (text, text.to_owned()));
        assert_eq!(serde_json::to_string(&value).unwrap(), "\"0123456789\"");
        assert_eq!(serde_json::from_str::<Self>("\"0123456789\"").unwrap(), value);
        assert_eq!(serde_json::from_str::<Self>("\"\"").unwrap(), "", "reading is not checked");
        assert!(serde_json::from_str::<Self>("123456789").is_err(), "an id is no number");
        assert_eq!(HashMap::from([(value.clone(), 1)]).get(text), Some(&1));
        assert_eq!(BTreeSet::from([value, Self::from("0")]).first().unwrap(), "0");
    }
}

macro_rules! texts {
    ($($Type:ident: $valid:literal)+) => {
        $(impl Text for $Type {
            const VALID: &'static str = $valid;
        })+

        #[test]
        fn a_type_of_text_is_all_that_a_string_is() {
            $(
                $Type::check();
                let (text, owned, value) = ("0123456789", "0123456789".to_owned(), $Type::from("0123456789"));
                assert!(*text == value && text == value && owned == value, "from the other side, too");
                assert!($Type::try_new($valid).unwrap().is_valid());
                assert!($Type::try_new(String::new()).is_err() && !$Type::from("").is_valid());
            )+
        }
    };
}
texts! {
    ActivationJobId: "0123456789"
    ClientToken: "order-4711"
    ExportJobId: "0123456789"
    ImportJobId: "0123456789"
    ReadSetArn: "arn:aws:omics:us-east-1:123456789012:sequenceStore/1234567890/readSet/5555555555"
    ReadSetId: "0123456789"
    ReferenceArn: "arn:aws:omics:us-east-1:123456789012:referenceStore/1234567890/reference/1234567890"
    RoleArn: "arn:aws:iam::123456789012:role/OmicsExport"
    RunId: "delivery-7"
    S3Destination: "s3://my-bucket/exports/"
    S3Uri: "s3://my-bucket/HG00096.bam"
    SampleId: "HG00096-blood"
    SequenceStoreId: "0123456789"
    SubjectId: "HG00096"
}

#[test]
fn a_text_that_violates_a_constraint_is_rejected_with_the_constraint() {
    assert_eq!(ReadSetId::try_new("12a").unwrap_err().constraint(), "\"12a\" must be 10 to 36 digits");
    assert_eq!(RunId::try_new("a b").unwrap_err().constraint(), "\"a b\" must be 1 to 64 of A-Z a-z 0-9 . _ -");
    assert_eq!(RoleArn::try_new("arn:aws").unwrap_err().constraint(), "must have 20 to 2048 characters, has 7");
    let token = ClientToken::try_new("SECRET\n").unwrap_err();
    assert!(!format!("{token:?} {token}").contains("SECRET"), "{token}");
}

/// What holds for each enumeration of the service.
trait OpenEnum:
    Clone
    + Debug
    + Display
    + Hash
    + Eq
    + FromStr<Err = std::convert::Infallible>
    + AsRef<str>
    + From<String>
    + serde::Serialize
    + serde::de::DeserializeOwned
    + Send
    + Sync
    + 'static
where
    for<'a> Self: From<&'a str> + From<&'a String> + From<&'a Self>,
{
    const VALUES: &'static [Self];

    fn check() {
        for value in Self::VALUES.iter().cloned().chain([Self::from("NEWER_VALUE")]) {
            let text = value.as_ref().to_owned();
            assert_eq!(text.parse::<Self>().unwrap(), value);
            assert_eq!(Self::from(text.clone()), value);
            assert_eq!(Self::from(&text), value);
            assert_eq!(Self::from(&value), value);
            assert_eq!(value.to_string(), text);
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Self>(&json).unwrap(), value);
        }
        assert_eq!(format!("{:?}", Self::from("NEWER_VALUE")), "Unknown(\"NEWER_VALUE\")");
    }
}

macro_rules! enums {
    ($($Type:ident)+) => {
        $(impl OpenEnum for $Type {
            const VALUES: &'static [Self] = $Type::KNOWN;
        })+

        #[test]
        fn an_enumeration_is_read_and_written_as_its_text() {
            $($Type::check();)+
        }
    };
}
enums! { CreationType ETagAlgorithm FileType ItemStatus JobStatus ReadSetStatus }

#[test]
fn enumerations_that_are_no_statuses_are_ordered_by_their_text() {
    let sorted = BTreeSet::from([FileType::Fastq, FileType::from("VCF"), FileType::Bam, FileType::Cram]);
    let texts: Vec<_> = sorted.iter().map(|file_type| file_type.as_str()).collect();
    assert_eq!(texts, ["BAM", "CRAM", "FASTQ", "VCF"]);
    assert!(CreationType::Import < CreationType::Upload && ETagAlgorithm::BamMd5up < ETagAlgorithm::CramMd5up);
}

#[test]
fn debug_shows_the_content_and_no_secret() {
    let client = Client::builder().region("eu-west-2").endpoint_url("http://127.0.0.1:9").app_name("my-app");
    let client = client.credentials(healthomics::Credentials::new("AKIDEXAMPLE", "SECRET", None, None, "test"));
    assert!(!format!("{client:?}").contains("SECRET"));
    let client = client.build().unwrap();
    let job = client.export_job("1234567890", "0987654321");
    for (debug, parts) in [
        (format!("{client:?}"), &["eu-west-2", "127.0.0.1", "connect: Some(3.1s)", "max_attempts: 3"][..]),
        (format!("{job:?}"), &["SequenceStoreId(\"1234567890\")", "ExportJobId(\"0987654321\")"]),
        (format!("{:?}", client.list_read_sets().sequence_store_id("1234567890")), &["ListReadSets", "1234567890"]),
        (format!("{:?}", ReadSetFilter::new().subject_id("HG00096")), &["SubjectId(\"HG00096\")"]),
        (format!("{:?}", ClientToken::from("SECRET")), &["ClientToken(redacted)"]),
    ] {
        assert!(!debug.contains("SECRET"), "{debug}");
        for part in parts {
            assert!(debug.contains(part), "{debug} lacks {part}");
        }
    }
}
