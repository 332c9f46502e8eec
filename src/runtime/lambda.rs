//! AWS Lambda, in which requests have the trace id of the invocation.

use std::env;

use http::HeaderValue;
use percent_encoding::{CONTROLS, utf8_percent_encode};

/// Whether this process is a Lambda function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lambda {
    is_function: bool,
}

impl Lambda {
    pub(crate) fn from_env() -> Self {
        Self { is_function: env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some_and(|name| !name.is_empty()) }
    }

    /// The trace id of the present invocation, by which Lambda detects functions that call themselves in a loop.
    pub(crate) fn trace_id(self) -> Option<HeaderValue> {
        if !self.is_function {
            return None;
        }
        let trace_id = env::var("_X_AMZN_TRACE_ID").ok().filter(|trace_id| !trace_id.is_empty())?;
        HeaderValue::try_from(utf8_percent_encode(&trace_id, CONTROLS).to_string()).ok()
    }
}
