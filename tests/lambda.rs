//! What a client sends in AWS Lambda. The environment of a function is that of a child process of this test.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use healthomics::local::LocalService;

/// The trace header of a call that a child process with these environment variables makes.
async fn trace_id(variables: &[(&str, &str)]) -> Option<String> {
    let local = LocalService::start().await.unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_process", "--nocapture"]);
    command.env_remove("AWS_LAMBDA_FUNCTION_NAME").env_remove("_X_AMZN_TRACE_ID");
    command.env("TEST_ENDPOINT_URL", local.endpoint_url()).envs(variables.iter().copied());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    let requests = local.requests();
    assert_eq!(requests.len(), 1);
    let authorization = requests[0].header("authorization").unwrap();
    assert!(!authorization.contains("x-amzn-trace-id"), "the header is not signed, as proxies may change it");
    requests[0].header("x-amzn-trace-id").map(str::to_owned)
}

/// The child process. It does nothing unless the other test starts it.
#[tokio::test]
async fn child_process() {
    let Ok(url) = std::env::var("TEST_ENDPOINT_URL") else { return };
    let credentials =
        healthomics::Credentials::new(LocalService::ACCESS_KEY_ID, LocalService::SECRET_ACCESS_KEY, None, None, "test");
    let client = healthomics::Client::builder().region("us-east-1").endpoint_url(url).credentials(credentials);
    let client = client.use_system_proxy(false).build().unwrap();
    let error = client.get_read_set_metadata().sequence_store_id("1234567890").id("5555555555").send().await;
    assert_eq!(error.unwrap_err().status(), Some(404));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_lambda_the_trace_id_is_sent() {
    let function = ("AWS_LAMBDA_FUNCTION_NAME", "export");
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    assert_eq!(trace_id(&[function, ("_X_AMZN_TRACE_ID", trace)]).await.as_deref(), Some(trace));
    assert_eq!(trace_id(&[function, ("_X_AMZN_TRACE_ID", "a\nb\u{e9}")]).await.as_deref(), Some("a%0Ab%C3%A9"));
    for variables in [&[][..], &[function], &[("_X_AMZN_TRACE_ID", trace)], &[function, ("_X_AMZN_TRACE_ID", "")]] {
        assert_eq!(trace_id(variables).await, None, "{variables:?}");
    }
}
