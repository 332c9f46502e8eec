//! The fluent builders of calls: `call!` declares one from the fields of an operation.

/// The settings of one call, on every fluent builder.
macro_rules! call_settings {
    () => {
        /// Sets the operation timeout of this call instead of the client's: all attempts, and the time between them.
        /// `None` removes the limit.
        ///
        /// ```
        /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// # let local = healthomics::local::LocalService::start().await?;
        /// # let client = local.client()?;
        /// # local.fault_always("ListReadSets", healthomics::local::Fault::HangBefore);
        /// use std::time::Duration;
        ///
        /// let call = client.list_read_sets().sequence_store_id("1234567890");
        /// let call = call.operation_timeout(Duration::from_millis(50));
        /// assert!(call.send().await.unwrap_err().is_timeout());
        /// # Ok(()) }
        /// ```
        pub fn operation_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.operation = limit.into();
            self
        }

        /// Sets the timeout of each attempt of this call instead of the client's. `None` removes the limit.
        pub fn operation_attempt_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.attempt = limit.into();
            self
        }

        /// Sets the connect timeout of this call instead of the client's. `None` removes the limit.
        ///
        /// Calls share connections only with calls of the same connect timeout: use few different ones.
        pub fn connect_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.connect = limit.into();
            self
        }

        /// Sets the read timeout of this call instead of the client's: how long no byte may arrive. `None` removes the
        /// limit.
        pub fn read_timeout(mut self, limit: impl Into<Option<std::time::Duration>>) -> Self {
            self.call.timeouts.read = limit.into();
            self
        }

        /// Makes each attempt wait for a permit of the rate limiter. The call has at most the time that its caller has
        /// left.
        #[allow(dead_code, reason = "single calls are not rate limited")]
        pub(crate) fn rate_limited(mut self, left: Option<std::time::Duration>) -> Self {
            let operation = self.call.timeouts.operation;
            self.call.timeouts.operation = operation.into_iter().chain(left).min();
            self.call.rate_limited = true;
            self
        }

        /// Sets how many attempts this call makes at most, instead of the client's setting. 0 counts as 1.
        ///
        /// ```
        /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
        /// # let local = healthomics::local::LocalService::start().await?;
        /// # let client = local.client()?;
        /// # local.fault_always("ListReadSets", healthomics::local::Fault::ResetBefore);
        /// let call = client.list_read_sets().sequence_store_id("1234567890").max_attempts(1);
        /// let error = call.send().await.unwrap_err();
        /// assert_eq!((error.attempts(), error.is_retryable()), (1, true));
        /// # Ok(()) }
        /// ```
        pub fn max_attempts(mut self, count: u32) -> Self {
            self.call.max_attempts = count.max(1);
            self
        }
    };
}
pub(crate) use call_settings;

/// The methods of a call that starts a job.
macro_rules! start_call {
    ($Call:ident<$($Param:ident: $Type:ty),+> returns $Output:ident) => {
        impl<$($Param),+> $Call<$($Param),+> {
            /// Searches for the job of an earlier start with the same content, by its sources, destination and role
            /// instead of its client token. `first_attempt` is when the first attempt of that start was sent, an
            /// [`OffsetDateTime`](time::OffsetDateTime) or a [`SystemTime`](std::time::SystemTime); jobs that were created
            /// more than 15 minutes before are no candidates, and neither are the results of other starts of a client that
            /// does not [trust client tokens](crate::ClientBuilder::trust_client_token). If the clock may have been wrong,
            /// pass an earlier time.
            ///
            /// It lists the jobs, and gets those that may be the one; all requests wait for permits of the client's rate
            /// limiter. [`Reconciled`](crate::read_set::Reconciled) has an example.
            ///
            /// # Errors
            ///
            /// Those of the requests; [`Error::UndecodableResponse`](crate::Error::UndecodableResponse) if more than
            /// 10,000 jobs were created since then.
            pub fn reconcile(
                self,
                first_attempt: impl Into<time::OffsetDateTime>,
            ) -> crate::CallFuture<crate::read_set::Reconciled<$Output>>
            where
                $($Param: crate::builder::IsSet<$Type>,)+
            {
                let first_attempt = first_attempt.into();
                let (call, request) = self.into_parts();
                Box::pin(async move { crate::operation::reconcile::reconcile(&call, &request, first_attempt).await })
            }

            /// Sets whether this start is repeated although it may have been applied, and when the first attempt of an
            /// earlier start was whose job is to be found first.
            pub(crate) fn reconciling(
                mut self,
                trust_client_token: bool,
                since: Option<time::OffsetDateTime>,
            ) -> Self {
                self.call.trust_client_token = trust_client_token;
                self.call.reconcile_since = since;
                self
            }
        }
    };
}
pub(crate) use start_call;

