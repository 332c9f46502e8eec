//! The errors with which the service refuses requests.

use super::messages;
use super::state::StateError;

/// An error response of the service.
#[derive(Debug)]
pub(crate) struct ServiceError {
    /// The HTTP status.
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl ServiceError {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationException", message)
    }

    pub(crate) fn serialization(message: impl Into<String>) -> Self {
        Self::new(400, "SerializationException", message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "ResourceNotFoundException", message)
    }

    pub(crate) fn throttling() -> Self {
        Self::new(429, "ThrottlingException", "Rate exceeded")
    }

    pub(crate) fn unknown_operation() -> Self {
        Self::new(404, "UnknownOperationException", "The requested operation is not recognized by the service.")
    }

    pub(crate) fn not_implemented(operation: &str) -> Self {
        let message = format!("{operation} is not implemented by the local service.");
        Self::new(501, "NotImplementedException", message)
    }

    pub(crate) fn body_too_large() -> Self {
        Self::new(413, "RequestEntityTooLarge", "The request body is larger than this service accepts.")
    }

    pub(crate) fn body_timeout() -> Self {
        Self::new(408, "RequestTimeoutException", "The request body did not arrive in time.")
    }
}

impl StateError {
    pub(crate) fn message(self) -> &'static str {
        match self {
            Self::StoreNotFound => messages::STORE_NOT_FOUND,
            Self::JobNotFound => messages::JOB_NOT_FOUND,
            Self::ReadSetNotFound => messages::READ_SET_NOT_FOUND,
            Self::ClientTokenReused | Self::ClientTokenConflict => messages::CLIENT_TOKEN_REUSED,
            Self::TooManyJobs => messages::TOO_MANY_JOBS,
            Self::JobHasEnded => messages::JOB_HAS_ENDED,
        }
    }
}

impl From<StateError> for ServiceError {
    fn from(error: StateError) -> Self {
        let message = error.message();
        match error {
            StateError::StoreNotFound | StateError::JobNotFound | StateError::ReadSetNotFound => {
                Self::not_found(message)
            }
            StateError::ClientTokenReused => Self::validation(message),
            StateError::TooManyJobs => Self::new(402, "ServiceQuotaExceededException", message),
            StateError::ClientTokenConflict | StateError::JobHasEnded => Self::new(409, "ConflictException", message),
        }
    }
}
