//! The operations that are served. A further one is a row of the table and a function.

use percent_encoding::percent_decode_str;
use serde_json::Value;
use tokio::time::Instant;

use super::answer::ServiceError;
use super::job;
use super::list;
use super::read_set;
use super::schema::Shape;
use super::shapes;
use super::world::{JobKind, World};

/// What an operation does: its input has passed the checks of its shape.
pub(crate) type Run = fn(&mut World, &Value, Now) -> Result<Value, ServiceError>;

/// One operation of the service.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    method: &'static str,
    /// Labels in braces; each fills the member of its name.
    path: &'static str,
    pub(crate) input: &'static Shape,
    /// The requests a second of an account, if fewer than of other operations.
    pub(crate) requests_per_second: Option<u32>,
    pub(crate) run: Run,
}

/// The time of a request on both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// The service's clock: what it writes and signs by.
    pub(crate) wall: time::OffsetDateTime,
    /// What jobs are paced by.
    pub(crate) instant: Instant,
}

static OPERATIONS: [Operation; 12] = [
    Operation {
        name: "StartReadSetExportJob",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/exportjob",
        input: &shapes::START_EXPORT,
        requests_per_second: None,
        run: |world, input, now| job::start(world, JobKind::Export, input, now),
    },
    Operation {
        name: "GetReadSetExportJob",
        method: "GET",
        path: "/sequencestore/{sequenceStoreId}/exportjob/{id}",
        input: &shapes::GET,
        requests_per_second: None,
        run: |world, input, now| job::get(world, JobKind::Export, input, now),
    },
    Operation {
        name: "StartReadSetImportJob",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/importjob",
        input: &shapes::START_IMPORT,
        requests_per_second: None,
        run: |world, input, now| job::start(world, JobKind::Import, input, now),
    },
    Operation {
        name: "GetReadSetImportJob",
        method: "GET",
        path: "/sequencestore/{sequenceStoreId}/importjob/{id}",
        input: &shapes::GET,
        requests_per_second: None,
        run: |world, input, now| job::get(world, JobKind::Import, input, now),
    },
    Operation {
        name: "StartReadSetActivationJob",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/activationjob",
        input: &shapes::START_ACTIVATION,
        requests_per_second: None,
        run: |world, input, now| job::start(world, JobKind::Activation, input, now),
    },
    Operation {
        name: "GetReadSetActivationJob",
        method: "GET",
        path: "/sequencestore/{sequenceStoreId}/activationjob/{id}",
        input: &shapes::GET,
        requests_per_second: None,
        run: |world, input, now| job::get(world, JobKind::Activation, input, now),
    },
    Operation {
        name: "ListReadSetExportJobs",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/exportjobs",
        input: &shapes::LIST_JOBS,
        requests_per_second: None,
        run: |world, input, now| list::jobs(world, JobKind::Export, input, now),
    },
    Operation {
        name: "ListReadSetImportJobs",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/importjobs",
        input: &shapes::LIST_JOBS,
        requests_per_second: None,
        run: |world, input, now| list::jobs(world, JobKind::Import, input, now),
    },
    Operation {
        name: "ListReadSetActivationJobs",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/activationjobs",
        input: &shapes::LIST_JOBS,
        requests_per_second: None,
        run: |world, input, now| list::jobs(world, JobKind::Activation, input, now),
    },
    Operation {
        name: "ListReadSets",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/readsets",
        input: &shapes::LIST_READ_SETS,
        requests_per_second: None,
        run: |world, input, now| list::read_sets(world, input, now),
    },
    Operation {
        name: "GetReadSetMetadata",
        method: "GET",
        path: "/sequencestore/{sequenceStoreId}/readset/{id}/metadata",
        input: &shapes::GET,
        requests_per_second: None,
        run: |world, input, now| read_set::metadata(world, input, now),
    },
    Operation {
        name: "BatchDeleteReadSet",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/readset/batch/delete",
        input: &shapes::BATCH_DELETE,
        requests_per_second: Some(1),
        run: |world, input, _| read_set::delete(world, input),
    },
];

