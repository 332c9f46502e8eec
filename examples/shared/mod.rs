//! What the programs `import`, `export`, `report` and `probe` share. To copy one of them, copy this folder, too.
#![allow(dead_code, unreachable_pub, reason = "no program uses all of it")]

pub mod account;
pub mod bulk;
pub mod exit;
pub mod filter;
pub mod output;
pub mod progress;
pub mod table;
