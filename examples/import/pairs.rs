//! Pairs of FASTQ files that are in a row each.

use std::collections::HashMap;

use healthomics::read_set::FileType;

use crate::manifest::{PlacedSource, place};
use crate::shared::exit::Failure;
use crate::shared::table::Table;

/// A pair of which one file was found.
struct HalfPair {
    /// The index of its source in the list of sources.
    index: usize,
    /// 1 or 2.
    number: u8,
    /// The file that is missing.
    other: String,
}

/// Makes one source of two that differ only in the number of the pattern. All other sources stay as they are.
pub(crate) fn pair(table: &Table, sources: Vec<PlacedSource>, pattern: &str) -> Result<Vec<PlacedSource>, Failure> {
    let mut errors = Vec::new();
    let mut paired: Vec<PlacedSource> = Vec::new();
    let mut half_pairs: HashMap<(String, String, String), HalfPair> = HashMap::new();
    for placed in sources {
        let source = &placed.source;
        if source.source_file_type != FileType::Fastq || source.source_files.source2.is_some() {
            paired.push(placed);
            continue;
        }
        let at = || place(table, &placed, "sourceFiles.source1");
        let Some((number, key, other)) = split(source.source_files.source1.as_str(), pattern) else {
            let [first, second] = [1, 2].map(|number| with_number(pattern, number));
            errors.push(format!("{}: the name of the file has no {first} or {second}", at()));
            continue;
        };
        let key = (source.sample_id.to_string(), source.subject_id.to_string(), key);
        let Some(half) = half_pairs.remove(&key) else {
            half_pairs.insert(key, HalfPair { index: paired.len(), number, other });
            paired.push(placed);
            continue;
        };
        if half.number == number {
            let first = place(table, &paired[half.index], "sourceFiles.source1");
            errors.push(format!("{}: the same file as in {first}", at()));
            half_pairs.insert(key, half);
            continue;
        }
        match join(&paired[half.index], &placed, number) {
            Ok(joined) => paired[half.index] = joined,
            Err(field) => {
                let line = paired[half.index].line;
                errors.push(format!(
                    "{}: it differs from line {line}, which has the other file",
                    place(table, &placed, field)
                ));
            }
        }
    }
    let mut unpaired: Vec<&HalfPair> = half_pairs.values().collect();
    unpaired.sort_by_key(|half| half.index);
    for half in unpaired {
        let placed = &paired[half.index];
        let at = place(table, placed, "sourceFiles.source1");
        errors.push(format!("{at}: no row of sample {} and its subject has {}", placed.source.sample_id, half.other));
    }
    if errors.is_empty() { Ok(paired) } else { Err(Failure::all(errors)) }
}

/// The number of a file, what both files of the pair have in common, and the URI of the other file. `None` if the name
/// of the file has no number.
fn split(uri: &str, pattern: &str) -> Option<(u8, String, String)> {
    let name_begins = uri.rfind('/').map_or(0, |slash| slash + 1);
    let found = [1, 2].map(|number| (number, uri[name_begins..].rfind(&with_number(pattern, number))));
    // Of two numbers, the last one counts.
    let (number, at) = found.into_iter().filter_map(|(number, at)| Some((number, at?))).max_by_key(|(_, at)| *at)?;
    let at = name_begins + at;
    let (before, rest) = uri.split_at(at);
    let after = &rest[with_number(pattern, number).len()..];
    let other = format!("{before}{}{after}", with_number(pattern, 3 - number));
    Some((number, format!("{before}{pattern}{after}"), other))
}

fn with_number(pattern: &str, number: u8) -> String {
    pattern.replace("{}", &number.to_string())
}

/// The source of two files. `number` is that of the second argument. An error is the field in which they differ.
fn join(earlier: &PlacedSource, later: &PlacedSource, number: u8) -> Result<PlacedSource, &'static str> {
    let (first, second) = if number == 2 { (earlier, later) } else { (later, earlier) };
    let mut joined = first.clone();
    joined.second_line = Some(second.line);
    joined.source.source_files.source2 = Some(second.source.source_files.source1.clone());
    merge(&mut joined.source.reference_arn, second.source.reference_arn.as_ref(), "referenceArn")?;
    merge(&mut joined.source.name, second.source.name.as_ref(), "name")?;
    merge(&mut joined.source.description, second.source.description.as_ref(), "description")?;
    merge(&mut joined.source.generated_from, second.source.generated_from.as_ref(), "generatedFrom")?;
    merge(&mut joined.source.tags, second.source.tags.as_ref(), "tags")?;
    Ok(joined)
}

/// A field that only one of the rows has is that of the pair.
fn merge<T: Clone + PartialEq>(
    value: &mut Option<T>,
    other: Option<&T>,
    field: &'static str,
) -> Result<(), &'static str> {
    if value.is_some() && other.is_some() && value.as_ref() != other {
        return Err(field);
    }
    *value = value.take().or_else(|| other.cloned());
    Ok(())
}
