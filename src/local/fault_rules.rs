//! Which requests a fault is injected into.

use std::cell::LazyCell;

use serde_json::Value;

use super::faults::Fault;
use super::operations::{self, Labels};
use crate::model::SequenceStoreId;

/// Which requests a [`Fault`] is injected into, and how often.
///
/// A request matches a rule if it is of the operation, and has the sequence store and the item of the rule, if these are
/// set. The fault is injected once, into the first matching request, unless the rule says otherwise.
///
/// ```
/// use healthomics::local::{Fault, FaultRule, LocalService, SeedReadSet};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client_builder().max_attempts(1).build()?;
/// # let store = local.create_sequence_store();
/// # let seed = || local.seed_read_set(&store, SeedReadSet::active("BAM".into()));
/// # let (first, second) = (seed(), seed());
/// // The second request for the metadata of this read set fails.
/// let fault = Fault::error(500, "InternalServerException", "failure");
/// let rule = FaultRule::new("GetReadSetMetadata", fault).item(second.as_str()).nth(2);
/// local.inject_fault(rule);
///
/// let get = |id| client.get_read_set_metadata().sequence_store_id(&store).id(id).send();
/// assert!(get(&first).await.is_ok() && get(&first).await.is_ok());
/// assert!(get(&second).await.is_ok());
/// assert!(get(&second).await.is_err());
/// assert!(get(&second).await.is_ok());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct FaultRule {
    operation: String,
    fault: Fault,
    sequence_store_id: Option<SequenceStoreId>,
    item: Option<String>,
    nth: u64,
    always: bool,
}

impl FaultRule {
    /// A rule for the next request of an operation, such as `StartReadSetExportJob`.
    pub fn new(operation: impl Into<String>, fault: Fault) -> Self {
        Self { operation: operation.into(), fault, sequence_store_id: None, item: None, nth: 1, always: false }
    }

    /// Limits the rule to requests on this sequence store.
    pub fn sequence_store_id(mut self, id: impl Into<SequenceStoreId>) -> Self {
        self.sequence_store_id = Some(id.into());
        self
    }

    /// Limits the rule to requests that contain this item: a read set id or a `source1` among the sources of a start, a
    /// read set id among those to delete, or the id of the job or read set of a Get.
    pub fn item(mut self, item: impl Into<String>) -> Self {
        self.item = Some(item.into());
        self
    }

    /// Injects the fault into the n-th matching request, counted from 1 and from the injection of the rule. If that
    /// request gets the fault of an earlier rule, the next matching request gets this one.
    pub fn nth(mut self, n: u64) -> Self {
        self.nth = n;
        self
    }

    /// Injects the fault into every matching request, or into every one from the n-th on.
    pub fn always(mut self) -> Self {
        self.always = true;
        self
    }

    /// Why the rule can't be applied; `None` if it can. A service with a socket can't refuse single connections.
    pub(crate) fn invalid_reason(&self, has_socket: bool) -> Option<String> {
        if !operations::names().any(|name| name == self.operation) {
            let names = operations::names().collect::<Vec<_>>().join(", ");
            return Some(format!("{:?} is not implemented; the operations are {names}", self.operation));
        }
        if self.nth == 0 {
            return Some("requests are counted from 1: there is no request 0".to_owned());
        }
        if has_socket && self.fault == Fault::ConnectionRefused {
            return Some("this fault can't be injected: a server can't refuse single connections".to_owned());
        }
        self.fault.invalid_reason().map(|reason| format!("this fault can't be injected: {reason}"))
    }

    fn matches<I: FnOnce() -> Vec<String>>(&self, request: &Target<'_>, items: &LazyCell<Vec<String>, I>) -> bool {
        self.operation == request.operation
            && self.sequence_store_id.as_ref().is_none_or(|id| request.label("sequenceStoreId") == Some(id.as_str()))
            && self.item.as_ref().is_none_or(|item| items.contains(item))
    }

    /// Whether the rule is for the same requests as another one.
    fn has_same_target(&self, other: &Self) -> bool {
        self.operation == other.operation
            && self.sequence_store_id == other.sequence_store_id
            && self.item == other.item
            && self.nth == other.nth
    }
}

/// What the rules match: a request of an operation that is implemented.
pub(crate) struct Target<'a> {
    pub(crate) operation: &'static str,
    pub(crate) labels: &'a Labels,
    pub(crate) body: &'a [u8],
}

impl Target<'_> {
    fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(label, _)| *label == name).map(|(_, value)| value.as_str())
    }

    /// The keys of the items that the request is about.
    fn items(&self) -> Vec<String> {
        let mut items: Vec<String> = self.label("id").map(str::to_owned).into_iter().collect();
        // A body that is not JSON has no items.
        let body: Value = serde_json::from_slice(self.body).unwrap_or_default();
        let list = |name: &str| body[name].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        for source in list("sources") {
            items.extend(text(&source["readSetId"]));
            items.extend(text(&source["sourceFiles"]["source1"]));
        }
        items.extend(list("ids").iter().filter_map(text));
        items
    }
}

