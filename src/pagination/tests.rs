//! Pages and items over a scripted transport.

use std::time::Duration;

use futures_core::Stream;

use super::*;
use crate::http::HttpErrorKind::Interrupted;
use crate::read_set::{ListReadSetExportJobsOutput, ListReadSets, ListReadSetsOutput};
use crate::testing::{Script, Step, respond};

/// A page of read sets by their ids.
fn page(ids: &[&str], token: &str) -> Step {
    let items: Vec<_> = ids.iter().map(|id| format!(r#"{{"id":"{id}","status":"ACTIVE"}}"#)).collect();
    let body = format!(r#"{{"readSets":[{}],"nextToken":{token}}}"#, items.join(","));
    respond(200, &[("x-amzn-requestid", "req-1")], &body)
}

fn list(script: &Script) -> ListReadSets<crate::builder::Set<crate::model::SequenceStoreId>> {
    script.client().list_read_sets().sequence_store_id("1234567890")
}

/// The queries of what was sent, decoded.
fn queries(script: &Script) -> Vec<String> {
    let query = |url: &url::Url| url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
    script.sent().iter().map(|sent| query(&sent.url).join("&")).collect()
}

async fn ids(mut items: Items<ListReadSetsOutput>) -> Vec<String> {
    let mut ids = Vec::new();
    while let Some(item) = items.next().await {
        ids.push(item.unwrap().id.to_string());
    }
    ids
}

#[test]
fn lists_are_send_and_unpin() {
    fn holds<T: Send + Unpin + Stream + fmt::Debug + 'static>() {}
    fn of_next(pages: &mut Pages<ListReadSetsOutput>) -> impl Send {
        pages.next()
    }

    holds::<Pages<ListReadSetsOutput>>();
    holds::<Items<ListReadSetsOutput>>();
    holds::<Items<ListReadSetExportJobsOutput>>();
    drop(of_next(&mut list(&Script::new([page(&[], "null")])).pages()));
}

#[tokio::test]
async fn items_are_returned_in_order_from_full_and_empty_pages() {
    let script = Script::new([
        page(&["1", "2"], "\"a+/= \""),
        page(&[], "\"b\""),
        page(&["3"], "\"c\""),
        page(&[], "\"d\""),
        page(&["4", "5"], "\"\""),
        page(&["never"], "null"),
    ]);
    assert_eq!(ids(list(&script).max_results(2).items()).await, ["1", "2", "3", "4", "5"]);
    assert_eq!(
        queries(&script),
        [
            "maxResults=2",
            "maxResults=2&nextToken=a+/= ",
            "maxResults=2&nextToken=b",
            "maxResults=2&nextToken=c",
            "maxResults=2&nextToken=d"
        ]
    );
}

#[tokio::test]
async fn pages_end_without_a_token_and_stay_ended() {
    for token in ["null", "\"\""] {
        let script = Script::new([page(&["1"], "\"a\""), page(&["2"], token)]);
        let mut pages = list(&script).pages();
        assert_eq!(pages.token(), None);
        assert_eq!(pages.next().await.unwrap().unwrap().read_sets.len(), 1);
        assert_eq!(pages.token(), Some("a"));
        assert_eq!(pages.next().await.unwrap().unwrap().read_sets[0].id, "2");
        assert_eq!(pages.token(), None);
        assert!(pages.next().await.is_none() && pages.next().await.is_none());
        assert_eq!(script.sent().len(), 2);
    }
}

#[tokio::test]
async fn a_list_goes_on_from_a_token_with_the_same_filter_and_settings() {
    let script = Script::new([page(&["3"], "null")]);
    let call = list(&script).next_token("stored").filter(crate::read_set::ReadSetFilter::new().name("n"));
    let mut pages = call.pages();
    assert_eq!(pages.token(), Some("stored"));
    assert_eq!(pages.next().await.unwrap().unwrap().read_sets[0].id, "3");
    assert_eq!(queries(&script), ["nextToken=stored"]);
    assert_eq!(&script.sent()[0].body[..], br#"{"filter":{"name":"n"}}"#);

    let script = Script::new([page(&["1"], "\"a\""), respond(500, &[], "")]);
    let mut pages = list(&script).max_attempts(1).pages();
    pages.next().await.unwrap().unwrap();
    assert_eq!(pages.next().await.unwrap().unwrap_err().attempts(), 1);
    assert_eq!(script.sent().len(), 2);
}

#[tokio::test]
async fn a_repeated_token_is_an_error() {
    let script = Script::new([page(&["1"], "\"a\""), page(&["2"], "\"a\"")]);
    let mut items = list(&script).items();
    assert_eq!(items.next().await.unwrap().unwrap().id, "1");
    let error = items.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::UndecodableResponse(_)), "{error:?}");
    assert!(!error.is_retryable() && !error.may_have_been_applied());
    assert_eq!(
        error.to_string(),
        "ListReadSets (store 1234567890): the service repeats the page token that it was sent: the list would never end \
         [request req-1, 1 attempt]"
    );
    assert!(items.next().await.is_none() && items.next().await.is_none());
    assert_eq!(script.sent().len(), 2);
}

#[tokio::test]
async fn a_cycle_of_tokens_is_an_error() {
    let script = Script::new([page(&["1"], "\"a\""), page(&["2"], "\"b\""), page(&["3"], "\"a\"")]);
    let mut pages = list(&script).pages();
    for _ in 0..2 {
        pages.next().await.unwrap().unwrap();
    }
    let error = pages.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::UndecodableResponse(_)), "{error:?}");
    assert!(error.to_string().contains("led to an earlier page"), "{error}");
    assert!(pages.next().await.is_none());
    assert_eq!(pages.token(), Some("b"));

    // A stored token counts, too.
    let script = Script::new([page(&["1"], "\"a\""), page(&["2"], "\"stored\"")]);
    let mut pages = list(&script).next_token("stored").pages();
    pages.next().await.unwrap().unwrap();
    assert!(pages.next().await.unwrap().is_err());
}

