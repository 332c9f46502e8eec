//! How a cell is to end.

use std::time::Duration;

use healthomics::error::StopReason;
use time::OffsetDateTime;

/// What a caller gets, and what that costs.
#[derive(Clone, Debug)]
pub struct End {
    pub kind: Kind,
    /// Attempts, so requests unless none arrived.
    pub attempts: u32,
    /// Jobs at the service, if the operation is a start.
    pub jobs: usize,
    /// The longest that it waits: for the service, and between attempts. The work itself comes on top.
    pub waits: Duration,
    pub no_sooner: Duration,
}

#[derive(Clone, Debug)]
pub enum Kind {
    Answer(Sees),
    Error(Failed),
}

/// What must be in an answer.
#[derive(Clone, Debug)]
pub enum Sees {
    /// What is at the service.
    Truth,
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
    /// For a start. Of what only reads it is never said.
    pub may_have_been_applied: bool,
    pub retry_after: Option<Duration>,
}

pub fn answer(attempts: u32, waits_millis: u64) -> End {
    End {
        kind: Kind::Answer(Sees::Truth),
        attempts,
        jobs: 1,
        waits: Duration::from_millis(waits_millis),
        no_sooner: Duration::ZERO,
    }
}

/// One that is final, and after which nothing was done.
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
    End { kind: Kind::Error(failed), jobs: 0, ..answer(attempts, waits_millis) }
}

impl End {
    pub fn sees(self, sees: Sees) -> Self {
        Self { kind: Kind::Answer(sees), ..self }
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

    /// Another attempt could have helped, and there was none left.
    pub fn retryable(self) -> Self {
        self.failed(|failed| (failed.retryable, failed.stopped) = (true, Some(StopReason::AttemptsExhausted)))
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

    /// The caller can't know whether there is a job; so many there are.
    pub fn maybe(self, jobs: usize) -> Self {
        Self { jobs, ..self.failed(|failed| failed.may_have_been_applied = true) }
    }
}
