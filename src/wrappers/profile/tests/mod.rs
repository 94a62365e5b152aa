//! Tests of the wrapper and its snapshots, on the host.

mod full_table;
mod inner;
mod oracle;
mod places;
mod snapshots;
