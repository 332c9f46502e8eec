use std::time::SystemTime;

use super::*;
use crate::protocol::error_response::{clock_skew, server_delay};
use crate::protocol::sigv4::Secrets;
use crate::testing::response;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: ClockOffset = ClockOffset::from_millis(3_600_000);

fn retry(quota: &Quota) -> Retry {
    Retry::new(RetryPolicy::default(), quota.clone())
}

fn again(millis: u64) -> Decision {
    Decision::Retry { after: Duration::from_millis(millis) }
}

#[test]
fn what_a_failure_means() {
    use Class::{ExpiredCredentials, Final, Throttling, Transient};
    const CLOCK_SKEW: Class = Class::ClockSkew(HOUR);
    for (status, code, clock_is_off, expected) in [
        (429, None, false, Throttling),
        (429, Some("SomethingElse"), false, Throttling),
        (400, Some("ThrottlingException"), false, Throttling),
        (503, Some("SlowDown"), false, Throttling),
        (400, Some("ProvisionedThroughputExceededException"), false, Throttling),
        (400, Some("ValidationException"), false, Final),
        (402, Some("ServiceQuotaExceededException"), false, Final),
        (403, Some("AccessDeniedException"), false, Final),
        (403, None, true, Final),
        (404, None, false, Final),
        (408, None, false, Transient),
        (408, Some("RequestTimeoutException"), false, Transient),
        (400, Some("RequestTimeout"), false, Transient),
        (500, None, false, Transient),
        (500, Some("ValidationException"), false, Transient),
        (501, None, false, Final),
        (502, None, false, Transient),
        (503, None, false, Transient),
        (504, None, false, Transient),
        (505, None, false, Final),
        (301, None, false, Final),
        (416, Some("RangeNotSatisfiableException"), false, Transient),
        (403, Some("ExpiredToken"), false, ExpiredCredentials),
        (400, Some("ExpiredTokenException"), true, ExpiredCredentials),
        (403, Some("InvalidSignatureException"), false, Final),
        (403, Some("InvalidSignatureException"), true, CLOCK_SKEW),
        (403, Some("SignatureDoesNotMatch"), true, CLOCK_SKEW),
        (400, Some("RequestExpired"), true, CLOCK_SKEW),
        (403, Some("RequestTimeTooSkewed"), true, CLOCK_SKEW),
        (403, Some("AccessDeniedException"), true, Final),
    ] {
        let headers: Vec<_> = code.map(|code| ("x-amzn-errortype", code)).into_iter().collect();
        let error_response =
            ErrorResponse::read(&response(status, &headers, ""), SystemTime::UNIX_EPOCH, &Secrets::default());
        let skew = clock_is_off.then_some(HOUR);
        assert_eq!(classify(&error_response, skew), expected, "{status} {code:?} {clock_is_off}");
    }
}

#[test]
fn error_responses_that_may_have_been_applied() {
    for (status, code, expected) in [
        (400, Some("ValidationException"), false),
        (400, Some("RequestAbortedException"), true),
        (402, None, false),
        (403, Some("ExpiredTokenException"), false),
        (408, None, true),
        (429, None, false),
        (499, None, true),
        (500, None, true),
        (501, None, true),
        (502, Some("Whatever"), true),
        (503, Some("SlowDown"), false),
        (503, Some("ServiceUnavailable"), true),
        (504, None, true),
        (524, None, true),
        (599, None, true),
        (301, None, false),
    ] {
        let headers: Vec<_> = code.map(|code| ("x-amzn-errortype", code)).into_iter().collect();
        let error_response =
            ErrorResponse::read(&response(status, &headers, ""), SystemTime::UNIX_EPOCH, &Secrets::default());
        assert_eq!(
            may_have_been_applied(&error_response, classify(&error_response, None)),
            expected,
            "{status} {code:?}"
        );
    }
}

