//! An operation that must not be repeated after it may have been applied.

use super::*;
use crate::SequenceStoreId;
use crate::protocol::operation::Subject;
use crate::protocol::request::HostPrefix;
use crate::read_set::StartReadSetActivationJobOutput as Output;

struct CreateSomething(SequenceStoreId);

impl Operation for CreateSomething {
    const NAME: &'static str = "CreateSomething";
    const MUTATES: bool = true;
    const REPLAY: Replay = Replay::OnlyIfNotApplied;
    type Output = Output;

    fn subject(&self) -> Subject<'_> {
        Subject::store(&self.0)
    }

    fn check(&self, _: &mut Violations) {}

    fn to_request(&self) -> Request {
        Request::post(HostPrefix::ControlStorage, &["something"], "{}")
    }

    fn complete(&self, output: &mut Output, _: Option<String>) -> Result<(), Undecodable> {
        output.client_token = "none".into();
        Ok(())
    }
}

async fn create(steps: Vec<Step>) -> (Result<Output, Error>, usize) {
    let script = Script::new(steps);
    let result = script.client().call().send(CreateSomething("1234567890".into())).await;
    (result, script.sent().len())
}

#[tokio::test(start_paused = true)]
async fn it_is_retried_after_failures_that_exclude_that_it_was_applied() {
    for step in [
        || Step::Fail(Connect),
        || Step::Fail(ConnectTimeout),
        || respond(429, &[], ""),
        || respond(400, &[("x-amzn-errortype", "ThrottlingException")], ""),
    ] {
        let (result, sent) = create(vec![step(), step(), ok()]).await;
        assert_eq!((result.is_ok(), sent), (true, 3));
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_not_retried_after_it_may_have_been_applied() {
    for step in [
        || Step::Fail(Interrupted),
        || Step::Fail(StaleConnection),
        || Step::Fail(ReadTimeout),
        || Step::Hang,
        || respond(500, &[], ""),
        || respond(503, &[], ""),
        || respond(200, &[], ""),
        || respond(200, &[], &STARTED[..20]),
    ] {
        let (result, sent) = create(vec![Step::Fail(Connect), step(), ok()]).await;
        let error = result.unwrap_err();
        assert_eq!(sent, 2, "{error}");
        assert_eq!(error.stop_reason(), Some(StopReason::MayHaveBeenApplied), "{error}");
        assert!(error.may_have_been_applied(), "{error}");
        assert!(error.to_string().contains("a retry could do its work twice, may have been applied"), "{error}");
    }
}
