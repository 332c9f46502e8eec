//! What Rust users expect of the types: a table of types and traits, checked by the compiler and by values.
#![allow(clippy::unwrap_used)]

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::str::FromStr;

use healthomics::bulk::{BulkError, BulkRun, ExportReadSets, Plan, Planner, Report, RunFailed};
use healthomics::event::{Event, EventError};
use healthomics::job::{Export, Job, JobFailed, Outcome, States, Wait, WaitError, Watch};
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
fn sent<T: Send + 'static>() {}
fn an_error<T: std::error::Error + Send + Sync + 'static>() {}

#[test]
fn everything_goes_where_it_is_needed() {
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
    an_error::<JobFailed<Export>>();
    an_error::<RunFailed<Export>>();
    an_error::<EventError>();
}

/// A type of one text: what holds for each of them.
trait Text:
    Clone
    + Debug
    + Display
    + Hash
    + Ord
    + FromStr<Err = std::convert::Infallible>
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
    fn check() {
        let text = "0123456789";
        let value = Self::from(text);
        assert_eq!(value, text);
        let owned = text.to_owned();
        assert!(value == *text && value == owned);
        assert_eq!(text.parse::<Self>().unwrap(), value);
        assert_eq!(Self::from(&value), value);
        assert_eq!(Self::from(&text.to_owned()), Self::from(text.to_owned()));
        assert_eq!(format!("{value:>12}"), "  0123456789");
        assert_eq!((value.as_ref(), value.clone().into()), (text, text.to_owned()));
        assert_eq!(serde_json::to_string(&value).unwrap(), "\"0123456789\"");
        assert_eq!(serde_json::from_str::<Self>("\"0123456789\"").unwrap(), value);
        assert!(serde_json::from_str::<Self>("123456789").is_err(), "an id is no number");
        assert_eq!(HashMap::from([(value.clone(), 1)]).get(text), Some(&1));
        assert_eq!(BTreeSet::from([value, Self::from("0")]).first().unwrap(), "0");
    }
}

macro_rules! texts {
    ($($Type:ident)+) => {
        $(impl Text for $Type {})+

        #[test]
        fn a_text_is_all_that_a_string_is() {
            $(
                $Type::check();
                let (text, owned, value) = ("0123456789", "0123456789".to_owned(), $Type::from("0123456789"));
                assert!(*text == value && text == value && owned == value, "from the other side, too");
            )+
        }
    };
}
texts! {
    ActivationJobId ClientToken ExportJobId ImportJobId ReadSetArn ReadSetId ReferenceArn RoleArn RunId S3Destination
    S3Uri SampleId SequenceStoreId SubjectId
}

/// An enumeration of the service: what holds for each of them.
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
    for<'a> Self: From<&'a str>,
{
    const VALUES: &'static [Self];

    fn check() {
        for value in Self::VALUES.iter().cloned().chain([Self::from("OF_TOMORROW")]) {
            let text = value.as_ref().to_owned();
            assert_eq!(text.parse::<Self>().unwrap(), value);
            assert_eq!(Self::from(text.clone()), value);
            assert_eq!(value.to_string(), text);
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<Self>(&json).unwrap(), value);
        }
        assert_eq!(format!("{:?}", Self::from("OF_TOMORROW")), "Unknown(\"OF_TOMORROW\")");
    }
}

macro_rules! enums {
    ($($Type:ident)+) => {
        $(impl OpenEnum for $Type {
            const VALUES: &'static [Self] = $Type::KNOWN;
        })+

        #[test]
        fn an_enumeration_takes_and_gives_every_value() {
            $($Type::check();)+
        }
    };
}
enums! { CreationType ETagAlgorithm FileType ItemStatus JobStatus ReadSetStatus }

#[test]
fn debug_tells_what_it_is_and_no_secret() {
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
