//! The operations of the service. A further one is an entry of the table, a shape and a handler.

use percent_encoding::percent_decode_str;

use super::handlers::{Handler, activation, export, import, read_set};
use super::schema::Shape;
use super::shapes;

/// An operation that the local service implements.
pub(crate) struct Operation {
    pub(crate) name: &'static str,
    method: &'static str,
    /// The path with labels in braces, each of which is the input field of its name.
    path: &'static str,
    pub(crate) input: &'static Shape,
    /// The limit of requests a second, if it is lower than that of other operations.
    pub(crate) max_requests_per_second: Option<u32>,
    pub(crate) handler: Handler,
}

static OPERATIONS: [Operation; 12] = [
    Operation {
        name: "StartReadSetExportJob",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/exportjob",
        input: &shapes::START_EXPORT,
        max_requests_per_second: None,
        handler: export::start,
    },
    Operation {
        name: "GetReadSetExportJob",
        method: "GET",
        path: "/sequencestore/{sequenceStoreId}/exportjob/{id}",
        input: &shapes::GET,
        max_requests_per_second: None,
        handler: export::get,
    },
    Operation {
        name: "StartReadSetImportJob",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/importjob",
        input: &shapes::START_IMPORT,
        max_requests_per_second: None,
        handler: import::start,
    },
    Operation {
        name: "GetReadSetImportJob",
        method: "GET",
        path: "/sequencestore/{sequenceStoreId}/importjob/{id}",
        input: &shapes::GET,
        max_requests_per_second: None,
        handler: import::get,
    },
    Operation {
        name: "StartReadSetActivationJob",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/activationjob",
        input: &shapes::START_ACTIVATION,
        max_requests_per_second: None,
        handler: activation::start,
    },
    Operation {
        name: "GetReadSetActivationJob",
        method: "GET",
        path: "/sequencestore/{sequenceStoreId}/activationjob/{id}",
        input: &shapes::GET,
        max_requests_per_second: None,
        handler: activation::get,
    },
    Operation {
        name: "ListReadSetExportJobs",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/exportjobs",
        input: &shapes::LIST_JOBS,
        max_requests_per_second: None,
        handler: export::list,
    },
    Operation {
        name: "ListReadSetImportJobs",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/importjobs",
        input: &shapes::LIST_JOBS,
        max_requests_per_second: None,
        handler: import::list,
    },
    Operation {
        name: "ListReadSetActivationJobs",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/activationjobs",
        input: &shapes::LIST_JOBS,
        max_requests_per_second: None,
        handler: activation::list,
    },
    Operation {
        name: "ListReadSets",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/readsets",
        input: &shapes::LIST_READ_SETS,
        max_requests_per_second: None,
        handler: read_set::list,
    },
    Operation {
        name: "GetReadSetMetadata",
        method: "GET",
        path: "/sequencestore/{sequenceStoreId}/readset/{id}/metadata",
        input: &shapes::GET,
        max_requests_per_second: None,
        handler: read_set::get_metadata,
    },
    Operation {
        name: "BatchDeleteReadSet",
        method: "POST",
        path: "/sequencestore/{sequenceStoreId}/readset/batch/delete",
        input: &shapes::BATCH_DELETE,
        max_requests_per_second: Some(1),
        handler: read_set::batch_delete,
    },
];

/// The other operations of the real service on stores, read sets, references and tags, which the local service does not
/// implement: name, method and path.
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

/// The operation of a request.
pub(crate) enum Route {
    Implemented(&'static Operation, Labels),
    /// The name of an operation of the real service that the local one does not implement.
    NotImplemented(&'static str),
}

impl Route {
    pub(crate) fn operation_name(&self) -> &'static str {
        match self {
            Self::Implemented(operation, _) => operation.name,
            Self::NotImplemented(name) => name,
        }
    }
}

/// The names and decoded values of the input fields in the path.
pub(crate) type Labels = Vec<(&'static str, String)>;

/// Finds the operation of a request by its method and raw path, whatever its host.
pub(crate) fn route(method: &str, raw_path: &str) -> Option<Route> {
    let implemented = OPERATIONS
        .iter()
        .filter(|operation| operation.method == method)
        .find_map(|operation| Some(Route::Implemented(operation, labels(operation.path, raw_path)?)));
    implemented.or_else(|| {
        NOT_IMPLEMENTED
            .iter()
            .filter(|(_, operation_method, _)| *operation_method == method)
            .find_map(|(name, _, path)| labels(path, raw_path).map(|_| Route::NotImplemented(name)))
    })
}

/// The names of the operations that are implemented.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|operation| operation.name)
}

/// The labels in a path, or `None` if it does not match the template.
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
    fn paths_have_operations() {
        let Some(Route::Implemented(operation, labels)) = route("GET", "/sequencestore/0123456789/exportjob/12%2F3%20")
        else {
            panic!("it is implemented")
        };
        assert_eq!(operation.name, "GetReadSetExportJob");
        assert_eq!(labels, [("sequenceStoreId", "0123456789".to_owned()), ("id", "12/3 ".to_owned())]);
        assert_eq!(route("POST", "/sequencestore/1/importjob").unwrap().operation_name(), "StartReadSetImportJob");
        let other = route("GET", "/sequencestore/1");
        assert!(matches!(other, Some(Route::NotImplemented("GetSequenceStore"))));
    }

    #[test]
    fn no_path_of_the_service_is_one_of_the_control_path() {
        let paths = OPERATIONS.iter().map(|operation| operation.path);
        for path in paths.chain(NOT_IMPLEMENTED.iter().map(|(_, _, path)| *path)) {
            assert!(path.as_bytes()[1].is_ascii_lowercase(), "{path}");
            assert!(labels(path, "/_local/x").is_none(), "{path}");
        }
    }

    #[test]
    fn other_paths_have_no_operation() {
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