/// What the service does beside read set jobs on stores, read sets, references and tags, and the local one does not: name,
/// method and path.
static NOT_IMPLEMENTED: [(&str, &str, &str); 29] = [
    ("CreateReferenceStore", "POST", "/referencestore"),
    ("DeleteReferenceStore", "DELETE", "/referencestore/{id}"),
    ("GetReferenceStore", "GET", "/referencestore/{id}"),
    ("StartReferenceImportJob", "POST", "/referencestore/{referenceStoreId}/importjob"),
    ("GetReferenceImportJob", "GET", "/referencestore/{referenceStoreId}/importjob/{id}"),
    ("ListReferenceImportJobs", "POST", "/referencestore/{referenceStoreId}/importjobs"),
    ("DeleteReference", "DELETE", "/referencestore/{referenceStoreId}/reference/{id}"),
    ("GetReference", "GET", "/referencestore/{referenceStoreId}/reference/{id}"),
    ("GetReferenceMetadata", "GET", "/referencestore/{referenceStoreId}/reference/{id}/metadata"),
    ("ListReferences", "POST", "/referencestore/{referenceStoreId}/references"),
    ("ListReferenceStores", "POST", "/referencestores"),
    ("DeleteS3AccessPolicy", "DELETE", "/s3accesspolicy/{s3AccessPointArn}"),
    ("GetS3AccessPolicy", "GET", "/s3accesspolicy/{s3AccessPointArn}"),
    ("PutS3AccessPolicy", "PUT", "/s3accesspolicy/{s3AccessPointArn}"),
    ("CreateSequenceStore", "POST", "/sequencestore"),
    ("DeleteSequenceStore", "DELETE", "/sequencestore/{id}"),
    ("GetSequenceStore", "GET", "/sequencestore/{id}"),
    ("UpdateSequenceStore", "PATCH", "/sequencestore/{id}"),
    ("GetReadSet", "GET", "/sequencestore/{sequenceStoreId}/readset/{id}"),
    ("CreateMultipartReadSetUpload", "POST", "/sequencestore/{sequenceStoreId}/upload"),
    ("AbortMultipartReadSetUpload", "DELETE", "/sequencestore/{sequenceStoreId}/upload/{uploadId}/abort"),
    ("CompleteMultipartReadSetUpload", "POST", "/sequencestore/{sequenceStoreId}/upload/{uploadId}/complete"),
    ("UploadReadSetPart", "PUT", "/sequencestore/{sequenceStoreId}/upload/{uploadId}/part"),
    ("ListReadSetUploadParts", "POST", "/sequencestore/{sequenceStoreId}/upload/{uploadId}/parts"),
    ("ListMultipartReadSetUploads", "POST", "/sequencestore/{sequenceStoreId}/uploads"),
    ("ListSequenceStores", "POST", "/sequencestores"),
    ("UntagResource", "DELETE", "/tags/{resourceArn}"),
    ("ListTagsForResource", "GET", "/tags/{resourceArn}"),
    ("TagResource", "POST", "/tags/{resourceArn}"),
];

/// Where a request leads.
pub(crate) enum Route {
    Served(&'static Operation, Labels),
    /// An operation of the service that the local one does not have, by name.
    NotImplemented(&'static str),
}

impl Route {
    /// The name of the operation.
    pub(crate) fn operation(&self) -> &'static str {
        match self {
            Self::Served(operation, _) => operation.name,
            Self::NotImplemented(name) => name,
        }
    }
}

/// The names of all operations.
pub(crate) fn operations() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|operation| operation.name)
}

/// Members that travel in the path, decoded.
pub(crate) type Labels = Vec<(&'static str, String)>;

/// Finds the operation of a request by its method and raw path alone, whatever its host.
pub(crate) fn route(method: &str, raw_path: &str) -> Option<Route> {
    let served = OPERATIONS
        .iter()
        .filter(|operation| operation.method == method)
        .find_map(|operation| Some(Route::Served(operation, labels(operation.path, raw_path)?)));
    served.or_else(|| {
        let mut others = NOT_IMPLEMENTED.iter().filter(|(_, of_method, _)| *of_method == method);
        others.find_map(|(name, _, path)| labels(path, raw_path).map(|_| Route::NotImplemented(name)))
    })
}

/// Whether an operation of this name is served.
pub(crate) fn is_served(name: &str) -> bool {
    OPERATIONS.iter().any(|operation| operation.name == name)
}

/// The names of all operations that are served.
pub(crate) fn names() -> String {
    OPERATIONS.iter().map(|operation| operation.name).collect::<Vec<_>>().join(", ")
}

fn labels(template: &'static str, raw_path: &str) -> Option<Labels> {
    let mut labels = Labels::new();
    let mut segments = raw_path.split('/');
    for expected in template.split('/') {
        let segment = segments.next()?;
        match expected.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(_) if segment.is_empty() => return None,
            Some(name) => labels.push((name, percent_decode_str(segment).decode_utf8_lossy().into_owned())),
            None if segment != expected => return None,
            None => {}
        }
    }
    segments.next().is_none().then_some(labels)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_operations() {
        let Some(Route::Served(operation, labels)) = route("GET", "/sequencestore/0123456789/exportjob/12%2F3%20")
        else {
            panic!("it is served")
        };
        assert_eq!(operation.name, "GetReadSetExportJob");
        assert_eq!(labels, [("sequenceStoreId", "0123456789".to_owned()), ("id", "12/3 ".to_owned())]);
        assert_eq!(route("POST", "/sequencestore/1/importjob").unwrap().operation(), "StartReadSetImportJob");
        let other = route("GET", "/sequencestore/1");
        assert!(matches!(other, Some(Route::NotImplemented("GetSequenceStore"))));
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for (method, path) in [
            ("GET", "/sequencestore/1/exportjob"),
            ("POST", "/sequencestore/1/exportjob/2"),
            ("GET", "/sequencestore/1/exportjob/"),
            ("GET", "/sequencestore//exportjob/2"),
            ("GET", "/sequencestore/1/exportjob/2/3"),
            ("GET", "/"),
            ("GET", ""),
            ("OPTIONS", "*"),
        ] {
            assert!(route(method, path).is_none(), "{method} {path}");
        }
    }
}
