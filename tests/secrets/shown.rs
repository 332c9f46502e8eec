//! Collects the `Debug` and `Display` output of types, and finds the public types of the crate.

use std::any::type_name;
use std::collections::BTreeSet;
use std::fmt::{Debug, Display, Write as _};
use std::path::Path;

/// The output that was collected, and the types that it is of.
#[derive(Default)]
pub(crate) struct Shown {
    pub(crate) text: String,
    types: BTreeSet<String>,
}

impl Shown {
    pub(crate) fn debug<T: Debug>(&mut self, value: &T) {
        writeln!(self.text, "{value:?} {value:#?}").unwrap();
        self.note::<T>();
    }

    pub(crate) fn display<T: Display + Debug>(&mut self, value: &T) {
        writeln!(self.text, "{value}").unwrap();
        self.debug(value);
    }

    /// Collects the output of a value, and returns the value.
    pub(crate) fn pass<T: Debug>(&mut self, value: T) -> T {
        self.debug(&value);
        value
    }

    fn note<T>(&mut self) {
        let names = type_name::<T>().split(|c: char| !(c.is_alphanumeric() || c == '_'));
        self.types.extend(names.map(str::to_owned));
    }

    /// The public types of the crate whose output was not collected.
    pub(crate) fn missing(&self) -> Vec<String> {
        let mut declared = BTreeSet::new();
        find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut declared);
        assert!(declared.len() > 80, "{declared:?}");
        let is_inside = |name: &str| {
            [format!(" {name} {{"), format!(" {name}("), format!("({name} {{")]
                .iter()
                .any(|form| self.text.contains(form))
        };
        declared.into_iter().filter(|name| !self.types.contains(name) && !is_inside(name)).collect()
    }
}

/// Finds every `pub struct` and `pub enum`, and the types that macros of the crate declare.
fn find(folder: &Path, declared: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            find(&path, declared);
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let mut inside = "";
        for line in text.lines() {
            let line = line.trim();
            let rest =
                line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum ")).unwrap_or_else(|| {
                    match (inside, line.strip_suffix(" {")) {
                        ("open_enum! {", Some(name)) => name,
                        ("string_type! {" | "string_type! { opaque", None) => line,
                        _ => "",
                    }
                });
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
            if name.starts_with(|c: char| c.is_ascii_uppercase()) && !name.chars().all(char::is_uppercase) {
                declared.insert(name);
            }
            if line.ends_with('{') && !line.starts_with("pub ") || line == "string_type! { opaque" {
                inside = match line {
                    "open_enum! {" | "string_type! {" | "string_type! { opaque" => line,
                    _ => "",
                };
            }
        }
    }
}
