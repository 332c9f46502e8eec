//! Locations in Amazon S3 and ARNs.

use super::constraint;
use super::ids::string_type;

string_type! {
    /// The URI of an object in Amazon S3: `s3://bucket/key`, the key of 1 to 1,024 characters.
    S3Uri, checked by constraint::s3_uri
}
string_type! {
    /// The destination of exported files: `s3://bucket`, `s3://bucket/` or `s3://bucket/prefix/`.
    ///
    /// A prefix must end in `/`, by the service's own pattern.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let local = healthomics::local::LocalService::start().await?;
    /// # let client = local.client()?;
    /// use healthomics::S3Destination;
    ///
    /// let no_slash = S3Destination::from("s3://my-bucket/exports");
    /// let call = client
    ///     .start_read_set_export_job()
    ///     .sequence_store_id("1234567890")
    ///     .sources(["5555555555"]);
    /// let call = call
    ///     .role_arn("arn:aws:iam::123456789012:role/OmicsExport")
    ///     .destination(no_slash);
    /// let error = call.send().await.unwrap_err();
    /// assert_eq!(error.violations().unwrap().iter().next().unwrap().field(), "destination");
    /// # Ok(()) }
    /// ```
    S3Destination, checked by constraint::s3_destination
}
string_type! {
    /// The ARN of the service role of a job, which HealthOmics assumes to access the bucket: `arn:…`, 20 to 2,048
    /// characters.
    RoleArn, checked by constraint::role_arn
}
string_type! {
    /// The ARN of the reference genome that reads are aligned to: `arn:…`, at most 127 characters.
    ReferenceArn, checked by constraint::omics_arn
}
string_type! {
    /// The ARN of a read set: `arn:…`, at most 127 characters.
    ReadSetArn, checked by constraint::omics_arn
}