#[test]
fn backoff_doubles_up_to_its_cap_and_takes_any_share_of_it() {
    let policy = RetryPolicy::default();
    for (class, retries, jitter, expected) in [
        (Class::Transient, 0, 1.0, 50),
        (Class::Transient, 0, 0.5, 25),
        (Class::Transient, 0, 0.0, 0),
        (Class::Transient, 1, 1.0, 100),
        (Class::Transient, 5, 1.0, 1_600),
        (Class::Transient, 9, 1.0, 20_000),
        (Class::Transient, 40, 1.0, 20_000),
        (Class::Transient, u32::MAX, 1.0, 20_000),
        (Class::Throttling, 0, 1.0, 1_000),
        (Class::Throttling, 1, 0.5, 1_000),
        (Class::Throttling, 5, 1.0, 20_000),
    ] {
        let delay = policy.delay(class, retries, None, jitter);
        assert_eq!(delay, Duration::from_millis(expected), "{class:?} {retries} {jitter}");
    }
}

#[test]
fn extreme_settings_overflow_nothing() {
    let most = RetryPolicy { backoff: Duration::MAX, max_backoff: Duration::MAX, ..RetryPolicy::default() };
    for jitter in [0.0, 0.5, 1.0] {
        let hint = Some(ServerDelay::Hint(Duration::from_millis(u64::MAX)));
        assert!(most.delay(Class::Transient, u32::MAX, hint, jitter) >= most.delay(Class::Transient, 0, None, 0.0));
    }
}

#[test]
fn the_service_may_ask_for_another_wait() {
    let policy = RetryPolicy::default();
    let hint = |millis| Some(ServerDelay::Hint(Duration::from_millis(millis)));
    let order = |millis| Some(ServerDelay::Exact(Duration::from_millis(millis)));
    for (server, jitter, expected) in [
        (hint(10), 1.0, 50),
        (hint(50), 1.0, 50),
        (hint(1_000), 1.0, 1_000),
        (hint(5_050), 1.0, 5_050),
        (hint(5_051), 1.0, 5_050),
        (hint(3_600_000), 0.0, 5_000),
        (order(0), 1.0, 50),
        (order(7_000), 1.0, 7_000),
        (order(60_000), 0.0, 60_000),
    ] {
        let delay = policy.delay(Class::Transient, 0, server, jitter);
        assert_eq!(delay, Duration::from_millis(expected), "{server:?} {jitter}");
    }
}

#[test]
fn waits_are_read_from_both_headers() {
    let now = httpdate::parse_http_date("Sat, 21 Nov 2026 12:00:00 GMT").unwrap();
    let order = |seconds| Some(ServerDelay::Exact(Duration::from_secs(seconds)));
    for (headers, expected) in [
        (vec![], None),
        (vec![("retry-after", "7")], order(7)),
        (vec![("Retry-After", " 0 ")], order(0)),
        (vec![("retry-after", "Sat, 21 Nov 2026 12:01:30 GMT")], order(90)),
        (vec![("retry-after", "Sat, 21 Nov 2026 11:00:00 GMT")], order(0)),
        (vec![("retry-after", "Sat, 21 Nov 2026 10:00:05 GMT"), ("date", "Sat, 21 Nov 2026 10:00:00 GMT")], order(5)),
        (vec![("retry-after", "soon")], None),
        (vec![("retry-after", "-1")], None),
        // Nothing is longer than a day.
        (vec![("retry-after", "86401")], order(86_400)),
        (vec![("retry-after", "18446744073709551615")], order(86_400)),
        (vec![("retry-after", "99999999999999999999999")], order(86_400)),
        (vec![("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")], order(86_400)),
        (vec![("x-amz-retry-after", "99999999999999999999999")], Some(ServerDelay::Hint(Duration::from_hours(24)))),
        // A `Date` that is wrong, by decades or by hours, in both directions.
        (vec![("retry-after", "Sat, 21 Nov 2026 12:01:00 GMT"), ("date", "Sun, 06 Nov 1994 08:49:37 GMT")], order(60)),
        (vec![("retry-after", "Sat, 21 Nov 2026 12:01:00 GMT"), ("date", "Sat, 21 Nov 2026 14:00:00 GMT")], order(60)),
        // Both clocks are past it.
        (vec![("retry-after", "Sat, 21 Nov 2026 11:00:00 GMT"), ("date", "Sat, 21 Nov 2026 11:30:00 GMT")], order(0)),
        (vec![("x-amz-retry-after", "1500")], Some(ServerDelay::Hint(Duration::from_millis(1500)))),
        (vec![("retry-after", "9"), ("x-amz-retry-after", "20")], Some(ServerDelay::Hint(Duration::from_millis(20)))),
        (vec![("retry-after", "9"), ("x-amz-retry-after", "x")], order(9)),
    ] {
        assert_eq!(server_delay(&response(503, &headers, ""), now), expected, "{headers:?}");
    }
}

