//! Bulk runs while the credentials provider fails, under a paused clock.

use aws_credential_types::provider::error::CredentialsError;

use super::*;
use crate::bulk::BulkError;
use crate::testing::provider::Provider;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn provider_error() -> CredentialsError {
    CredentialsError::provider_error("the credentials endpoint responded with 503")
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_for_hours_is_retried() {
    let provider = Provider::failing(30 * MINUTE..4 * HOUR, provider_error);
    let service = Service::new().with(|played| {
        played.job_takes = HOUR;
        played.jobs_at_once = 2;
    });
    let client = service.client_with(provider.builder());
    let report = client.bulk_run(activations(80)).run().await.unwrap();
    assert_eq!(report.finished_count(), 80);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_never_worked_is_final_after_the_attempts_of_one_call() {
    let always = Duration::ZERO..100 * HOUR;
    for provider in [Provider::failing(always.clone(), provider_error), Provider::hanging(always)] {
        let service = Service::new();
        let client = service.client_with(provider.builder());
        let started = Instant::now();
        let error = client.bulk_run(activations(80)).run().await.unwrap_err();
        assert!(matches!(error, BulkError::NothingStarted { .. }), "{error}");
        assert_eq!(provider.asked(), 3, "one call was enough for all groups");
        assert!(started.elapsed() < 5 * MINUTE, "{:?}", started.elapsed());
        assert!(service.requests("Start").is_empty() && service.requests("Get").is_empty());
    }
}
