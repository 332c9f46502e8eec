//! Which read sets of a store a program works with.

use clap::Args;
use healthomics::read_set::{ReadSetFilter, ReadSetListItem, ReadSetStatus};
use healthomics::{Client, SequenceStoreId};
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime};

use super::exit::Failure;

#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Filter of read sets: those to which all of these apply")]
pub struct FilterOptions {
    /// The sample.
    #[arg(long, value_name = "ID")]
    sample: Option<String>,
    /// The subject.
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// The name of the read set.
    #[arg(long)]
    name: Option<String>,
    /// The status: ACTIVE, ARCHIVED, ACTIVATING, …
    #[arg(long)]
    status: Option<String>,
    /// What the read set was generated from.
    #[arg(long, value_name = "TEXT")]
    generated_from: Option<String>,
    /// The ARN of the reference genome.
    #[arg(long, value_name = "ARN")]
    aligned_to: Option<String>,
    /// Created after this time: 2026-11-28 (midnight, UTC) or 2026-11-28T06:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    created_after: Option<OffsetDateTime>,
    /// Created before this time.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    created_before: Option<OffsetDateTime>,
}

impl FilterOptions {
    /// The filter; `None` if no option was given.
    pub fn filter(&self) -> Option<ReadSetFilter> {
        let filter = ReadSetFilter::new()
            .sample_id(self.sample.as_deref())
            .subject_id(self.subject.as_deref())
            .name(self.name.clone())
            .status(self.status.as_deref().map(ReadSetStatus::from))
            .generated_from(self.generated_from.clone())
            .reference_arn(self.aligned_to.as_deref())
            .created_after(self.created_after)
            .created_before(self.created_before);
        (filter != ReadSetFilter::new()).then_some(filter)
    }
}

fn parse_time(text: &str) -> Result<OffsetDateTime, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .or_else(|_| Date::parse(text, &Iso8601::DATE).map(|date| date.midnight().assume_utc()))
        .map_err(|_| "expected 2026-11-28 or 2026-11-28T06:00:00Z".to_owned())
}

/// Lists the read sets that match.
pub async fn list(
    client: &Client,
    store: &SequenceStoreId,
    filter: Option<ReadSetFilter>,
) -> Result<Vec<ReadSetListItem>, Failure> {
    let mut items = client.list_read_sets().sequence_store_id(store).filter(filter).items();
    let mut read_sets = Vec::new();
    while let Some(read_set) = items.next().await {
        read_sets.push(read_set?);
    }
    Ok(read_sets)
}