#[test]
fn a_clock_is_off_by_more_than_four_minutes_only() {
    let at = |text: &str| httpdate::parse_http_date(text).unwrap();
    let signed = at("Sat, 21 Nov 2026 12:00:00 GMT");
    for (headers, expected) in [
        (vec![("date", "Sat, 21 Nov 2026 12:04:00 GMT")], None),
        (vec![("date", "Sat, 21 Nov 2026 12:04:01 GMT")], Some("Sat, 21 Nov 2026 12:04:01 GMT")),
        (vec![("date", "Sat, 21 Nov 2026 11:56:00 GMT")], None),
        (vec![("date", "Sat, 21 Nov 2026 11:55:59 GMT")], Some("Sat, 21 Nov 2026 11:55:59 GMT")),
        (vec![("date", "Fri, 20 Nov 2026 12:00:00 GMT"), ("age", "3")], None),
        (vec![("date", "tomorrow")], None),
        (vec![], None),
    ] {
        assert_eq!(clock_skew(&response(403, &headers, ""), signed), expected.map(at), "{headers:?}");
    }
}

#[test]
fn attempts_end_at_the_limit() {
    let mut retry = retry(&Quota::new(None));
    assert_eq!(retry.next_attempt(), 1);
    assert_eq!(retry.failed(Class::Transient, None, 1.0, None), again(50));
    assert_eq!(retry.next_attempt(), 2);
    assert_eq!(retry.failed(Class::Transient, None, 1.0, None), again(100));
    assert_eq!(retry.next_attempt(), 3);
    assert_eq!(retry.failed(Class::Transient, None, 1.0, None), Decision::Stop(Some(StopReason::AttemptsExhausted)));
}

#[test]
fn what_cannot_get_better_is_not_tried_again() {
    let mut retry = retry(&Quota::new(None));
    retry.next_attempt();
    assert_eq!(retry.failed(Class::Final, None, 1.0, None), Decision::Stop(None));
}

#[test]
fn corrections_are_made_at_once_for_free_and_not_often() {
    let quota = Quota::new(Some(0));
    for (class, most) in [(Class::ClockSkew(HOUR), 2), (Class::ExpiredCredentials, 1)] {
        let mut retry = retry(&quota);
        for _ in 0..most {
            retry.next_attempt();
            assert_eq!(retry.failed(class, None, 1.0, Some(Duration::ZERO)), again(0), "{class:?}");
        }
        retry.next_attempt();
        assert_eq!(retry.failed(class, None, 1.0, None), Decision::Stop(None), "{class:?}");
    }
}

#[test]
fn a_correction_is_not_one_of_the_attempts() {
    let mut retry = Retry::new(RetryPolicy { max_attempts: 2, ..RetryPolicy::default() }, Quota::new(None));
    retry.next_attempt();
    assert_eq!(retry.failed(Class::ExpiredCredentials, None, 1.0, None), again(0));
    retry.next_attempt();
    assert_eq!(retry.failed(Class::Transient, None, 1.0, None), again(50));
    retry.next_attempt();
    assert_eq!(retry.failed(Class::Transient, None, 1.0, None), Decision::Stop(Some(StopReason::AttemptsExhausted)));
}

#[test]
fn after_a_stale_connection_a_call_is_retried_at_once_for_free_and_once() {
    let quota = Quota::new(Some(14));
    let mut retry = Retry::new(RetryPolicy { max_attempts: 4, ..RetryPolicy::default() }, quota.clone());
    retry.next_attempt();
    assert_eq!(retry.failed(Class::StaleConnection, None, 1.0, Some(SECOND)), again(0));
    assert_eq!(quota.tokens(), Some(14));
    retry.next_attempt();
    // It is one of the attempts, and not one of the backoffs.
    assert_eq!(retry.failed(Class::StaleConnection, None, 1.0, None), again(50));
    assert_eq!(quota.tokens(), Some(0));
    retry.next_attempt();
    assert_eq!(retry.failed(Class::Transient, None, 1.0, None), Decision::Stop(Some(StopReason::QuotaExhausted)));
}

