//! Lists the read sets of a run that have a status.

use std::collections::HashSet;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream as _;
use tokio::time::Instant;

use crate::job::timer::Timer;
use crate::model::{ReadSetId, ReadSetStatus, SequenceStoreId};
use crate::pagination::Pages;
use crate::read_set::builders::list_read_sets;
use crate::read_set::{ListReadSetsOutput, ReadSetFilter};
use crate::{Client, Error};

/// A list of the read sets of a store that have a status. It makes progress while it is polled.
pub(super) struct StatusList {
    status: ReadSetStatus,
    call: list_read_sets::Complete,
    pages: Pages<ListReadSetsOutput>,
    /// How many more pages are requested before the list is given up.
    pages_left: usize,
    found: HashSet<ReadSetId>,
    retry_at: Timer,
}

impl StatusList {
    pub(super) fn new(client: &Client, store: &SequenceStoreId, status: ReadSetStatus, max_pages: usize) -> Self {
        let filter = ReadSetFilter::new().status(status.clone());
        let call = client.list_read_sets().sequence_store_id(store).filter(filter);
        Self {
            status,
            pages: call.clone().pages(),
            call,
            pages_left: max_pages,
            found: HashSet::new(),
            retry_at: Timer::at(Instant::now()),
        }
    }

    pub(super) fn status(&self) -> &ReadSetStatus {
        &self.status
    }

    /// Requests the page that failed again, at this time.
    pub(super) fn retry_at(&mut self, time: Instant) {
        let token = self.pages.token().map(str::to_owned);
        self.pages = self.call.clone().next_token(token).pages();
        self.retry_at.reset(time);
    }

    /// The read sets among those of the run that have the status. `None` if the list has too many pages.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        of_run: &HashSet<ReadSetId>,
    ) -> Poll<Result<Option<HashSet<ReadSetId>>, Error>> {
        ready!(self.retry_at.poll(cx));
        loop {
            if self.pages_left == 0 {
                return Poll::Ready(Ok(None));
            }
            match ready!(Pin::new(&mut self.pages).poll_next(cx)) {
                Some(Ok(page)) => {
                    self.pages_left -= 1;
                    let ids = page.read_sets.into_iter().map(|read_set| read_set.id);
                    self.found.extend(ids.filter(|id| of_run.contains(id)));
                    if self.pages.token().is_none() {
                        return Poll::Ready(Ok(Some(std::mem::take(&mut self.found))));
                    }
                }
                Some(Err(error)) => return Poll::Ready(Err(error)),
                None => return Poll::Ready(Ok(Some(std::mem::take(&mut self.found)))),
            }
        }
    }
}
