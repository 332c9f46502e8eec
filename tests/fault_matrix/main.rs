//! Every operation with every fault, once and always, over plain HTTP and over TLS with a private root. `rows.rs` has
//! the expected result of each call, and `src/error/what_happens_when.md` is generated from it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, unreachable_pub)]

mod calls;
mod cell;
mod clock;
mod end;
mod page;
#[path = "../proxy/mod.rs"]
mod proxy;
mod rows;

use std::path::Path;
use std::sync::Arc;

use proxy::Root;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many calls run at once: each needs some sockets.
const AT_ONCE: usize = 24;

fn check_every_cell(root: Option<Root>) {
    let started = std::time::Instant::now();
    let (count, wrong) = clock::run(async {
        let mut cells = Vec::new();
        for row in rows::sections().into_iter().flat_map(|section| section.rows) {
            for (cell, always) in [(row.once, false), (row.always, true)] {
                let Some((inject, end)) = cell.filter(|(inject, _)| root.is_some() || !inject.needs_tls()) else {
                    continue;
                };
                for operation in calls::all().into_iter().filter(|operation| (row.is_of)(*operation)) {
                    cells.push((row.name, operation, inject.clone(), always, end.clone()));
                }
            }
        }
        // Those that wait longest are started first.
        cells.sort_by_key(|(.., end)| std::cmp::Reverse(end.waits));
        let count = cells.len();
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        let root = Arc::new(root);
        let mut running = JoinSet::new();
        for (name, operation, inject, always, end) in cells {
            let permits = Arc::clone(&permits);
            let root = Arc::clone(&root);
            running.spawn(async move {
                let _permit = permits.acquire().await.unwrap();
                let wrong = cell::run(operation, &inject, always, &end, root.as_ref().as_ref()).await;
                let often = if always { "always" } else { "once" };
                wrong.into_iter().map(|what| format!("{name}, {often}, {operation:?}: {what}")).collect::<Vec<_>>()
            });
        }
        (count, running.join_all().await.concat())
    });
    println!("{count} cells in {:?}", started.elapsed());
    assert!(count > 700, "{count} cells");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_call_ends_as_expected_over_plain_http() {
    check_every_cell(None);
}

#[test]
fn every_call_ends_as_expected_over_tls_with_a_private_root() {
    check_every_cell(Some(Root::new()));
}

/// The matrix has the operations of the local service, and the local service has those of the client.
#[test]
fn every_operation_of_the_client_is_in_the_matrix() {
    let mut of_client = Vec::new();
    operation_names(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src/operation")), &mut of_client);
    let mut of_matrix: Vec<_> = calls::all().into_iter().map(calls::Operation::name).collect();
    of_client.sort();
    of_matrix.sort();
    assert_eq!(of_matrix, of_client);
}

/// The names of the operations that the source of the client declares.
fn operation_names(folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            operation_names(&path, names);
        } else {
            let text = std::fs::read_to_string(path).unwrap();
            let declared = text.lines().filter_map(|line| line.trim().strip_prefix("const NAME: &'static str = \""));
            names.extend(declared.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }
}

/// `UPDATE=1` writes the page.
#[test]
fn the_page_of_the_documentation_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/error/what_happens_when.md");
    let page = page::write(&rows::sections());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(
        std::fs::read_to_string(path).is_ok_and(|written| written == page),
        "{path} is not up to date: UPDATE=1 writes it"
    );
}
