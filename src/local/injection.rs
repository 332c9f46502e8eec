//! How tests inject faults.

use super::LocalService;
use super::fault_rules::FaultRule;
use super::faults::Fault;

impl LocalService {
    /// Injects a fault into the next request of an operation that has no queued fault. Each request takes one fault, in
    /// the order in which they were queued, even a request that would have been refused.
    ///
    /// [`Fault`] has an example.
    ///
    /// # Panics
    ///
    /// If the operation is not [implemented](Self::operations), or the fault can't be injected: a test with a misspelt
    /// name would test nothing.
    pub fn queue_fault(&self, operation: &str, fault: Fault) {
        self.inject_fault(FaultRule::new(operation, fault));
    }

    /// Injects a fault into every request of an operation that has no queued fault, until
    /// [`clear_faults`](Self::clear_faults).
    ///
    /// # Panics
    ///
    /// As [`queue_fault`](Self::queue_fault).
    ///
    /// ```
    /// use healthomics::local::Fault;
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use healthomics::local::LocalService;
    /// # let local = LocalService::start().await?;
    /// # let client = local.client()?;
    /// # let store = local.create_sequence_store();
    /// local.fault_always("ListReadSets", Fault::error(403, "AccessDeniedException", "denied"));
    /// assert!(client.list_read_sets().sequence_store_id(&store).send().await.is_err());
    /// local.clear_faults();
    /// assert!(client.list_read_sets().sequence_store_id(&store).send().await.is_ok());
    /// # Ok(()) }
    /// ```
    pub fn fault_always(&self, operation: &str, fault: Fault) {
        self.inject_fault(FaultRule::new(operation, fault).always());
    }

    /// Injects a fault into the requests that match a rule.
    ///
    /// A request takes one fault: that of the first matching rule for one request, or else that of the last matching rule
    /// for all requests.
    ///
    /// [`FaultRule`] has an example.
    ///
    /// # Panics
    ///
    /// As [`queue_fault`](Self::queue_fault).
    pub fn inject_fault(&self, rule: FaultRule) {
        let result = self.service.lock().inject_fault(rule);
        assert!(result.is_ok(), "{}", result.err().unwrap_or_default());
    }

    /// Removes all faults that have not been injected.
    pub fn clear_faults(&self) {
        self.service.lock().clear_faults();
    }
}
