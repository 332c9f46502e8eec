use super::*;
use crate::http::HttpErrorKind;
use crate::testing::{Script, Step, builder, respond};

const QUOTA_FULL: StartEvent = StartEvent::Failed(StartFailure::QuotaFull { retry_after: Duration::ZERO });
const UNAVAILABLE: StartEvent = StartEvent::Failed(StartFailure::Unavailable { retry_after: Duration::ZERO });
const REFUSED: StartEvent = StartEvent::Failed(StartFailure::Refused);
const ALL_REFUSED: StartEvent = StartEvent::Failed(StartFailure::AllRefused);
use StartEvent::{Accepted, JobEnded};

fn quota_full(retry_after: u64) -> StartEvent {
    StartEvent::Failed(StartFailure::QuotaFull { retry_after: Duration::from_secs(retry_after) })
}

fn unavailable(retry_after: u64) -> StartEvent {
    StartEvent::Failed(StartFailure::Unavailable { retry_after: Duration::from_secs(retry_after) })
}

/// A decision with seconds since the beginning.
#[derive(Debug, PartialEq)]
enum Expected {
    Start,
    Until(u64),
    Event,
    Stop,
}

impl Expected {
    fn of(decision: Decision, begin: Instant) -> Self {
        match decision {
            Decision::Start => Self::Start,
            Decision::WaitUntil(time) => Self::Until(time.duration_since(begin).as_secs()),
            Decision::WaitForEvent => Self::Event,
            Decision::Stop => Self::Stop,
        }
    }
}

/// The decisions after events at the given seconds, for a gate of five running jobs and without randomness.
#[test]
fn decisions_by_events_time_and_jobs() {
    use Expected::{Event, Start, Stop, Until};

    let none: &[(u64, StartEvent)] = &[];
    let accepted: &[(u64, StartEvent)] = &[(0, Accepted)];
    for (events, now, starts_in_flight, running_jobs, expected) in [
        // One start is in flight until one is accepted, then four.
        (none, 0, 0, 0, Start),
        (none, 0, 1, 0, Event),
        (none, 9, 1, 0, Event),
        (&[(0, REFUSED)], 0, 0, 0, Start),
        (&[(0, REFUSED)], 0, 1, 0, Event),
        (accepted, 0, 0, 1, Start),
        (accepted, 0, 3, 1, Start),
        (accepted, 0, 4, 0, Event),
        // Running jobs and starts in flight count for the number of running jobs.
        (accepted, 0, 0, 4, Start),
        (accepted, 0, 0, 5, Event),
        (accepted, 0, 1, 4, Event),
        (accepted, 0, 0, 6, Event),
        // A full quota delays starts for ten seconds, or as long as the service requests, or until a job ends.
        (&[(0, Accepted), (1, QUOTA_FULL)], 1, 0, 1, Until(11)),
        (&[(0, Accepted), (1, QUOTA_FULL)], 10, 0, 1, Until(11)),
        (&[(0, Accepted), (1, QUOTA_FULL)], 11, 0, 1, Start),
        (&[(0, Accepted), (1, quota_full(5))], 1, 0, 1, Until(11)),
        (&[(0, Accepted), (1, quota_full(60))], 1, 0, 1, Until(61)),
        (&[(0, Accepted), (1, QUOTA_FULL), (2, JobEnded)], 2, 0, 1, Start),
        (&[(0, Accepted), (1, QUOTA_FULL), (2, Accepted)], 2, 0, 1, Until(11)),
        (&[(0, Accepted), (1, QUOTA_FULL)], 1, 0, 5, Event),
        (&[(0, Accepted), (1, QUOTA_FULL)], 1, 4, 0, Event),
        // The backoff doubles with each consecutive failure, up to thirty seconds. The end of a job does not end it.
        (&[(0, UNAVAILABLE)], 0, 0, 0, Until(2)),
        (&[(0, UNAVAILABLE)], 2, 0, 0, Start),
        (&[(0, UNAVAILABLE), (2, UNAVAILABLE)], 2, 0, 0, Until(6)),
        (&[(0, UNAVAILABLE), (2, UNAVAILABLE), (6, UNAVAILABLE)], 6, 0, 0, Until(14)),
        (&[(0, UNAVAILABLE); 4], 0, 0, 0, Until(16)),
        (&[(0, UNAVAILABLE); 5], 0, 0, 0, Until(30)),
        (&[(0, UNAVAILABLE); 99], 0, 0, 0, Until(30)),
        (&[(0, UNAVAILABLE), (1, JobEnded)], 1, 0, 0, Until(2)),
        (&[(0, unavailable(90))], 0, 0, 0, Until(90)),
        (&[(0, unavailable(1))], 0, 0, 0, Until(2)),
        // An accepted start ends the consecutive failures, not the backoff. A refused one is neither.
        (&[(0, UNAVAILABLE), (1, Accepted)], 1, 0, 1, Until(2)),
        (&[(0, UNAVAILABLE), (0, UNAVAILABLE), (1, Accepted), (5, UNAVAILABLE)], 5, 0, 1, Until(7)),
        (&[(0, UNAVAILABLE), (0, UNAVAILABLE), (1, REFUSED), (5, UNAVAILABLE)], 5, 0, 1, Until(13)),
        // The later of two delays counts.
        (&[(0, QUOTA_FULL), (0, UNAVAILABLE)], 0, 0, 0, Until(10)),
        (&[(0, QUOTA_FULL), (0, unavailable(20))], 0, 0, 0, Until(20)),
        (&[(0, QUOTA_FULL), (0, UNAVAILABLE), (0, JobEnded)], 0, 0, 0, Until(2)),
        // No start after one that shows that all would be refused.
        (&[(0, ALL_REFUSED)], 0, 0, 0, Stop),
        (&[(0, ALL_REFUSED)], 1_000, 4, 9, Stop),
        (&[(0, Accepted), (1, ALL_REFUSED), (2, Accepted), (3, JobEnded)], 3, 0, 0, Stop),
        (&[(0, ALL_REFUSED), (0, QUOTA_FULL)], 0, 0, 0, Stop),
    ] {
        let begin = Instant::now();
        let mut gate = StartGate::new(5);
        for (seconds, event) in events {
            gate.observe(*event, begin + Duration::from_secs(*seconds), 1.0);
        }
        let decision = gate.decide(begin + Duration::from_secs(now), starts_in_flight, running_jobs);
        let case = format!("{events:?} at {now} s, {starts_in_flight} in flight, {running_jobs} running");
        assert_eq!(Expected::of(decision, begin), expected, "{case}");
    }
}

