//! Refused signatures, and `Date` headers that are right or wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::*;
use crate::http::{Body, HttpClient, HttpFuture};
use crate::testing::{into_http, response};

/// What the service tolerates.
const TOLERANCE: Duration = Duration::from_mins(5);

const WRONG: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

fn noon() -> SystemTime {
    httpdate::parse_http_date("Sat, 21 Nov 2026 12:00:00 GMT").unwrap()
}

/// A service at noon that refuses requests which are signed by another clock than its own.
#[derive(Clone, Debug, Default)]
struct Service(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// The next requests are refused, whatever they are signed by, with these `Date` headers.
    refusals: VecDeque<Option<&'static str>>,
    /// Whether that is so for the first attempt of a call alone.
    first_attempts_alone: bool,
    /// The `Date` header of all other responses; the right one if there is none.
    date: Option<&'static str>,
    has_no_date: bool,
    requests: usize,
}

impl Service {
    fn refusing(refusals: impl IntoIterator<Item = Option<&'static str>>) -> Self {
        let service = Self::default();
        service.0.lock().unwrap().refusals = refusals.into_iter().collect();
        service
    }

    fn with(self, change: impl FnOnce(&mut State)) -> Self {
        change(&mut self.0.lock().unwrap());
        self
    }

    /// A client whose clock shows this time.
    fn client(&self, clock: &Arc<Mutex<SystemTime>>) -> Client {
        let clock = Arc::clone(clock);
        let builder = builder().time_source(move || *clock.lock().unwrap());
        builder.http_client(self.clone()).build().unwrap()
    }

    /// How many requests there were since this was asked last.
    fn requests(&self) -> usize {
        std::mem::take(&mut self.0.lock().unwrap().requests)
    }
}

impl HttpClient for Service {
    fn send(&self, request: http::Request<Body>) -> HttpFuture {
        let headers = request.headers();
        let signed_at = headers["x-amz-date"].to_str().unwrap();
        let format = time::macros::format_description!("[year][month][day]T[hour][minute][second]Z");
        let signed_at: SystemTime = time::PrimitiveDateTime::parse(signed_at, format).unwrap().assume_utc().into();
        let off = signed_at.duration_since(noon()).or_else(|_| noon().duration_since(signed_at)).unwrap();

        let mut state = self.0.lock().unwrap();
        state.requests += 1;
        let own_date = httpdate::fmt_http_date(noon());
        let own_date = (!state.has_no_date).then(|| state.date.map_or(own_date, str::to_owned));
        let may_refuse = !state.first_attempts_alone || headers["amz-sdk-request"] == "attempt=1; max=3";
        let (refused, date) = match may_refuse.then(|| state.refusals.pop_front()).flatten() {
            Some(date) => (true, date.map(str::to_owned)),
            None => (off > TOLERANCE, own_date),
        };
        let mut fields = Vec::new();
        fields.extend(date.as_deref().map(|date| ("date", date)));
        let response = if refused {
            fields.push(("x-amzn-errortype", "InvalidSignatureException"));
            response(403, &fields, "")
        } else {
            response(200, &fields, STARTED)
        };
        Box::pin(async { Ok(into_http(response)) })
    }
}

fn clock_at(time: SystemTime) -> Arc<Mutex<SystemTime>> {
    Arc::new(Mutex::new(time))
}

#[tokio::test(start_paused = true)]
async fn a_rejection_with_a_wrong_date_fails_no_call() {
    let service = Service::refusing([Some(WRONG)]);
    let client = service.client(&clock_at(noon()));
    start(&client).await.unwrap();
    assert_eq!(service.requests(), 3, "refused, signed by the wrong clock, signed by the right one again");
    start(&client).await.unwrap();
    assert_eq!(service.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_does_not_change_the_clock() {
    // Without dates nobody could put the clock right again.
    let service = Service::refusing([Some(WRONG), Some(WRONG)]).with(|state| state.has_no_date = true);
    let client = service.client(&clock_at(noon()));
    let error = start(&client).await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(403), 2));
    service.requests();
    for _ in 0..3 {
        start(&client).await.unwrap();
        assert_eq!(service.requests(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_do_not_change_the_clock_of_each_other() {
    let service = Service::refusing([Some(WRONG); 16]).with(|state| state.first_attempts_alone = true);
    let client = service.client(&clock_at(noon()));
    let calls: Vec<_> = (0..32).map(|_| tokio::spawn(start_owned(client.clone()))).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!(service.requests(), 16 * 3 + 16);
}

#[tokio::test(start_paused = true)]
async fn a_date_that_is_always_wrong_has_no_effect() {
    let service = Service::default().with(|state| state.date = Some(WRONG));
    let client = service.client(&clock_at(noon()));
    for _ in 0..3 {
        start(&client).await.unwrap();
    }
    assert_eq!(service.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_in_the_meantime_is_used() {
    let service = Service::default();
    let clock = clock_at(noon() - Duration::from_hours(2));
    let client = service.client(&clock);
    for (time, requests) in [(noon() - Duration::from_hours(2), 2), (noon(), 2), (noon() + Duration::from_hours(9), 2)]
    {
        *clock.lock().unwrap() = time;
        start(&client).await.unwrap();
        assert_eq!(service.requests(), requests);
        start(&client).await.unwrap();
        assert_eq!(service.requests(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_and_a_date_that_are_both_wrong_end_the_call() {
    let service = Service::default().with(|state| state.date = Some(WRONG));
    let client = service.client(&clock_at(noon() - Duration::from_hours(2)));
    let error = start(&client).await.unwrap_err();
    assert_eq!((error.status(), error.attempts(), error.is_retryable()), (Some(403), 2, false));
}
