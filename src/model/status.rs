//! The service's enumerations. All of them are open: a value of tomorrow arrives as `Unknown`, prints as itself and
//! goes back out as itself.

use std::fmt;

/// The text of an enumeration value that this version of the crate does not know.
///
/// It can't be made from a known value, so that `Unknown` and a known variant never mean the same.
///
/// ```
/// use healthomics::read_set::JobStatus;
///
/// match JobStatus::from("PAUSED") {
///     JobStatus::Unknown(_) => println!("a newer healthomics may know it"),
///     status => panic!("{status} is known"),
/// }
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UnknownValue(Box<str>);

impl fmt::Debug for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[non_exhaustive]
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A value that this version of the crate does not know; [`as_str`](Self::as_str) tells it.
            Unknown(UnknownValue),
        }

        impl $name {
            /// Every value that this version of the crate knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The value as the service writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(UnknownValue(text)) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($text => Self::$variant,)+
                    other => Self::Unknown(UnknownValue(other.into())),
                }
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl From<&String> for $name {
            fn from(text: &String) -> Self {
                Self::from(text.as_str())
            }
        }

        impl From<&$name> for $name {
            fn from(other: &$name) -> Self {
                other.clone()
            }
        }

        impl std::str::FromStr for $name {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(Self::from(text))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        crate::model::ids::serde_as_text! { $name }
    };
}

open_enum! {
    /// Where a job stands (`ReadSetExportJobStatus`, `ReadSetImportJobStatus`, `ReadSetActivationJobStatus`).
    ///
    /// ```
    /// use healthomics::read_set::JobStatus;
    ///
    /// assert_eq!(JobStatus::from("COMPLETED"), JobStatus::Completed);
    /// assert!(JobStatus::Failed.is_terminal() && !JobStatus::InProgress.is_terminal());
    /// // A value of tomorrow arrives as itself.
    /// assert_eq!(JobStatus::from("PAUSED").to_string(), "PAUSED");
    /// ```
    JobStatus {
        /// Accepted, not begun.
        Submitted = "SUBMITTED",
        /// At work.
        InProgress = "IN_PROGRESS",
        /// Being stopped by the service.
        Cancelling = "CANCELLING",
        /// Stopped before its end.
        Cancelled = "CANCELLED",
        /// Ended without success.
        Failed = "FAILED",
        /// Ended, every item finished.
        Completed = "COMPLETED",
        /// Ended, some items failed: look at each.
        CompletedWithFailures = "COMPLETED_WITH_FAILURES",
    }
}

impl JobStatus {
    /// Whether the job has ended. A status that is not known counts as still running.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Cancelled | Self::Failed | Self::Completed | Self::CompletedWithFailures)
    }
}

open_enum! {
    /// Where one item of a job stands (`ReadSetExportJobItemStatus`, `ReadSetImportJobItemStatus`,
    /// `ReadSetActivationJobItemStatus`).
    ///
    /// ```
    /// use healthomics::read_set::ItemStatus;
    ///
    /// assert!(ItemStatus::Finished.is_terminal() && ItemStatus::Failed.is_terminal());
    /// assert!(!ItemStatus::from("PAUSED").is_terminal());
    /// ```
    ItemStatus {
        /// Waits for its turn.
        NotStarted = "NOT_STARTED",
        /// At work.
        InProgress = "IN_PROGRESS",
        /// Done.
        Finished = "FINISHED",
        /// Failed; the status message says why.
        Failed = "FAILED",
    }
}

impl ItemStatus {
    /// Whether nothing more happens to the item. A status that is not known counts as still running.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Finished | Self::Failed)
    }
}

open_enum! {
    /// What kind of file a source is (`FileType`).
    ///
    /// ```
    /// use healthomics::read_set::FileType;
    ///
    /// let file_type: FileType = "CRAM".parse()?;
    /// assert_eq!(file_type, FileType::Cram);
    /// # Ok::<(), std::convert::Infallible>(())
    /// ```
    FileType {
        /// Unaligned reads, gzip; one file or a pair.
        Fastq = "FASTQ",
        /// Aligned reads.
        Bam = "BAM",
        /// Aligned reads, compressed against their reference.
        Cram = "CRAM",
        /// Unaligned reads in BAM.
        Ubam = "UBAM",
    }
}

open_enum! {
    /// Where a read set stands (`ReadSetStatus`).
    ///
    /// ```
    /// use healthomics::read_set::ReadSetStatus;
    ///
    /// let known: Vec<_> = ReadSetStatus::KNOWN.iter().map(|status| status.as_str()).collect();
    /// assert!(known.contains(&"ARCHIVED"));
    /// ```
    ReadSetStatus {
        /// In cold storage: activate it before it is read.
        Archived = "ARCHIVED",
        /// On its way out of cold storage.
        Activating = "ACTIVATING",
        /// Can be read.
        Active = "ACTIVE",
        /// Being deleted.
        Deleting = "DELETING",
        /// Deleted.
        Deleted = "DELETED",
        /// Uploaded, being checked.
        ProcessingUpload = "PROCESSING_UPLOAD",
        /// Uploaded, found unusable.
        UploadFailed = "UPLOAD_FAILED",
    }
}

open_enum! {
    /// How a read set came into its store (`CreationType`).
    CreationType {
        /// By an import job.
        Import = "IMPORT",
        /// By a direct upload.
        Upload = "UPLOAD",
    }
}

open_enum! {
    /// What the entity tag of a read set is made of (`ETagAlgorithm`): its kind of file and a hash.
    ETagAlgorithm {
        /// FASTQ, by MD5.
        FastqMd5up = "FASTQ_MD5up",
        /// BAM, by MD5.
        BamMd5up = "BAM_MD5up",
        /// CRAM, by MD5.
        CramMd5up = "CRAM_MD5up",
        /// FASTQ, by SHA-256.
        FastqSha256up = "FASTQ_SHA256up",
        /// BAM, by SHA-256.
        BamSha256up = "BAM_SHA256up",
        /// CRAM, by SHA-256.
        CramSha256up = "CRAM_SHA256up",
        /// FASTQ, by SHA-512.
        FastqSha512up = "FASTQ_SHA512up",
        /// BAM, by SHA-512.
        BamSha512up = "BAM_SHA512up",
        /// CRAM, by SHA-512.
        CramSha512up = "CRAM_SHA512up",
    }
}
