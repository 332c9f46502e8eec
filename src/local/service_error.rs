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

impl From<StateError> for ServiceError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::StoreNotFound => Self::not_found(messages::STORE_NOT_FOUND),
            StateError::JobNotFound => Self::not_found(messages::JOB_NOT_FOUND),
            StateError::ReadSetNotFound => Self::not_found(messages::READ_SET_NOT_FOUND),
            StateError::ClientTokenReused => Self::validation(messages::CLIENT_TOKEN_REUSED),
            StateError::TooManyJobs => Self::new(402, "ServiceQuotaExceededException", messages::TOO_MANY_JOBS),
        }
    }
}
