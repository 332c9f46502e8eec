//! Lists, page by page or item by item.
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
//! let list = client.list_read_sets().sequence_store_id(&store).filter(archived);
//! let mut read_sets = list.items();
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
/// let read_sets = client.list_read_sets().sequence_store_id(&store);
/// assert_eq!(count(read_sets.pages()).await?, 0);
/// let jobs = client.list_read_set_export_jobs().sequence_store_id(&store);
/// assert_eq!(count(jobs.pages()).await?, 0);
/// # Ok(()) }
/// ```
pub trait Page: sealed::Sealed + Send + 'static {
    /// One item of the list.
    type Item: Send + Unpin;

    /// The token of the next page; `None` on the last page.
    fn next_token(&self) -> Option<&str>;

    /// The items of the page.
    fn into_items(self) -> Vec<Self::Item>;
}

/// The pages of a list, one call for each. The method `pages` of the builder of a list call makes it.
///
/// It ends after the first page without a token of the next one, and after the first error: from then on
/// [`next`](Self::next) returns `None`. A page without items does not end it. A token that the service has returned
/// before is an error, as the list would never end.
///
/// The calls wait for permits of the client's rate limiter: five requests a second by default, see
/// [`requests_per_second`](crate::ClientBuilder::requests_per_second).
///
/// It is a [`Stream`], and its own [`next`](Self::next) needs no crate for streams.
///
/// # Cancel safety
///
/// [`next`](Self::next) is cancel safe: if its future is dropped, in a branch of `tokio::select!` for example, no page
/// is lost and no request is sent twice. A call in flight stays here, and the following `next` continues with it.
///
/// ```
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # use healthomics::read_set::FileType;
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # for _ in 0..3 { local.seed_read_set(&store, SeedReadSet::active(FileType::Bam)); }
/// # let (_sender, mut shutdown) = tokio::sync::oneshot::channel::<()>();
/// let mut pages = client.list_read_sets().sequence_store_id(&store).max_results(2).pages();
/// let mut count = 0;
/// loop {
///     tokio::select! {
///         page = pages.next() => match page {
///             Some(page) => count += page?.read_sets.len(),
///             None => break,
///         },
///         _ = &mut shutdown => break, // `pages.token()` is where to continue
///     }
/// }
/// # assert_eq!(count, 3);
/// # Ok(()) }
/// ```
///
/// # Examples
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
///     // After a restart, `list.next_token(stored).pages()` continues after this page.
///     if let Some(token) = pages.token() {
///         println!("token to store: {token}");
///     }
/// }
/// # Ok(()) }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
/// ```
#[must_use = "nothing is requested until next() is called"]
pub struct Pages<P> {
    operation: &'static str,
    subject: Box<str>,
    send: Box<dyn Fn(Option<String>) -> CallFuture<P> + Send>,
    token: Option<String>,
    /// Hashes of the tokens so far, with a random key: a million pages take 16 MB.
    visited: HashSet<u64>,
    hasher: RandomState,
    in_flight: Option<CallFuture<P>>,
    ended: bool,
}

impl<P: Page> Pages<P> {
    /// `send` makes the call for the page with a token.
    pub(crate) fn new(
        operation: &'static str,
        subject: Box<str>,
        token: Option<String>,
        send: impl Fn(Option<String>) -> CallFuture<P> + Send + 'static,
    ) -> Self {
        let hasher = RandomState::new();
        let visited = token.iter().map(|token| hasher.hash_one(token)).collect();
        Self { operation, subject, send: Box::new(send), token, visited, hasher, in_flight: None, ended: false }
    }

    /// Waits for the next page. `None` after the last one and after an error.
    ///
    /// # Errors
    ///
    /// Those of the call's `send`, and [`Error::UndecodableResponse`] if the service repeats a page token.
    pub async fn next(&mut self) -> Option<Result<P, Error>> {
        poll_fn(|context| self.poll(context)).await
    }

    /// The token of the next page, with which a later list continues; after an error it is that of the page that
    /// failed. `None` before the first page and after the last.
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

/// The items of a list, one call for each page. The method `items` of the builder of a list call makes it.
///
/// It ends as [`Pages`] does, and its [`next`](Self::next) is cancel safe as theirs is. To continue a list later, use
/// [`Pages`], which have the token.
///
/// ```
/// # use healthomics::local::{LocalService, SeedReadSet};
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let local = LocalService::start().await?;
/// # let client = local.client()?;
/// # let store = local.create_sequence_store();
/// # for _ in 0..3 { local.seed_read_set(&store, SeedReadSet::active("BAM".into())); }
/// let list = client.list_read_sets().sequence_store_id(&store).max_results(2);
/// let mut read_sets = list.items();
/// let mut count = 0;
/// while let Some(read_set) = read_sets.next().await {
///     println!("{}", read_set?.id);
///     count += 1;
/// }
/// // Two calls, for pages of two items.
/// assert_eq!((count, local.requests().len()), (3, 2));
/// # Ok(()) }
/// ```
#[must_use = "nothing is requested until next() is called"]
pub struct Items<P: Page> {
    pages: Pages<P>,
    items: std::vec::IntoIter<P::Item>,
}

impl<P: Page> Items<P> {
    pub(crate) fn new(pages: Pages<P>) -> Self {
        Self { pages, items: Vec::new().into_iter() }
    }

    /// Waits for the next item. `None` after the last one and after an error.
    ///
    /// # Errors
    ///
    /// Those of [`Pages::next`].
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