#[test]
fn a_stale_connection_counts_as_an_attempt() {
    for (max_attempts, left, reason) in
        [(1, None, StopReason::AttemptsExhausted), (2, Some(Duration::ZERO), StopReason::NoTimeLeft)]
    {
        let mut retry = Retry::new(RetryPolicy { max_attempts, ..RetryPolicy::default() }, Quota::new(None));
        retry.next_attempt();
        assert_eq!(retry.failed(Class::StaleConnection, None, 1.0, left), Decision::Stop(Some(reason)));
    }
    let mut retry = Retry::new(RetryPolicy { max_attempts: 2, ..RetryPolicy::default() }, Quota::new(None));
    retry.next_attempt();
    assert_eq!(retry.failed(Class::StaleConnection, None, 1.0, None), again(0));
    retry.next_attempt();
    assert_eq!(retry.failed(Class::Transient, None, 1.0, None), Decision::Stop(Some(StopReason::AttemptsExhausted)));
}

#[test]
fn a_wait_must_fit_into_the_time_left() {
    let quota = Quota::new(Some(500));
    let no_time = Decision::Stop(Some(StopReason::NoTimeLeft));
    let order = |seconds| Some(ServerDelay::Exact(Duration::from_secs(seconds)));
    for (server, left, expected) in [
        (None, Some(Duration::from_millis(51)), again(50)),
        (None, Some(Duration::from_millis(50)), no_time),
        (order(30), Some(31 * SECOND), again(30_000)),
        (order(30), Some(30 * SECOND), no_time),
        (order(300), None, again(300_000)),
        (order(301), None, Decision::Stop(Some(StopReason::DelayTooLong))),
        (order(301), Some(10 * SECOND), Decision::Stop(Some(StopReason::DelayTooLong))),
    ] {
        let mut retry = retry(&quota);
        retry.next_attempt();
        assert_eq!(retry.failed(Class::Transient, server, 1.0, left), expected, "{server:?} {left:?}");
    }
    assert_eq!(quota.tokens(), Some(500), "a wait that was refused costs nothing, one that was cancelled neither");
}

#[test]
fn the_quota_is_paid_given_back_and_refilled() {
    let quota = Quota::new(Some(500));
    let mut call = retry(&quota);
    call.next_attempt();
    call.failed(Class::Transient, None, 1.0, None);
    assert_eq!(quota.tokens(), Some(486));
    call.next_attempt();
    call.succeeded();
    assert_eq!(quota.tokens(), Some(500), "a call that succeeded after one retry costs nothing in the end");

    let mut call = retry(&quota);
    call.next_attempt();
    call.failed(Class::Transient, None, 1.0, None);
    call.next_attempt();
    call.failed(Class::Throttling, None, 1.0, None);
    assert_eq!(quota.tokens(), Some(481));
    call.next_attempt();
    call.succeeded();
    assert_eq!(quota.tokens(), Some(486), "after two retries the first stays paid");

    let mut call = retry(&quota);
    call.succeeded();
    assert_eq!(quota.tokens(), Some(487), "a success without retries puts one token in");
}

#[test]
fn a_call_that_fails_has_spent_its_tokens() {
    let quota = Quota::new(Some(500));
    let mut call = retry(&quota);
    for _ in 0..3 {
        call.next_attempt();
        call.failed(Class::Throttling, None, 1.0, None);
    }
    drop(call);
    assert_eq!(quota.tokens(), Some(490));
}

#[test]
fn a_cancelled_call_leaves_nothing_behind() {
    let quota = Quota::new(Some(500));
    let mut call = retry(&quota);
    call.next_attempt();
    call.failed(Class::Transient, None, 1.0, None);
    drop(call);
    assert_eq!(quota.tokens(), Some(500));
}

#[test]
fn an_empty_quota_says_so() {
    let quota = Quota::new(Some(15));
    let mut first = retry(&quota);
    first.next_attempt();
    assert_eq!(first.failed(Class::Transient, None, 1.0, None), again(50));
    let mut second = retry(&quota);
    second.next_attempt();
    let stop = Decision::Stop(Some(StopReason::QuotaExhausted));
    assert_eq!(second.failed(Class::Transient, None, 1.0, None), stop);
    assert_eq!(quota.tokens(), Some(1));
}

#[test]
fn the_quota_never_grows_over_its_capacity() {
    let quota = Quota::new(Some(2));
    for _ in 0..5 {
        retry(&quota).succeeded();
    }
    assert_eq!(quota.tokens(), Some(2));
}
