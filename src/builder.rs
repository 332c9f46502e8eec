//! Builders whose required fields the compiler checks.
//!
//! Each required field is a type parameter of its builder: [`Unset`] until its setter is called, [`Set`] after that.
//! The closing method (`send`, `build`, `plan`) requires [`IsSet`] of each of them, so that a program that forgets a
//! field does not compile, and the compiler names the field. Each setter of a required field can be called once.
//!
//! # Loops and branches
//!
//! Since every setter of a required field changes the type of the builder, such a setter can't be called in a loop or
//! in one branch only. Collect the value first, then set it:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let local = healthomics::local::LocalService::start().await?;
//! # let client = local.client()?;
//! # let store = local.create_sequence_store();
//! # let (lines, dry_run) = ("5555555555\n\n5555555556\n", false);
//! let mut read_sets = Vec::new();
//! for line in lines.lines() {
//!     if !line.is_empty() {
//!         read_sets.push(line);
//!     }
//! }
//! let bucket = if dry_run { "s3://my-test-bucket/" } else { "s3://my-bucket/exports/" };
//!
//! let call = client.start_read_set_export_job().sequence_store_id(&store);
//! let call = call.role_arn("arn:aws:iam::123456789012:role/OmicsExport");
//! call.destination(bucket).sources(read_sets).send().await?;
//! # Ok(()) }
//! ```
//!
//! Setters of optional fields leave the type as it is: they can be called anywhere, the last call counts, and they take
//! an [`Option`] as well (see [`IntoOption`]).
//!
//! # Builders in signatures
//!
//! A builder that is partly set up has a type that says so. Name what is set; the rest is [`Unset`]:
//!
//! ```
//! use healthomics::builder::Set;
//! use healthomics::read_set::StartReadSetActivationJob;
//! use healthomics::{Client, SequenceStoreId};
//!
//! fn in_our_store(client: &Client) -> StartReadSetActivationJob<Set<SequenceStoreId>> {
//!     client.start_read_set_activation_job().sequence_store_id("1234567890")
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let local = healthomics::local::LocalService::start().await?;
//! # let client = local.client()?;
//! # local.seed_read_set(&"1234567890".into(), healthomics::local::SeedReadSet::archived("BAM".into()));
//!
//! // Without `sources` it would not compile.
//! in_our_store(&client).sources(["5555555555"]).send().await?;
//! # Ok(()) }
//! ```
//!
//! A builder whose required fields are all set has an alias, `Complete`, in the module that is named like the method
//! that makes the builder: see [`read_set::builders`](crate::read_set::builders) and
//! [`bulk::builders`](crate::bulk::builders).
//!
//! ```
//! use healthomics::read_set::builders::list_read_sets;
//! use healthomics::{CallFuture, read_set::ListReadSetsOutput};
//!
//! fn first_ten(call: list_read_sets::Complete) -> CallFuture<ListReadSetsOutput> {
//!     call.max_results(10).send()
//! }
//! ```

use std::collections::BTreeMap;
use std::marker::PhantomData;

use time::OffsetDateTime;

use crate::model::{ClientToken, CreationType, JobStatus, ReadSetStatus, ReferenceArn, S3Uri, SampleId, SubjectId};

/// The state of a required field that is set to a value of the type `T`.
///
/// The [module](self) has an example.
#[derive(Clone, Debug)]
pub struct Set<T>(T);

impl<T> Set<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

/// The state of a required field that is not set. `Field` is a type that has the name of the field, for the messages of
/// the compiler.
///
/// The [module](self) has an example.
#[derive(Clone, Copy, Debug)]
pub struct Unset<Field>(PhantomData<Field>);

impl<Field> Default for Unset<Field> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// Implemented by the state of a required field that is set.
#[diagnostic::on_unimplemented(
    message = "a required field is not set: `{Self}`",
    label = "call the setter that `{Self}` names before this",
    note = "every required field must be set exactly once before the call can be sent or the value built"
)]
pub trait IsSet<T>: sealed::Sealed {
    #[doc(hidden)]
    fn into_value(self) -> T;
}

impl<T> IsSet<T> for Set<T> {
    fn into_value(self) -> T {
        self.0
    }
}

/// Implemented by the state of a required field that is not set.
#[diagnostic::on_unimplemented(
    message = "this required field is set already",
    label = "a second call of the same setter",
    note = "a required field is set exactly once: in a loop or in branches, collect the value first, then set it"
)]
pub trait IsUnset: sealed::Sealed {}

impl<Field> IsUnset for Unset<Field> {}

pub(crate) mod sealed {
    #[allow(unnameable_types)]
    pub trait Sealed {}
    impl<T> Sealed for super::Set<T> {}
    impl<Field> Sealed for super::Unset<Field> {}

    #[allow(unnameable_types)]
    pub trait OptionalArgument<T> {}
}