/// A rule and the number of requests that have matched it.
#[derive(Debug)]
struct CountedRule {
    rule: FaultRule,
    matched: u64,
}

/// The rules for later requests, in the order in which they were injected.
#[derive(Debug, Default)]
pub(crate) struct FaultRules {
    once: Vec<CountedRule>,
    always: Vec<CountedRule>,
}

impl FaultRules {
    pub(crate) fn add(&mut self, rule: FaultRule) {
        let rules = if rule.always { &mut self.always } else { &mut self.once };
        if rule.always {
            rules.retain(|earlier| !earlier.rule.has_same_target(&rule));
        }
        rules.push(CountedRule { rule, matched: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.once.clear();
        self.always.clear();
    }

    /// Counts a request and returns its fault: that of the first rule for one request, which is removed, or else that of
    /// the last rule for all requests.
    pub(crate) fn take(&mut self, request: &Target<'_>) -> Option<Fault> {
        let items = LazyCell::new(|| request.items());
        let count = |counted: &mut CountedRule| {
            let is_match = counted.rule.matches(request, &items);
            counted.matched += u64::from(is_match);
            is_match && counted.matched >= counted.rule.nth
        };
        let mut first_once = None;
        for (index, counted) in self.once.iter_mut().enumerate() {
            if count(counted) && first_once.is_none() {
                first_once = Some(index);
            }
        }
        let mut fault = None;
        for counted in &mut self.always {
            if count(counted) {
                fault = Some(counted.rule.fault.clone());
            }
        }
        first_once.map(|index| self.once.remove(index).rule.fault).or(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "ListReadSets";
    const START: &str = "StartReadSetImportJob";

    fn take(rules: &mut FaultRules, operation: &'static str, store: &str, body: &str) -> Option<Fault> {
        let labels = vec![("sequenceStoreId", store.to_owned())];
        rules.take(&Target { operation, labels: &labels, body: body.as_bytes() })
    }

    #[test]
    fn faults_for_one_request_are_injected_first_and_in_order() {
        let mut rules = FaultRules::default();
        rules.add(FaultRule::new(LIST, Fault::ResetBefore).always());
        rules.add(FaultRule::new(LIST, Fault::EmptyBody).always());
        rules.add(FaultRule::new(LIST, Fault::TruncatedBody));
        rules.add(FaultRule::new(LIST, Fault::MalformedBody));
        assert_eq!(rules.always.len(), 1, "a rule for all requests is replaced");
        for expected in [Fault::TruncatedBody, Fault::MalformedBody, Fault::EmptyBody, Fault::EmptyBody] {
            assert_eq!(take(&mut rules, LIST, "1", ""), Some(expected));
        }
        assert_eq!(take(&mut rules, START, "1", ""), None);
        rules.clear();
        assert_eq!(take(&mut rules, LIST, "1", ""), None);
    }

    #[test]
    fn rules_are_for_a_store_an_item_and_the_nth_request() {
        let mut rules = FaultRules::default();
        rules.add(FaultRule::new(START, Fault::HangAfter).sequence_store_id("1").item("s3://b/a").nth(2));
        rules.add(FaultRule::new(START, Fault::ResetAfter).sequence_store_id("2").nth(2).always());
        let [a, b] =
            ["s3://b/a", "s3://b/b"].map(|uri| format!(r#"{{"sources":[{{"sourceFiles":{{"source1":"{uri}"}}}}]}}"#));
        for (store, body, expected) in [
            ("1", &a, None),
            ("2", &a, None),
            ("1", &b, None),
            ("2", &a, Some(Fault::ResetAfter)),
            ("1", &a, Some(Fault::HangAfter)),
            ("2", &b, Some(Fault::ResetAfter)),
            ("1", &a, None),
        ] {
            assert_eq!(take(&mut rules, START, store, body), expected, "{store} {body}");
        }
    }

    #[test]
    fn an_nth_request_with_another_fault_passes_the_fault_on() {
        let mut rules = FaultRules::default();
        rules.add(FaultRule::new(LIST, Fault::EmptyBody));
        rules.add(FaultRule::new(LIST, Fault::HangAfter).nth(1));
        assert_eq!(take(&mut rules, LIST, "1", ""), Some(Fault::EmptyBody));
        assert_eq!(take(&mut rules, LIST, "1", ""), Some(Fault::HangAfter));
        assert_eq!(take(&mut rules, LIST, "1", ""), None);
    }

    #[test]
    fn invalid_rules_are_found() {
        let invalid = |rule: FaultRule, has_socket| rule.invalid_reason(has_socket).is_some();
        assert!(invalid(FaultRule::new("ListReadSet", Fault::EmptyBody), true));
        assert!(invalid(FaultRule::new(LIST, Fault::EmptyBody).nth(0), true));
        assert!(invalid(FaultRule::new(LIST, Fault::ConnectionRefused), true));
        assert!(invalid(FaultRule::new(LIST, Fault::merge("{")), true));
        assert!(!invalid(FaultRule::new(LIST, Fault::ConnectionRefused), false));
    }
}
