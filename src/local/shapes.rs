//! The inputs of the operations, field by field, as in the service model.

use super::schema::{Field, Shape, Text};

const DIGITS: &str = "[0-9]+";
const NO_CONTROLS: &str = r"[\p{L}||\p{M}||\p{Z}||\p{S}||\p{N}||\p{P}]+";

/// The model sets no maximum length.
const UNLIMITED: usize = usize::MAX;

static ID: Shape = Shape::Text(Text::pattern(10, 36, DIGITS));
static TEXT_127: Shape = Shape::Text(Text::pattern(1, 127, NO_CONTROLS));
static DESCRIPTION: Shape = Shape::Text(Text::pattern(1, 255, NO_CONTROLS));
static ROLE_ARN: Shape = Shape::Text(Text::pattern(20, 2048, "arn:.*"));
static REFERENCE_ARN: Shape = Shape::Text(Text::pattern(1, 127, "arn:.+"));
static S3_URI: Shape = Shape::Text(Text::pattern(0, UNLIMITED, "s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/(.{1,1024})"));
static S3_DESTINATION: Shape =
    Shape::Text(Text::pattern(0, UNLIMITED, "s3://([a-z0-9][a-z0-9-.]{1,61}[a-z0-9])/?((.{1,1024})/)?"));
static FILE_TYPE: Shape = Shape::Enum(&["FASTQ", "BAM", "CRAM", "UBAM"]);
static TAG_KEY: Text = Text::length(1, 128);
static TAG_VALUE: Text = Text::length(0, 256);
static TAGS: Shape = Shape::Map { key: &TAG_KEY, value: &TAG_VALUE };

static SOURCE_FILES: Shape =
    Shape::Structure(&[Field::required("source1", &S3_URI), Field::optional("source2", &S3_URI)]);
static READ_SET_SOURCE: Shape = Shape::Structure(&[Field::required("readSetId", &ID)]);
static IMPORT_SOURCE: Shape = Shape::Structure(&[
    Field::required("sourceFiles", &SOURCE_FILES),
    Field::required("sourceFileType", &FILE_TYPE),
    Field::required("subjectId", &TEXT_127),
    Field::required("sampleId", &TEXT_127),
    Field::optional("generatedFrom", &TEXT_127),
    Field::optional("referenceArn", &REFERENCE_ARN),
    Field::optional("name", &TEXT_127),
    Field::optional("description", &DESCRIPTION),
    Field::optional("tags", &TAGS),
]);

static EXPORT_SOURCES: Shape = Shape::List { min: 1, max: 100, item: &READ_SET_SOURCE };
static IMPORT_SOURCES: Shape = Shape::List { min: 1, max: 100, item: &IMPORT_SOURCE };
static ACTIVATION_SOURCES: Shape = Shape::List { min: 1, max: 20, item: &READ_SET_SOURCE };

pub(crate) static START_EXPORT: Shape = Shape::Structure(&[
    Field::required("sequenceStoreId", &ID),
    Field::required("destination", &S3_DESTINATION),
    Field::required("roleArn", &ROLE_ARN),
    Field::optional("clientToken", &TEXT_127),
    Field::required("sources", &EXPORT_SOURCES),
]);

pub(crate) static START_IMPORT: Shape = Shape::Structure(&[
    Field::required("sequenceStoreId", &ID),
    Field::required("roleArn", &ROLE_ARN),
    Field::optional("clientToken", &TEXT_127),
    Field::required("sources", &IMPORT_SOURCES),
]);

pub(crate) static START_ACTIVATION: Shape = Shape::Structure(&[
    Field::required("sequenceStoreId", &ID),
    Field::optional("clientToken", &TEXT_127),
    Field::required("sources", &ACTIVATION_SOURCES),
]);

/// `GetReadSet…Job` and `GetReadSetMetadata`.
pub(crate) static GET: Shape = Shape::Structure(&[Field::required("id", &ID), Field::required("sequenceStoreId", &ID)]);

static READ_SET_IDS: Shape = Shape::List { min: 1, max: 100, item: &ID };

pub(crate) static BATCH_DELETE: Shape =
    Shape::Structure(&[Field::required("sequenceStoreId", &ID), Field::required("ids", &READ_SET_IDS)]);

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
    Field::optional("status", &JOB_STATUS),
    Field::optional("createdAfter", &TIMESTAMP),
    Field::optional("createdBefore", &TIMESTAMP),
]);
static READ_SET_FILTER: Shape = Shape::Structure(&[
    Field::optional("name", &TEXT_127),
    Field::optional("status", &READ_SET_STATUS),
    Field::optional("referenceArn", &REFERENCE_ARN_FILTER),
    Field::optional("createdAfter", &TIMESTAMP),
    Field::optional("createdBefore", &TIMESTAMP),
    Field::optional("sampleId", &TEXT_127),
    Field::optional("subjectId", &TEXT_127),
    Field::optional("generatedFrom", &TEXT_127),
    Field::optional("creationType", &CREATION_TYPE),
]);

pub(crate) static LIST_JOBS: Shape = Shape::Structure(&[
    Field::required("sequenceStoreId", &ID),
    Field::query("maxResults", &MAX_RESULTS),
    Field::query("nextToken", &NEXT_TOKEN),
    Field::optional("filter", &JOB_FILTER),
]);

pub(crate) static LIST_READ_SETS: Shape = Shape::Structure(&[
    Field::required("sequenceStoreId", &ID),
    Field::query("maxResults", &MAX_RESULTS),
    Field::query("nextToken", &NEXT_TOKEN),
    Field::optional("filter", &READ_SET_FILTER),
]);
