//! From the body of an answer to values. Lenient in what may be absent, strict in what a caller can't do without.

mod members;
mod value;

use serde_core::Deserializer;
use time::OffsetDateTime;

pub(crate) use self::members::{
    Member, Number, Optional, OrEmpty, Part, Structure, Text, TextOrEmpty, Time, members, members_of,
};
pub(crate) use self::value::{Form, OnMember, Read, Sink, Value};
use crate::error::BoxError;
use crate::model::{JobStatus, RoleArn, S3Destination, SequenceStoreId};
use crate::wire::RawResponse;

/// Why a successful answer can't be used.
#[derive(Debug)]
pub(crate) struct Undecodable {
    pub(crate) what: String,
    /// Cut or garbled on the way: another attempt may bring it whole. If not, the service itself left something out.
    pub(crate) broken: bool,
    pub(crate) source: Option<BoxError>,
}

/// Reads the JSON object that an answer is.
pub(crate) fn object<T: for<'de> Structure<'de>>(raw: &RawResponse) -> Result<T, Undecodable> {
    structure(text_of(raw)?).map_err(Undecodable::of_json)
}

/// Reads a JSON object.
pub(crate) fn structure<'de, T: Structure<'de>>(json: &'de str) -> serde_json::Result<T> {
    let mut structure = T::empty();
    each_member(json, &mut |name, value| structure.member(name, value))?;
    Ok(structure)
}

/// Reads a value of any format.
pub(crate) fn part<'de, T: Part<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    let mut found = None;
    value::read(deserializer, &mut |value| {
        found = T::read(value)?;
        Ok(())
    })?;
    Ok(found)
}

/// Reads each member of a JSON object; none of anything else.
pub(crate) fn each_member<'de>(json: &'de str, on_member: &mut OnMember<'_, 'de>) -> serde_json::Result<()> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    value::read(&mut deserializer, &mut |value| value.read(Sink::Members(on_member)).map(drop))?;
    deserializer.end()
}

fn text_of(raw: &RawResponse) -> Result<&str, Undecodable> {
    let broken = |what: &str, source| Undecodable { what: what.to_owned(), broken: true, source };
    // Checked once as a whole, and not again for each string.
    let text = str::from_utf8(&raw.body).map_err(|error| broken("the answer is not UTF-8", Some(error.into())))?;
    match text.trim_start().as_bytes().first() {
        None => Err(broken("the answer is empty", None)),
        Some(b'{') => Ok(text),
        Some(_) => Err(broken("the answer is not a JSON object", None)),
    }
}

impl Undecodable {
    fn of_json(error: serde_json::Error) -> Self {
        let broken = !error.is_data();
        let what =
            if broken { "the answer is not whole JSON" } else { "a member of the answer has an unexpected form" };
        Self { what: what.to_owned(), broken, source: Some(error.into()) }
    }
}

/// A member that nobody can do without.
pub(crate) fn required<T: AsRef<str>>(value: Option<T>, name: &str) -> Result<T, Undecodable> {
    value.filter(|value| !value.as_ref().is_empty()).ok_or_else(|| Undecodable {
        what: format!("the answer has no {name}"),
        broken: false,
        source: None,
    })
}

members! {
    /// What the service says of a job of any kind; each kind takes its members.
    ///
    /// `R` and `S` are the forms of `readSets` and `sources`, for the kinds that have them.
    pub(crate) struct JobAnswer<R = (), S = ()> {
        pub(crate) id: Option<String> = "id" as Text;
        pub(crate) sequence_store_id: Option<SequenceStoreId> = "sequenceStoreId" as Text;
        pub(crate) status: Option<JobStatus> = "status" as Text;
        pub(crate) status_message: Option<String> = "statusMessage" as Text;
        pub(crate) creation_time: Option<OffsetDateTime> = "creationTime" as Time;
        pub(crate) completion_time: Option<OffsetDateTime> = "completionTime" as Time;
        pub(crate) destination: Option<S3Destination> = "destination" as Text;
        pub(crate) role_arn: Option<RoleArn> = "roleArn" as Text;
        pub(crate) read_sets: R = "readSets" as OrEmpty;
        pub(crate) sources: S = "sources" as OrEmpty;
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Script, answer};
    use crate::{Error, GetReadSetImportJobOutput};

    async fn get(sources: &str) -> Result<GetReadSetImportJobOutput, Error> {
        let body = format!(r#"{{"id":"1234567890","status":"COMPLETED","sources":{sources}}}"#);
        let client = Script::new([answer(200, &[], &body)]).client();
        client.get_read_set_import_job().sequence_store_id("1234567890").id("1234567890").send().await
    }

    #[tokio::test]
    async fn a_list_that_would_fill_the_memory_is_refused() {
        let items = |item: &str, count| format!("[{}]", vec![item; count].join(","));
        assert_eq!(get(&items("{}", 10_000)).await.unwrap().sources.len(), 10_000);
        assert_eq!(get(&items("null", 200_000)).await.unwrap().sources.len(), 0);
        let error = get(&items("{}", 10_001)).await.unwrap_err();
        assert!(matches!(error, Error::UndecodableResponse(_)) && !error.is_retryable(), "{error}");
        assert!(error.report().to_string().contains("a list of more than 10000 items"), "{}", error.report());
    }

    #[tokio::test]
    async fn the_cause_says_where_and_quotes_nothing() {
        let error = get(&format!(r#"[{{"tags":"{}"}}]"#, "é".repeat(1_000_000))).await.unwrap_err();
        let report = error.report().to_string();
        assert!(report.contains("a member of the answer has an unexpected form"), "{report}");
        assert!(report.contains("a text where an object belongs at line 1 column"), "{report}");
        assert!(report.len() < 1_000 && format!("{error:?}").len() < 1_000, "{error:?}");
    }

    #[tokio::test]
    async fn of_a_member_that_is_given_twice_the_last_counts() {
        let job = get(r#"[{"sampleId":"a","sampleId":"b"}],"sources":[{"sampleId":"c"}]"#).await.unwrap();
        assert_eq!(job.sources.len(), 1);
        assert_eq!(job.sources[0].sample_id.as_ref().map(|id| id.as_str()), Some("c"));
    }

    #[tokio::test]
    async fn names_and_values_may_be_escaped() {
        let job = get(r#"[{"sample\u0049d":"a\tb","tags":{"\u00e9":"\u00fc","none":null}}]"#).await.unwrap();
        assert_eq!(job.sources[0].sample_id.as_ref().map(|id| id.as_str()), Some("a\tb"));
        assert_eq!(job.sources[0].tags.clone().into_iter().collect::<Vec<_>>(), [("é".to_owned(), "ü".to_owned())]);
    }

    #[tokio::test]
    async fn items_have_names_not_positions() {
        let error = get(r#"[["s3://bucket/key"]]"#).await.unwrap_err();
        assert!(matches!(error, Error::UndecodableResponse(_)), "{error}");
    }

    #[tokio::test]
    async fn members_of_other_types_cost_their_item_nothing_else() {
        let job = get(r#"[{"sourceFileType":[[1]],"status":{"a":[]},"subjectId":5,"sampleId":"s"}]"#).await.unwrap();
        assert_eq!(job.sources[0].sample_id.as_ref().map(|id| id.as_str()), Some("s"));
        assert_eq!(job.sources[0].subject_id, None);
    }
}