/// The argument of a setter that takes a list: anything that can be iterated over and whose items convert into `T`.
///
/// ```
/// # use healthomics::{Client, ReadSetId};
/// # fn calls(client: &Client, ids: Vec<ReadSetId>) {
/// client.start_read_set_activation_job().sources(["5555555555"]);
/// client.start_read_set_activation_job().sources(&ids);
/// client
///     .start_read_set_activation_job()
///     .sources((1..=9).map(|number| format!("555555555{number}")));
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of `{T}`",
    label = "not a list whose items convert into `{T}`",
    note = "pass an array, a vector or an iterator, a single value as `[value]`"
)]
pub trait IntoList<T> {
    #[doc(hidden)]
    fn into_list(self) -> Vec<T>;
}

#[diagnostic::do_not_recommend]
impl<T, I: IntoIterator<Item: Into<T>>> IntoList<T> for I {
    fn into_list(self) -> Vec<T> {
        self.into_iter().map(Into::into).collect()
    }
}

/// The argument of a setter of an optional field: a value that converts into `T`, or an [`Option`] of one.
///
/// `None` is the same as not calling the setter. For a field that takes text, the compiler can't know which type a bare
/// `None` is of: leave out the call there.
///
/// ```
/// # use healthomics::Client;
/// # fn calls(client: &Client, row: &Row) {
/// # struct Row { token: Option<String>, limit: Option<i32> }
/// let call = client.list_read_sets().sequence_store_id("1234567890");
/// let call = call.max_results(100).next_token("eyJsYXN0SWQiOiIy");
/// let call = call.max_results(row.limit).next_token(row.token.as_deref());
/// let call = call.max_results(None);
/// # }
/// # struct Row { token: Option<String>, limit: Option<i32> }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be passed for an optional `{T}`",
    label = "neither converts into `{T}` nor is an `Option` of something that does",
    note = "pass a value, `Some(value)` or an `Option`"
)]
pub trait IntoOption<T>: sealed::OptionalArgument<T> {
    #[doc(hidden)]
    fn into_option(self) -> Option<T>;
}

/// Lets optional setters take a value of the type or an `Option` of it.
macro_rules! optional_value {
    ($($T:ty),+) => {$(
        impl $crate::builder::sealed::OptionalArgument<$T> for $T {}

        impl $crate::builder::IntoOption<$T> for $T {
            fn into_option(self) -> Option<$T> {
                Some(self)
            }
        }

        impl $crate::builder::sealed::OptionalArgument<$T> for Option<$T> {}

        impl $crate::builder::IntoOption<$T> for Option<$T> {
            fn into_option(self) -> Option<$T> {
                self
            }
        }
    )+};
}
pub(crate) use optional_value;

optional_value! { bool, i32, usize, OffsetDateTime, BTreeMap<String, String> }

/// Lets optional setters of a type of text take all that converts into it, or an `Option` of that.
macro_rules! optional_text {
    ($($T:ty)+) => {$(
        optional_text! { $T: $T, &$T, &str, String, &String }
    )+};
    ($T:ty: $($Argument:ty),+) => {
        $(
            impl sealed::OptionalArgument<$T> for $Argument {}

            impl IntoOption<$T> for $Argument {
                fn into_option(self) -> Option<$T> {
                    Some(self.into())
                }
            }
        )+

        impl<U: Into<$T>> sealed::OptionalArgument<$T> for Option<U> {}

        impl<U: Into<$T>> IntoOption<$T> for Option<U> {
            fn into_option(self) -> Option<$T> {
                self.map(Into::into)
            }
        }
    };
}

optional_text! { String: String, &String, &str }
optional_text! { ClientToken CreationType JobStatus ReadSetStatus ReferenceArn S3Uri SampleId SubjectId }

