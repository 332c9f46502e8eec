//! The inputs of the operations, member by member, as the service model has them.

use super::schema::{Member, Shape, Text};

const DIGITS: &str = "[0-9]+";
const NO_CONTROLS: &str = r"[\p{L}||\p{M}||\p{Z}||\p{S}||\p{N}||\p{P}]+";

/// The model sets no length.
const ANY: usize = usize::MAX;

static ID: Shape = Shape::Text(Text::pattern(10, 36, DIGITS));
static TEXT_127: Shape = Shape::Text(Text::pattern(1, 127, NO_CONTROLS));
static DESCRIPTION: Shape = Shape::Text(Text::pattern(1, 255, NO_CONTROLS));
static ROLE_ARN: Shape = Shape::Text(Text::pattern(20, 2048, "arn:.*"));
static REFERENCE_ARN: Shape = Shape::Text(Text::pattern(1, 127, "arn:.+"));
static S3_URI: Shape = Shape::Text(Text::pattern(0, ANY, "s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/(.{1,1024})"));
static S3_DESTINATION: Shape =
    Shape::Text(Text::pattern(0, ANY, "s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/?((.{1,1024})/)?"));
static FILE_TYPE: Shape = Shape::Enum(&["FASTQ", "BAM", "CRAM", "UBAM"]);
static TAG_KEY: Text = Text::length(1, 128);
static TAG_VALUE: Text = Text::length(0, 256);
static TAGS: Shape = Shape::Map { key: &TAG_KEY, value: &TAG_VALUE };

static SOURCE_FILES: Shape =
    Shape::Structure(&[Member::required("source1", &S3_URI), Member::optional("source2", &S3_URI)]);
static READ_SET_SOURCE: Shape = Shape::Structure(&[Member::required("readSetId", &ID)]);
static IMPORT_SOURCE: Shape = Shape::Structure(&[
    Member::required("sourceFiles", &SOURCE_FILES),
    Member::required("sourceFileType", &FILE_TYPE),
    Member::required("subjectId", &TEXT_127),
    Member::required("sampleId", &TEXT_127),
    Member::optional("generatedFrom", &TEXT_127),
    Member::optional("referenceArn", &REFERENCE_ARN),
    Member::optional("name", &TEXT_127),
    Member::optional("description", &DESCRIPTION),
    Member::optional("tags", &TAGS),
]);

static EXPORT_SOURCES: Shape = Shape::List { min: 1, max: 100, member: &READ_SET_SOURCE };
static IMPORT_SOURCES: Shape = Shape::List { min: 1, max: 100, member: &IMPORT_SOURCE };
static ACTIVATION_SOURCES: Shape = Shape::List { min: 1, max: 20, member: &READ_SET_SOURCE };

pub(crate) static START_EXPORT: Shape = Shape::Structure(&[
    Member::required("sequenceStoreId", &ID),
    Member::required("destination", &S3_DESTINATION),
    Member::required("roleArn", &ROLE_ARN),
    Member::optional("clientToken", &TEXT_127),
    Member::required("sources", &EXPORT_SOURCES),
]);

pub(crate) static START_IMPORT: Shape = Shape::Structure(&[
    Member::required("sequenceStoreId", &ID),
    Member::required("roleArn", &ROLE_ARN),
    Member::optional("clientToken", &TEXT_127),
    Member::required("sources", &IMPORT_SOURCES),
]);

pub(crate) static START_ACTIVATION: Shape = Shape::Structure(&[
    Member::required("sequenceStoreId", &ID),
    Member::optional("clientToken", &TEXT_127),
    Member::required("sources", &ACTIVATION_SOURCES),
]);

/// `GetReadSet…Job` and `GetReadSetMetadata`.
pub(crate) static GET: Shape =
    Shape::Structure(&[Member::required("id", &ID), Member::required("sequenceStoreId", &ID)]);

static READ_SET_IDS: Shape = Shape::List { min: 1, max: 100, member: &ID };

pub(crate) static BATCH_DELETE: Shape =
    Shape::Structure(&[Member::required("sequenceStoreId", &ID), Member::required("ids", &READ_SET_IDS)]);

static MAX_RESULTS: Shape = Shape::Integer { min: 1, max: 100 };
static NEXT_TOKEN: Shape = Shape::Text(Text::pattern(1, 6144, NO_CONTROLS));
static TIMESTAMP: Shape = Shape::Timestamp;
static JOB_STATUS: Shape = Shape::Enum(&[
    "SUBMITTED",
    "IN_PROGRESS",
    "CANCELLING",
    "CANCELLED",
    "FAILED",
    "COMPLETED",
    "COMPLETED_WITH_FAILURES",
]);
static READ_SET_STATUS: Shape =
    Shape::Enum(&["ARCHIVED", "ACTIVATING", "ACTIVE", "DELETING", "DELETED", "PROCESSING_UPLOAD", "UPLOAD_FAILED"]);
static CREATION_TYPE: Shape = Shape::Enum(&["IMPORT", "UPLOAD"]);
static REFERENCE_ARN_FILTER: Shape = Shape::Text(Text::pattern(0, 127, "$|^arn:.+"));

static JOB_FILTER: Shape = Shape::Structure(&[
    Member::optional("status", &JOB_STATUS),
    Member::optional("createdAfter", &TIMESTAMP),
    Member::optional("createdBefore", &TIMESTAMP),
]);
static READ_SET_FILTER: Shape = Shape::Structure(&[
    Member::optional("name", &TEXT_127),
    Member::optional("status", &READ_SET_STATUS),
    Member::optional("referenceArn", &REFERENCE_ARN_FILTER),
    Member::optional("createdAfter", &TIMESTAMP),
    Member::optional("createdBefore", &TIMESTAMP),
    Member::optional("sampleId", &TEXT_127),
    Member::optional("subjectId", &TEXT_127),
    Member::optional("generatedFrom", &TEXT_127),
    Member::optional("creationType", &CREATION_TYPE),
]);

pub(crate) static LIST_JOBS: Shape = Shape::Structure(&[
    Member::required("sequenceStoreId", &ID),
    Member::query("maxResults", &MAX_RESULTS),
    Member::query("nextToken", &NEXT_TOKEN),
    Member::optional("filter", &JOB_FILTER),
]);

pub(crate) static LIST_READ_SETS: Shape = Shape::Structure(&[
    Member::required("sequenceStoreId", &ID),
    Member::query("maxResults", &MAX_RESULTS),
    Member::query("nextToken", &NEXT_TOKEN),
    Member::optional("filter", &READ_SET_FILTER),
]);
