//! Lists page by page, or item by item.
//!
//! ```
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! # use healthomics::local::{LocalService, SeedReadSet};
//! use healthomics::read_set::ReadSetFilter;
//! use healthomics::read_set::{FileType, ReadSetStatus};
//!
//! # let local = LocalService::start().await?;
//! # let client = local.client()?;
//! # let store = local.create_sequence_store();
//! # for _ in 0..3 { local.seed_read_set(&store, SeedReadSet::archived(FileType::Bam)); }
//! let archived = ReadSetFilter::new().status(ReadSetStatus::Archived);
//! let mut read_sets = client.list_read_sets().sequence_store_id(&store).filter(archived).items();
//! let mut ids = Vec::new();
//! while let Some(read_set) = read_sets.next().await {
//!     ids.push(read_set?.id);
//! }
//! assert_eq!(ids.len(), 3);
//! # Ok(()) }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
//! ```

use std::collections::HashSet;
use std::fmt;
use std::future::poll_fn;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use crate::{CallFuture, Error};

/// One page of a list: the output of a list call.
///
/// ```
/// use healthomics::Error;
/// use healthomics::pagination::{Page, Pages};
///
/// async fn count<P: Page>(mut pages: Pages<P>) -> Result<usize, Error> {
///     let mut count = 0;
///     while let Some(page) = pages.next().await {
///         count += page?.into_items().len();
///     }
///     Ok(count)
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = healthomics::local::LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
///
/// assert_eq!(count(client.list_read_sets().sequence_store_id(&store).pages()).await?, 0);
/// assert_eq!(count(client.list_read_set_export_jobs().sequence_store_id(&store).pages()).await?, 0);
/// # Ok(()) }
/// ```
pub trait Page: sealed::Sealed + Send + 'static {
    /// What the list is of.
    type Item: Send + Unpin;

    /// Where the next page starts; `None` on the last one.
    fn next_token(&self) -> Option<&str>;

    /// What is on the page.
    fn into_items(self) -> Vec<Self::Item>;
}

/// The pages of a list, one call each.
///
/// It ends behind the first page without a token, and behind the first error: `None` comes from then on. An empty page
/// does not end it. A service that gives a token again is an error, as the list would never end.
///
/// Pages are asked for at the pace of an account: 5 a second, unless
/// [`requests_per_second`](crate::ClientBuilder::requests_per_second) says otherwise.
///
/// Nothing is lost or asked twice when a [`next`](Self::next) is dropped before it is done, as `select!` does: the call
/// stays here, and the next one goes on with it.
///
/// ```
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # use healthomics::read_set::FileType;
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # for _ in 0..3 { local.seed_read_set(&store, SeedReadSet::active(FileType::Bam)); }
/// let list = client.list_read_sets().sequence_store_id(&store).max_results(2);
/// let mut pages = list.clone().pages();
/// while let Some(page) = pages.next().await {
///     println!("{} read sets", page?.read_sets.len());
///     // After a crash: `list.next_token(stored).pages()` goes on behind this page.
///     if let Some(token) = pages.token() {
///         println!("to be stored: {token}");
///     }
/// }
/// # Ok(()) }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
/// ```
#[must_use = "nothing is asked until next() is called"]
pub struct Pages<P> {
    operation: &'static str,
    subject: Box<str>,
    send: Box<dyn Fn(Option<String>) -> CallFuture<P> + Send>,
    token: Option<String>,
    /// Hashes of the tokens so far, by a key of this list: a list of a million pages remembers 16 MB.
    visited: HashSet<u64>,
    hasher: RandomState,
    in_flight: Option<CallFuture<P>>,
    ended: bool,
}

impl<P: Page> Pages<P> {
    /// `send` makes the call for the page that a token stands for.
    pub(crate) fn new(
        operation: &'static str,
        subject: Box<str>,
        token: Option<String>,
        send: impl Fn(Option<String>) -> CallFuture<P> + Send + 'static,
    ) -> Self {
        let (hasher, mut visited) = (RandomState::new(), HashSet::new());
        visited.extend(token.as_ref().map(|token| hasher.hash_one(token)));
        Self { operation, subject, send: Box::new(send), token, visited, hasher, in_flight: None, ended: false }
    }

    /// The next page; `None` behind the last one and behind an error.
    ///
    /// # Errors
    ///
    /// As `send` of the call.
    pub async fn next(&mut self) -> Option<Result<P, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// Where the next page starts, to go on from there another time: the page that failed, after an error. `None` at
    /// the start of the list, and behind its last page.
    ///
    /// [`Pages`] has an example.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<P, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let call = self.in_flight.get_or_insert_with(|| (self.send)(self.token.clone()));
        let page = ready!(call.as_mut().poll(context));
        self.in_flight = None;
        let page = page.and_then(|page| {
            let next = page.next_token();
            if next.is_some_and(|token| !self.visited.insert(self.hasher.hash_one(token))) {
                return Err(Error::endless_list(self.operation, self.subject.clone()));
            }
            self.token = next.map(str::to_owned);
            Ok(page)
        });
        self.ended = page.is_err() || self.token.is_none();
        Poll::Ready(Some(page))
    }
}

impl<P: Page> Stream for Pages<P> {
    type Item = Result<P, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }
}

impl<P> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("token", &self.token)
            .field("in_flight", &self.in_flight.is_some())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

/// The items of a list, one call for each page of them.
///
/// It ends as [`Pages`] does, and keeps what it has as [`Pages`] does. To go on another time, walk the
/// [`Pages`]: they know their token.
///
/// ```
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # for _ in 0..3 { local.seed_read_set(&store, SeedReadSet::active("BAM".into())); }
/// let mut read_sets = client.list_read_sets().sequence_store_id(&store).max_results(2).items();
/// let mut count = 0;
/// while let Some(read_set) = read_sets.next().await {
///     println!("{}", read_set?.id);
///     count += 1;
/// }
/// // Two calls: one for each page of two.
/// assert_eq!((count, local.requests().len()), (3, 2));
/// # Ok(()) }
/// ```
#[must_use = "nothing is asked until next() is called"]
pub struct Items<P: Page> {
    pages: Pages<P>,
    items: std::vec::IntoIter<P::Item>,
}

impl<P: Page> Items<P> {
    pub(crate) fn new(pages: Pages<P>) -> Self {
        Self { pages, items: Vec::new().into_iter() }
    }

    /// The next item; `None` behind the last one and behind an error.
    ///
    /// # Errors
    ///
    /// As `send` of the call.
    pub async fn next(&mut self) -> Option<Result<P::Item, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<P::Item, Error>>> {
        loop {
            if let Some(item) = self.items.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(self.pages.poll(context)) {
                Some(Ok(page)) => self.items = page.into_items().into_iter(),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<P: Page> Stream for Items<P> {
    type Item = Result<P::Item, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll(context)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.items.len(), None)
    }
}

impl<P: Page> fmt::Debug for Items<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Items").field("pages", &self.pages).field("buffered", &self.items.len()).finish()
    }
}

pub(crate) mod sealed {
    pub trait Sealed {}
}

#[cfg(test)]
mod tests;
