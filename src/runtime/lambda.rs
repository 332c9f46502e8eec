//! What AWS Lambda says in the environment of a function.

use std::env;

use http::HeaderValue;
use percent_encoding::{CONTROLS, utf8_percent_encode};

/// The function that this process is, if it is one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lambda {
    is_function: bool,
}

impl Lambda {
    pub(crate) fn from_env() -> Self {
        Self { is_function: env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some_and(|name| !name.is_empty()) }
    }

    /// The trace of the present invocation, by which Lambda finds functions that call themselves without end. It is
    /// another one for each invocation.
    pub(crate) fn trace_id(self) -> Option<HeaderValue> {
        if !self.is_function {
            return None;
        }
        let trace_id = env::var("_X_AMZN_TRACE_ID").ok().filter(|trace_id| !trace_id.is_empty())?;
        HeaderValue::try_from(utf8_percent_encode(&trace_id, CONTROLS).to_string()).ok()
    }
}
