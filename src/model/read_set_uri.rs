//! The location of a file of a read set in Amazon S3.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::constraint::{self, InvalidValue};
use super::text::Quoted;
use super::{ReadSetId, S3Uri, SequenceStoreId};

/// The location of a file of a read set in Amazon S3:
/// `s3://ALIAS/ACCOUNT/sequenceStore/STORE/readSet/READ-SET/FILE`.
///
/// [`ReadSetS3Access`](crate::read_set::ReadSetS3Access) has it as an [`S3Uri`]. It is the same before a read set is
/// archived and after it is activated again; an object is there only while the read set is active. Any client of Amazon
/// S3 reads it, with [`bucket`](Self::bucket) as bucket and [`key`](Self::key) as key, in the region of the store.
///
/// Unlike ids, it is always checked: by [`parse`](str::parse), [`TryFrom`] and [`Deserialize`].
///
/// ```
/// use healthomics::ReadSetUri;
///
/// let folder = "123456789012/sequenceStore/1234567890/readSet/5555555555";
/// let text = format!("s3://123456789012-1234567-abcdefghijk-s3alias/{folder}/HG00405.cram");
/// let uri: ReadSetUri = text.parse()?;
/// assert_eq!(uri.bucket(), "123456789012-1234567-abcdefghijk-s3alias");
/// assert_eq!(uri.key(), format!("{folder}/HG00405.cram"));
/// assert_eq!(uri.account_id(), "123456789012");
/// assert_eq!(uri.sequence_store_id(), "1234567890");
/// assert_eq!(uri.read_set_id(), "5555555555");
/// assert_eq!(uri.file_name(), "HG00405.cram");
/// assert_eq!(uri.to_string(), text);
///
/// let error = "s3://my-bucket/HG00405.cram".parse::<ReadSetUri>().unwrap_err();
/// assert!(error.to_string().starts_with("not a valid ReadSetUri: \"s3://my-bucket/"));
/// # Ok::<(), healthomics::error::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ReadSetUri {
    bucket: String,
    key: String,
    account_id: String,
    sequence_store_id: SequenceStoreId,
    read_set_id: ReadSetId,
    file_name: String,
}

impl ReadSetUri {
    /// The alias of the access point of the sequence store, which S3 clients take as the name of a bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The key of the object: everything after the bucket, without the slash between them.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The account that has the sequence store: 12 digits.
    pub fn account_id(&self) -> &str {
        &self.account_id
    }

    /// The sequence store that the read set is in.
    pub fn sequence_store_id(&self) -> &SequenceStoreId {
        &self.sequence_store_id
    }

    /// The read set that the file is of.
    pub fn read_set_id(&self) -> &ReadSetId {
        &self.read_set_id
    }

    /// The name of the file: the key without the folder of the read set.
    pub fn file_name(&self) -> &str {
        &self.file_name
    }

    fn from_text(text: &str) -> Option<Self> {
        constraint::s3_uri(text).ok()?;
        let (bucket, key) = text.strip_prefix("s3://")?.split_once('/')?;
        let segments: Vec<&str> = key.splitn(6, '/').collect();
        let [account_id, "sequenceStore", store, "readSet", read_set, file_name] = segments[..] else {
            return None;
        };
        let is_account = account_id.len() == 12 && account_id.bytes().all(|byte| byte.is_ascii_digit());
        if !is_account || file_name.is_empty() {
            return None;
        }
        Some(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            account_id: account_id.to_owned(),
            sequence_store_id: store.parse().ok()?,
            read_set_id: read_set.parse().ok()?,
            file_name: file_name.to_owned(),
        })
    }
}

impl fmt::Display for ReadSetUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("s3://{}/{}", self.bucket, self.key))
    }
}

impl FromStr for ReadSetUri {
    type Err = InvalidValue;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_text(text).ok_or_else(|| {
            let format = "s3://ALIAS/ACCOUNT/sequenceStore/STORE/readSet/READ-SET/FILE";
            InvalidValue::new("ReadSetUri", format!("{} must be {format}", Quoted(text)))
        })
    }
}

impl TryFrom<&S3Uri> for ReadSetUri {
    type Error = InvalidValue;

    fn try_from(uri: &S3Uri) -> Result<Self, Self::Error> {
        uri.as_str().parse()
    }
}

impl From<&ReadSetUri> for S3Uri {
    fn from(uri: &ReadSetUri) -> Self {
        Self::from(uri.to_string())
    }
}

impl Serialize for ReadSetUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReadSetUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    const FOLDER: &str = "s3://123456789012-alias-s3alias/123456789012/sequenceStore/1234567890/readSet/5555555555";

    #[test]
    fn other_locations_are_rejected_in_one_line() {
        for text in [
            "",
            "s3://my-bucket/reads.cram",
            "https://123456789012-alias-s3alias/123456789012/sequenceStore/1234567890/readSet/5555555555/a.cram",
            "s3://123456789012-alias-s3alias/12345678901/sequenceStore/1234567890/readSet/5555555555/a.cram",
            "s3://123456789012-alias-s3alias/123456789012/sequenceStore/12a/readSet/5555555555/a.cram",
            "s3://123456789012-alias-s3alias/123456789012/sequenceStore/1234567890/readSet/5/a.cram",
            "s3://123456789012-alias-s3alias/123456789012/sequenceStore/1234567890/reference/5555555555/a.cram",
            "s3://An_Alias/123456789012/sequenceStore/1234567890/readSet/5555555555/a.cram",
            FOLDER,
            &format!("{FOLDER}/"),
            &format!("{FOLDER}/a\nb.cram"),
        ] {
            let error = text.parse::<ReadSetUri>().unwrap_err();
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
            assert!(error.to_string().contains("must be s3://ALIAS/ACCOUNT/"), "{error}");
            assert_eq!(serde_json::from_value::<ReadSetUri>(text.into()).unwrap_err().to_string(), error.to_string());
        }
    }

    proptest! {
        #[test]
        fn what_is_parsed_is_printed_unchanged(name in "[ -~é]{1,80}") {
            let text = format!("{FOLDER}/{name}");
            let uri: ReadSetUri = text.parse().unwrap();
            prop_assert_eq!(uri.to_string(), text.as_str());
            prop_assert_eq!(uri.file_name(), name);
            prop_assert_eq!(serde_json::to_value(&uri).unwrap(), text.as_str());
            prop_assert_eq!(serde_json::from_value::<ReadSetUri>(text.clone().into()).unwrap(), uri.clone());
            prop_assert_eq!(ReadSetUri::try_from(&S3Uri::from(&uri)).unwrap(), uri);
        }

        #[test]
        fn any_text_is_parsed_or_rejected(text in "(s3://)?[a-z0-9/:é]{0,40}") {
            drop(text.parse::<ReadSetUri>());
        }
    }
}