#[test]
fn a_backoff_has_full_jitter() {
    let begin = Instant::now();
    for (jitter, millis) in [(0.0, 0), (0.25, 500), (1.0, 2_000)] {
        let mut gate = StartGate::new(1);
        gate.observe(UNAVAILABLE, begin, jitter);
        let expected = match millis {
            0 => Decision::Start,
            millis => Decision::WaitUntil(begin + Duration::from_millis(millis)),
        };
        assert_eq!(gate.decide(begin, 0, 0), expected);
    }
}

/// The error of a start that is not retried by the client.
async fn error_of(step: Step) -> Error {
    let client = Script::new([step]).client_with(builder().max_attempts(1)).unwrap();
    let call = client.start_read_set_activation_job().sequence_store_id("1234567890").sources(["5555555555"]);
    call.send().await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn failures_by_error_and_earlier_starts() {
    let code = |status: u16, code: &'static str| respond(status, &[("x-amzn-errortype", code)], "");
    let unavailable = |seconds: u64| StartFailure::Unavailable { retry_after: Duration::from_secs(seconds) };
    let quota_full = |seconds: u64| StartFailure::QuotaFull { retry_after: Duration::from_secs(seconds) };
    let delayed = |status: u16, seconds: &'static str| respond(status, &[("retry-after", seconds)], "");
    for (step, indeterminate_starts, has_accepted, expected) in [
        (code(402, "ServiceQuotaExceededException"), 0, false, quota_full(0)),
        (code(402, "ServiceQuotaExceededException"), 9, true, quota_full(0)),
        (delayed(402, "7"), 0, true, quota_full(7)),
        (code(429, "ThrottlingException"), 0, true, unavailable(0)),
        (delayed(429, "7"), 0, true, unavailable(7)),
        (delayed(503, "18446744073709551615"), 1, false, unavailable(15 * 60)),
        (code(500, "InternalServerException"), 9, true, unavailable(0)),
        (Step::Fail(HttpErrorKind::Connect), 0, false, unavailable(0)),
        (Step::Fail(HttpErrorKind::Interrupted), 9, false, unavailable(0)),
        // A response that can't be used is no outage, so it is not retried for ever.
        (respond(200, &[("x-amzn-requestid", "1")], "{}"), 1, true, unavailable(0)),
        (respond(200, &[("x-amzn-requestid", "1")], "{}"), 2, true, unavailable(0)),
        (respond(200, &[("x-amzn-requestid", "1")], "{}"), 3, true, StartFailure::Refused),
        (code(400, "ValidationException"), 0, true, StartFailure::Refused),
        (code(400, "ValidationException"), 2, true, StartFailure::Refused),
        (code(409, "ConflictException"), 0, false, StartFailure::Refused),
        // A missing store is one before any start was accepted; afterwards it is a read set that is missing.
        (code(404, "ResourceNotFoundException"), 0, false, StartFailure::AllRefused),
        (code(404, "ResourceNotFoundException"), 0, true, StartFailure::Refused),
        (code(401, "NotAuthorized"), 0, true, StartFailure::AllRefused),
        (code(403, "AccessDeniedException"), 0, true, StartFailure::AllRefused),
        (code(400, "IncompleteSignature"), 0, true, StartFailure::AllRefused),
        (code(400, "RequestExpired"), 0, true, StartFailure::AllRefused),
    ] {
        let error = error_of(step).await;
        let failure = StartFailure::of(&error, indeterminate_starts, has_accepted);
        assert_eq!(failure, expected, "{error}, {indeterminate_starts}, {has_accepted}");
    }
}