/// Declares a builder and a setter for each field, and the value that it builds.
///
/// `Param = field` names the type parameter of a required field. A field is given as anything that converts into it;
/// `each T` makes it a list, given as an [`IntoList`]. Optional fields, and those with a default, are given as an
/// [`IntoOption`]. `serde(…)` is the attribute of a field whose value derives serde: `serde(skip)` for what travels in
/// the path or the query. `mod` is a module for the names of the required fields, and the alias `Complete`.
///
/// With `existing`, the value is a struct that is declared elsewhere and has these fields.
macro_rules! builder {
    (
        $(#[$doc:meta])*
        pub struct $Builder:ident($context:ident: $Context:ty) in mod $module:ident builds
        $(#[$value_doc:meta])*
        $value_vis:vis struct $Value:ident;
        required {
            $(
                $(#[$req_doc:meta])*
                $Param:ident = $req:ident: $ReqTy:ty $(, each $Each:ty)? $(, serde($($req_serde:tt)*))?;
            )+
        }
        optional { $($(#[$opt_doc:meta])* $opt:ident: $OptTy:ty $(, serde($($opt_serde:tt)*))?;)* }
        defaulted { $($(#[$def_doc:meta])* $def:ident: $DefTy:ty = $default:expr;)* }
    ) => {
        $(#[$value_doc])*
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        $value_vis struct $Value {
            $($(#[$req_doc])* $(#[serde($($req_serde)*)])? $value_vis $req: $ReqTy,)+
            $($(#[$opt_doc])* $(#[serde($($opt_serde)*)])? $value_vis $opt: Option<$OptTy>,)*
            $($(#[$def_doc])* $value_vis $def: $DefTy,)*
        }

        crate::builder::builder! {
            $(#[$doc])*
            pub struct $Builder($context: $Context) in mod $module builds existing $Value;
            required { $($(#[$req_doc])* $Param = $req: $ReqTy $(, each $Each)?;)+ }
            optional { $($(#[$opt_doc])* $opt: $OptTy;)* }
            defaulted { $($(#[$def_doc])* $def: $DefTy = $default;)* }
        }
    };

    (
        $(#[$doc:meta])*
        pub struct $Builder:ident($context:ident: $Context:ty) in mod $module:ident builds existing $Value:ident;
        required { $($(#[$req_doc:meta])* $Param:ident = $req:ident: $ReqTy:ty $(, each $Each:ty)?;)+ }
        optional { $($(#[$opt_doc:meta])* $opt:ident: $OptTy:ty;)* }
        defaulted { $($(#[$def_doc:meta])* $def:ident: $DefTy:ty = $default:expr;)* }
    ) => {
        #[doc = concat!("The required fields of [`", stringify!($Builder), "`], and the type of a complete one.")]
        #[allow(non_camel_case_types, reason = "the compiler shows them as the names of setters")]
        pub mod $module {
            use super::*;

            $(
                #[doc = concat!("The name of the required field `", stringify!($req), "`.")]
                #[derive(Clone, Copy, Debug)]
                pub struct $req;
            )+

            /// The builder with all of its required fields set.
            pub type Complete = $Builder<$(crate::builder::Set<$ReqTy>),+>;
        }

        $(#[$doc])*
        #[must_use = "a builder does nothing until its closing method is called"]
        #[derive(Clone, Debug)]
        pub struct $Builder<$($Param = crate::builder::Unset<$module::$req>),+> {
            $context: $Context,
            $($req: $Param,)+
            $($opt: Option<$OptTy>,)*
            $($def: Option<$DefTy>,)*
        }

        impl $Builder {
            pub(crate) fn new($context: $Context) -> Self {
                Self {
                    $context,
                    $($req: crate::builder::Unset::default(),)+
                    $($opt: None,)*
                    $($def: None,)*
                }
            }
        }

        impl<$($Param),+> $Builder<$($Param),+> {
            $(
                $(#[$opt_doc])*
                pub fn $opt(mut self, $opt: impl crate::builder::IntoOption<$OptTy>) -> Self {
                    self.$opt = $opt.into_option();
                    self
                }
            )*

            $(
                $(#[$def_doc])*
                pub fn $def(mut self, $def: impl crate::builder::IntoOption<$DefTy>) -> Self {
                    self.$def = $def.into_option();
                    self
                }
            )*

            fn into_parts(self) -> ($Context, $Value)
            where
                $($Param: crate::builder::IsSet<$ReqTy>,)+
            {
                let value = $Value {
                    $($req: self.$req.into_value(),)+
                    $($opt: self.$opt,)*
                    $($def: self.$def.unwrap_or_else(|| $default),)*
                };
                (self.$context, value)
            }
        }

        crate::builder::builder! {
            @setters $Builder [$context $($opt)* $($def)*] []
            $({ $(#[$req_doc])* $Param = $req: $ReqTy $(, each $Each)? })+
        }
    };

    // One impl block for each required field: its own parameter changes, those before and after it stay.
    (@setters $Builder:ident $keep:tt [$($Before:ident = $before:ident)*]) => {};
    (
        @setters $Builder:ident [$($keep:ident)*] [$($Before:ident = $before:ident)*]
        { $(#[$doc:meta])* $Param:ident = $req:ident: $ReqTy:ty $(, each $Each:ty)? }
        $({ $(#[$after_doc:meta])* $After:ident = $after:ident: $AfterTy:ty $(, each $AfterEach:ty)? })*
    ) => {
        impl<$($Before,)* $Param, $($After,)*> $Builder<$($Before,)* $Param, $($After,)*> {
            $(#[$doc])*
            pub fn $req(
                self,
                $req: crate::builder::builder!(@argument $ReqTy $(, each $Each)?),
            ) -> $Builder<$($Before,)* crate::builder::Set<$ReqTy>, $($After,)*>
            where
                $Param: crate::builder::IsUnset,
            {
                $Builder {
                    $($keep: self.$keep,)*
                    $($before: self.$before,)*
                    $req: crate::builder::Set::new(crate::builder::builder!(@convert $req $(, each $Each)?)),
                    $($after: self.$after,)*
                }
            }
        }

        crate::builder::builder! {
            @setters $Builder [$($keep)*] [$($Before = $before)* $Param = $req]
            $({ $(#[$after_doc])* $After = $after: $AfterTy $(, each $AfterEach)? })*
        }
    };

    (@argument $T:ty) => { impl Into<$T> };
    (@argument $T:ty, each $Each:ty) => { impl crate::builder::IntoList<$Each> };
    (@convert $value:ident) => { $value.into() };
    (@convert $value:ident, each $Each:ty) => { $value.into_list() };
}
pub(crate) use builder;
