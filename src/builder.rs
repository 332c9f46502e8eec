//! What stands behind the builders: required members that the compiler checks.
//!
//! Each required member is a type parameter of the builder: [`Unset`] until its setter was called, [`Set`] after. The
//! closing method asks for [`IsSet`] of each, so that a forgotten member does not build and the compiler names it.
//!
//! A builder that is half set up has a type that says so. To hand one on, name what is set; the rest is [`Unset`]:
//!
//! ```
//! use healthomics::{Client, SequenceStoreId};
//! use healthomics::builder::Set;
//! use healthomics::read_set::StartReadSetActivationJob;
//!
//! fn in_our_store(client: &Client) -> StartReadSetActivationJob<Set<SequenceStoreId>> {
//!     client.start_read_set_activation_job().sequence_store_id("1234567890")
//! }
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let local = healthomics::local::LocalService::start().await?;
//! # let client = local.client()?;
//! # local.seed_read_set(&"1234567890".into(), healthomics::local::SeedReadSet::archived("BAM".into()));
//!
//! // Without `sources` it would not build.
//! in_our_store(&client).sources(["5555555555"]).send().await?;
//! # Ok(()) }
//! ```

/// A required member that was given.
///
/// The [module](self) has an example.
#[derive(Clone, Debug)]
pub struct Set<T>(T);

impl<T> Set<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

/// A required member that is still to be given; `M` is its name.
///
/// The [module](self) has an example.
#[derive(Clone, Copy, Debug)]
pub struct Unset<M>(std::marker::PhantomData<M>);

impl<M> Default for Unset<M> {
    fn default() -> Self {
        Self(std::marker::PhantomData)
    }
}

/// Holds for a required member that was given.
#[diagnostic::on_unimplemented(
    message = "a required member is not set: `{Self}`",
    label = "call the setter named in `{Self}` before this",
    note = "every required member must be set exactly once before the call can be sent or the value built"
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

/// Holds for a required member that was not given yet.
#[diagnostic::on_unimplemented(
    message = "this required member is set already",
    label = "a second call of the same setter",
    note = "every required member must be set exactly once"
)]
pub trait IsUnset: sealed::Sealed {}

impl<M> IsUnset for Unset<M> {}

/// The names of required members, as the compiler prints them when one is missing.
#[allow(non_camel_case_types, missing_docs, reason = "they are the names of the setters")]
pub mod member {
    macro_rules! names {
        ($($name:ident)+) => { $(#[derive(Clone, Copy, Debug)] pub struct $name;)+ };
    }
    names! { destination id ids read_sets role_arn run_id sample_id sequence_store_id source_file_type source_files sources subject_id }
}

mod sealed {
    #[allow(unnameable_types)]
    pub trait Sealed {}
    impl<T> Sealed for super::Set<T> {}
    impl<M> Sealed for super::Unset<M> {}
}

/// Declares a builder, its value, and a setter for each member.
///
/// `Param = member` names the type parameter of a required member. A member is given as anything that converts into
/// it; `each T` makes it a list, given as anything that can be iterated and whose items convert into `T`; numbers are
/// given as they are, as a literal converts into no other type than `i32`. `serde(…)` is the attribute of a field whose
/// value derives serde: `serde(skip)` for what travels in the path or the query.
macro_rules! builder {
    (
        $(#[$doc:meta])*
        pub struct $Builder:ident($context:ident: $Context:ty) builds
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
        $(numbers { $($(#[$num_doc:meta])* $num:ident: $NumTy:ty;)* })?
    ) => {
        $(#[$value_doc])*
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        $value_vis struct $Value {
            $($(#[$req_doc])* $(#[serde($($req_serde)*)])? $value_vis $req: $ReqTy,)+
            $($(#[$opt_doc])* $(#[serde($($opt_serde)*)])? $value_vis $opt: Option<$OptTy>,)*
            $($(#[$def_doc])* $value_vis $def: $DefTy,)*
            $($($(#[$num_doc])* $value_vis $num: Option<$NumTy>,)*)?
        }

        $(#[$doc])*
        #[must_use = "a builder does nothing until its closing method is called"]
        #[derive(Clone, Debug)]
        pub struct $Builder<$($Param = crate::builder::Unset<crate::builder::member::$req>),+> {
            $context: $Context,
            $($req: $Param,)+
            $($opt: Option<$OptTy>,)*
            $($def: Option<$DefTy>,)*
            $($($num: Option<$NumTy>,)*)?
        }

        impl $Builder {
            pub(crate) fn new($context: $Context) -> Self {
                Self {
                    $context,
                    $($req: crate::builder::Unset::default(),)+
                    $($opt: None,)*
                    $($def: None,)*
                    $($($num: None,)*)?
                }
            }
        }

        impl<$($Param),+> $Builder<$($Param),+> {
            $(
                $(#[$opt_doc])*
                pub fn $opt(mut self, $opt: impl Into<$OptTy>) -> Self {
                    self.$opt = Some($opt.into());
                    self
                }
            )*

            $(
                $(#[$def_doc])*
                pub fn $def(mut self, $def: impl Into<$DefTy>) -> Self {
                    self.$def = Some($def.into());
                    self
                }
            )*

            $($(
                $(#[$num_doc])*
                pub fn $num(mut self, $num: $NumTy) -> Self {
                    self.$num = Some($num);
                    self
                }
            )*)?

            fn into_parts(self) -> ($Context, $Value)
            where
                $($Param: crate::builder::IsSet<$ReqTy>,)+
            {
                let value = $Value {
                    $($req: self.$req.into_value(),)+
                    $($opt: self.$opt,)*
                    $($def: self.$def.unwrap_or_else(|| $default),)*
                    $($($num: self.$num,)*)?
                };
                (self.$context, value)
            }
        }

        crate::builder::builder! {
            @setters $Builder [$context $($opt)* $($def)* $($($num)*)?] []
            $({ $(#[$req_doc])* $Param = $req: $ReqTy $(, each $Each)? })+
        }
    };

    // One impl block for each required member: its own parameter changes, those before and after it stay.
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
    (@argument $T:ty, each $Each:ty) => { impl IntoIterator<Item = impl Into<$Each>> };
    (@convert $value:ident) => { $value.into() };
    (@convert $value:ident, each $Each:ty) => { $value.into_iter().map(Into::into).collect() };
}
pub(crate) use builder;
