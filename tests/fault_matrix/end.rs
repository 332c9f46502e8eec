//! The expected result of a cell.

use std::time::Duration;

use healthomics::error::StopReason;
use time::OffsetDateTime;

/// What a call returns, and what it takes.
#[derive(Clone, Debug)]
pub struct End {
    pub kind: Kind,
    /// How many attempts the call makes.
    pub attempts: u32,
    /// How many jobs there are at the service afterwards, if the operation is a start; deletions, if it is one.
    pub jobs: usize,
    /// The longest that the call waits, for the service and between attempts; processing time comes on top.
    pub waits: Duration,
    pub no_sooner: Duration,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Success(Expected),
    Error(Failed),
}

/// What must be in an output.
#[derive(Clone, Debug)]
pub enum Expected {
    /// What the service holds.
    ServiceState,
    Status(&'static str),
    Created(OffsetDateTime),
}

/// The accessors of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "as the accessors are")]
pub struct Failed {
    pub variant: String,
    pub status: Option<u16>,
    pub code: Option<String>,
    pub stopped: Option<StopReason>,
    pub retryable: bool,
    pub throttling: bool,
    pub timeout: bool,
    /// For a start or a deletion. It is always `false` for a read.
    pub may_have_been_applied: bool,
    pub retry_after: Option<Duration>,
}

pub fn success(attempts: u32, waits_millis: u64) -> End {
    End {
        kind: Kind::Success(Expected::ServiceState),
        attempts,
        jobs: 1,
        waits: Duration::from_millis(waits_millis),
        no_sooner: Duration::ZERO,
    }
}

/// A final error; the service has changed nothing.
pub fn error(variant: &str, attempts: u32, waits_millis: u64) -> End {
    let failed = Failed {
        variant: variant.to_owned(),
        status: None,
        code: None,
        stopped: None,
        retryable: false,
        throttling: false,
        timeout: false,
        may_have_been_applied: false,
        retry_after: None,
    };
    End { kind: Kind::Error(failed), jobs: 0, ..success(attempts, waits_millis) }
}

impl End {
    pub fn expecting(self, expected: Expected) -> Self {
        Self { kind: Kind::Success(expected), ..self }
    }

    pub fn no_sooner(self, millis: u64) -> Self {
        Self { no_sooner: Duration::from_millis(millis), ..self }
    }

    fn failed(mut self, change: impl FnOnce(&mut Failed)) -> Self {
        if let Kind::Error(failed) = &mut self.kind {
            change(failed);
        }
        self
    }

    pub fn status(self, status: u16) -> Self {
        self.failed(|failed| failed.status = Some(status))
    }

    pub fn code(self, code: &str) -> Self {
        self.failed(|failed| failed.code = Some(code.to_owned()))
    }

    /// A retry could have helped, and there were no attempts left.
    pub fn retryable(self) -> Self {
        self.failed(|failed| {
            failed.retryable = true;
            failed.stopped = Some(StopReason::AttemptsExhausted);
        })
    }

    pub fn throttling(self) -> Self {
        self.retryable().failed(|failed| failed.throttling = true)
    }

    pub fn timeout(self) -> Self {
        self.failed(|failed| failed.timeout = true)
    }

    pub fn stopped(self, reason: StopReason) -> Self {
        self.failed(|failed| failed.stopped = Some(reason))
    }

    pub fn retry_after(self, seconds: u64) -> Self {
        self.failed(|failed| failed.retry_after = Some(Duration::from_secs(seconds)))
    }

    /// The service may have done the work. `jobs` is how many jobs there are.
    pub fn maybe_applied(self, jobs: usize) -> Self {
        Self { jobs, ..self.failed(|failed| failed.may_have_been_applied = true) }
    }
}