#[tokio::test]
async fn an_error_ends_the_list_and_the_token_is_of_the_failed_page() {
    let script = Script::new([page(&["1"], "\"a\""), respond(403, &[], ""), page(&["2"], "null")]);
    let mut pages = list(&script).pages();
    pages.next().await.unwrap().unwrap();
    assert!(matches!(pages.next().await, Some(Err(Error::AccessDeniedException(_)))));
    assert!(pages.next().await.is_none() && pages.next().await.is_none());
    let stored = pages.token().unwrap().to_owned();
    assert_eq!(ids(list(&script).next_token(stored).items()).await, ["2"]);
    assert_eq!(queries(&script), ["", "nextToken=a", "nextToken=a"]);
}

#[tokio::test]
async fn an_invalid_field_is_reported_once_and_nothing_is_sent() {
    let script = Script::new([page(&[], "null")]);
    let mut items = list(&script).max_results(0).items();
    assert!(matches!(items.next().await, Some(Err(Error::InvalidInput(_)))));
    assert!(items.next().await.is_none());
    assert!(script.sent().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_next_loses_and_repeats_nothing() {
    let script = Script::new([
        page(&["1", "2"], "\"a\""),
        // The call for the second page waits for its second attempt when its future is dropped.
        Step::Fail(Interrupted),
        Step::Fail(Interrupted),
        page(&["3"], "\"b\""),
        page(&["4"], "null"),
    ]);
    let builder = crate::testing::builder().initial_backoff(Duration::from_secs(10)).retry_quota(100);
    let client = script.client_with(builder).unwrap();
    let mut items = client.list_read_sets().sequence_store_id("1234567890").items();
    let mut ids = Vec::new();
    let mut dropped = 0;
    loop {
        match tokio::time::timeout(Duration::from_millis(1), items.next()).await {
            Ok(Some(item)) => ids.push(item.unwrap().id.to_string()),
            Ok(None) => break,
            Err(_) => dropped += 1,
        }
    }
    assert_eq!(ids, ["1", "2", "3", "4"]);
    assert!(dropped > 2, "{dropped}");
    assert_eq!(queries(&script), ["", "nextToken=a", "nextToken=a", "nextToken=a", "nextToken=b"]);
}

#[tokio::test]
async fn lists_are_streams() {
    let script = Script::new([page(&["1", "2"], "\"a\""), page(&["3"], "null")]);
    let mut items: Pin<Box<dyn Stream<Item = Result<crate::read_set::ReadSetListItem, Error>> + Send>> =
        Box::pin(list(&script).items());
    assert_eq!(items.size_hint(), (0, None));
    let mut items_and_hints = Vec::new();
    while let Some(item) = poll_fn(|context| items.as_mut().poll_next(context)).await {
        items_and_hints.push((item.unwrap().id.to_string(), items.size_hint().0));
    }
    assert_eq!(items_and_hints, [("1".to_owned(), 1), ("2".to_owned(), 0), ("3".to_owned(), 0)]);
    let mut pages = list(&Script::new([page(&["1"], "null")])).pages();
    let first = poll_fn(|context| Pin::new(&mut pages).poll_next(context)).await;
    assert_eq!(first.unwrap().unwrap().into_items().len(), 1);
    assert!(poll_fn(|context| Pin::new(&mut pages).poll_next(context)).await.is_none());
}

#[tokio::test]
async fn debug_shows_the_position_only() {
    let script = Script::new([page(&["1", "2"], "\"a\"")]);
    let mut items = list(&script).items();
    items.next().await.unwrap().unwrap();
    let shown = format!("{items:?}");
    assert_eq!(shown, "Items { pages: Pages { token: Some(\"a\"), in_flight: false, ended: false, .. }, buffered: 1 }");
}