/// Declares the fluent builder of a call: its fields, the settings of a single call, and `send`; and the request, which
/// derives serde's `Serialize`. The author of an operation implements
/// [`Operation`](crate::protocol::operation::Operation) for the request. `by` names a function that sends the call, if that
/// is not [`Call::send`](crate::runtime::Call::send).
///
/// The second form declares the call of a list. All lists have the same fields, and [`ListRequest`] is the request of
/// each. The author implements [`List`] for the output.
///
/// [`List`]: crate::operation::list::List
/// [`ListRequest`]: crate::operation::list::ListRequest
macro_rules! call {
    (
        $(#[$doc:meta])*
        pub struct $Call:ident in mod $module:ident sends $Request:ident returns $Output:ident $(by $send:path)?;
        required { $($required:tt)+ }
        $(optional { $($optional:tt)* })?
        $(defaulted { $($defaulted:tt)* })?
    ) => {
        crate::builder::builder! {
            $(#[$doc])*
            pub struct $Call(call: crate::runtime::Call) in mod $module builds
            #[derive(serde::Serialize)]
            #[serde(rename_all = "camelCase")]
            pub(crate) struct $Request;
            required { $($required)+ }
            optional { $($($optional)*)? }
            defaulted { $($($defaulted)*)? }
        }

        crate::operation::call::call! { @closing $Call sends $Request returns $Output $(by $send)?; $($required)+ }
    };

    (
        $(#[$doc:meta])*
        pub struct $Call:ident in mod $module:ident sends $Request:ident
        returns pages of $Output:ident { $items:ident: $Item:ident };
        optional { $(#[$filter_doc:meta])* filter: $Filter:ident; }
    ) => {
        pub(crate) type $Request = crate::operation::list::ListRequest<$Output>;

        crate::builder::builder! {
            $(#[$doc])*
            pub struct $Call(call: crate::runtime::Call) in mod $module builds existing $Request;
            required {
                /// The sequence store: 10 to 36 digits.
                StoreId = sequence_store_id: SequenceStoreId;
            }
            optional {
                /// The largest number of items on a page: 1 to 100. The service decides by default.
                max_results: i32;
                /// Where to continue: the `next_token` of an earlier page of the same list with the same filter, 1 to
                /// 6,144 characters. The list starts at its first page by default.
                next_token: String;
                $(#[$filter_doc])*
                filter: $Filter;
            }
            defaulted {}
        }

        crate::operation::call::call! {
            @closing $Call sends $Request returns $Output; StoreId = sequence_store_id: SequenceStoreId;
        }

        impl<StoreId> $Call<StoreId> {
            /// All pages of the list, each by a call with the settings of this one: see
            /// [`Pages`](crate::pagination::Pages).
            pub fn pages(self) -> crate::pagination::Pages<$Output>
            where
                StoreId: crate::builder::IsSet<SequenceStoreId>,
            {
                // Without the rate limiter, a long list would exceed the request rate of an account.
                let (call, request) = self.rate_limited(None).into_parts();
                crate::operation::list::pages(call, request)
            }

            /// All items of the list, page after page, each page by a call with the settings of this one: see
            /// [`Items`](crate::pagination::Items).
            pub fn items(self) -> crate::pagination::Items<$Output>
            where
                StoreId: crate::builder::IsSet<SequenceStoreId>,
            {
                crate::pagination::Items::new(self.pages())
            }
        }

        impl crate::pagination::sealed::Sealed for $Output {}

        impl crate::pagination::Page for $Output {
            type Item = $Item;

            fn next_token(&self) -> Option<&str> {
                self.next_token.as_deref()
            }

            fn into_items(self) -> Vec<$Item> {
                self.$items
            }
        }
    };

    (
        @closing $Call:ident sends $Request:ident returns $Output:ident $(by $send:path)?;
        $(
            $(#[$doc:meta])*
            $Param:ident = $field:ident: $Type:ty $(, each $Each:ty)? $(, serde($($serde:tt)*))?;
        )+
    ) => {
        impl<$($Param),+> $Call<$($Param),+> {
            crate::operation::call::call_settings!();

            /// Sends the call.
            ///
            /// # Errors
            ///
            /// [`Error::InvalidInput`](crate::Error::InvalidInput) with all violations, before anything is sent;
            /// otherwise the error of the last attempt: see [`Error`](crate::Error).
            pub fn send(self) -> crate::CallFuture<$Output>
            where
                $($Param: crate::builder::IsSet<$Type>,)+
            {
                crate::operation::call::call!(@send self $(, $send)?)
            }
        }
    };

    (@send $builder:ident) => {{
        let (call, request) = $builder.into_parts();
        Box::pin(call.send(request))
    }};
    (@send $builder:ident, $send:path) => {{
        let is_client_token_new = $builder.client_token.is_none();
        let (mut call, request) = $builder.into_parts();
        call.is_client_token_new = is_client_token_new;
        $send(call, request)
    }};
}
pub(crate) use call;
