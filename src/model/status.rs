//! The service's enumerations. All of them are open: a value that this version does not know is `Unknown`, and is
//! printed and sent as itself.

use std::fmt;

/// The text of an enumeration value that this version of the crate does not know.
///
/// It can't be made of a known value, so that `Unknown` and a known variant never mean the same.
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
            /// A value that this version of the crate does not know; [`as_str`](Self::as_str) returns it.
            Unknown(UnknownValue),
        }

        impl $name {
            /// Every value that this version of the crate knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The value as the service writes it: `COMPLETED`.
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

/// The order of the text. Statuses have none, as it would not be the order in which they follow one another.
macro_rules! ordered_by_text {
    ($($name:ident)+) => {$(
        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
    )+};
}
ordered_by_text! { CreationType ETagAlgorithm FileType }

open_enum! {
    /// The status of a job (`ReadSetExportJobStatus`, `ReadSetImportJobStatus`, `ReadSetActivationJobStatus`).
    ///
    /// ```
    /// use healthomics::read_set::JobStatus;
    ///
    /// assert_eq!(JobStatus::from("COMPLETED"), JobStatus::Completed);
    /// assert!(JobStatus::Failed.is_terminal() && !JobStatus::InProgress.is_terminal());
    /// // A value that this version does not know is kept as it is.
    /// assert_eq!(JobStatus::from("PAUSED").to_string(), "PAUSED");
    /// ```
    JobStatus {
        /// The job is accepted, and not running yet.
        Submitted = "SUBMITTED",
        /// The job is running.
        InProgress = "IN_PROGRESS",
        /// The service is stopping the job.
        Cancelling = "CANCELLING",
        /// The job was stopped before its end.
        Cancelled = "CANCELLED",
        /// The job has ended without success.
        Failed = "FAILED",
        /// The job has ended, and every item is finished.
        Completed = "COMPLETED",
        /// The job has ended, and some items failed: see the status of each.
        CompletedWithFailures = "COMPLETED_WITH_FAILURES",
    }
}

impl JobStatus {
    /// Whether the job has ended. With an unknown status it counts as still running.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Cancelled | Self::Failed | Self::Completed | Self::CompletedWithFailures)
    }
}

open_enum! {
    /// The status of one item of a job (`ReadSetExportJobItemStatus`, `ReadSetImportJobItemStatus`,
    /// `ReadSetActivationJobItemStatus`).
    ///
    /// ```
    /// use healthomics::read_set::ItemStatus;
    ///
    /// assert!(ItemStatus::Finished.is_terminal() && ItemStatus::Failed.is_terminal());
    /// assert!(!ItemStatus::from("PAUSED").is_terminal());
    /// ```
    ItemStatus {
        /// The service has not started with the item.
        NotStarted = "NOT_STARTED",
        /// The service is working on the item.
        InProgress = "IN_PROGRESS",
        /// The item was processed successfully.
        Finished = "FINISHED",
        /// The item failed; the status message says why.
        Failed = "FAILED",
    }
}

impl ItemStatus {
    /// Whether the status is final. An unknown status is not.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Finished | Self::Failed)
    }
}

open_enum! {
    /// The file format of a source or read set (`FileType`).
    ///
    /// ```
    /// use healthomics::read_set::FileType;
    ///
    /// let file_type: FileType = "CRAM".parse()?;
    /// assert_eq!(file_type, FileType::Cram);
    /// # Ok::<(), std::convert::Infallible>(())
    /// ```
    FileType {
        /// FASTQ: unaligned reads, compressed by gzip, in one file or a pair of files.
        Fastq = "FASTQ",
        /// BAM: aligned reads.
        Bam = "BAM",
        /// CRAM: aligned reads, compressed against their reference.
        Cram = "CRAM",
        /// Unaligned reads in the format BAM.
        Ubam = "UBAM",
    }
}

open_enum! {
    /// The status of a read set (`ReadSetStatus`).
    ///
    /// ```
    /// use healthomics::read_set::ReadSetStatus;
    ///
    /// let known: Vec<_> = ReadSetStatus::KNOWN.iter().map(|status| status.as_str()).collect();
    /// assert!(known.contains(&"ARCHIVED"));
    /// ```
    ReadSetStatus {
        /// The read set is archived: it must be activated before it can be read.
        Archived = "ARCHIVED",
        /// An activation job is restoring the read set.
        Activating = "ACTIVATING",
        /// The read set can be read.
        Active = "ACTIVE",
        /// The read set is being deleted.
        Deleting = "DELETING",
        /// The read set is deleted.
        Deleted = "DELETED",
        /// The read set is uploaded, and the service is checking it.
        ProcessingUpload = "PROCESSING_UPLOAD",
        /// The service rejected the uploaded files.
        UploadFailed = "UPLOAD_FAILED",
    }
}

open_enum! {
    /// How a read set was created (`CreationType`).
    CreationType {
        /// An import job created it.
        Import = "IMPORT",
        /// A direct upload created it.
        Upload = "UPLOAD",
    }
}

open_enum! {
    /// The algorithm of the entity tag of a read set (`ETagAlgorithm`): a file format and a hash function.
    ETagAlgorithm {
        /// FASTQ, MD5.
        FastqMd5up = "FASTQ_MD5up",
        /// BAM, MD5.
        BamMd5up = "BAM_MD5up",
        /// CRAM, MD5.
        CramMd5up = "CRAM_MD5up",
        /// FASTQ, SHA-256.
        FastqSha256up = "FASTQ_SHA256up",
        /// BAM, SHA-256.
        BamSha256up = "BAM_SHA256up",
        /// CRAM, SHA-256.
        CramSha256up = "CRAM_SHA256up",
        /// FASTQ, SHA-512.
        FastqSha512up = "FASTQ_SHA512up",
        /// BAM, SHA-512.
        BamSha512up = "BAM_SHA512up",
        /// CRAM, SHA-512.
        CramSha512up = "CRAM_SHA512up",
    }
}
