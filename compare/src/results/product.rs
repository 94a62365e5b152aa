//! Programs that people ship, as tables: the first call in an instance, the last one, and the size of the module.

use super::figure::{Figure, Memory, Time, memory_of, time_of};
use super::outcome::{Outcome, checksum_of};
use super::size::Size;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The calls of a product in each instance: the first and the last are timed.
pub const PRODUCT_CALLS: u32 = 50;

/// A product as a table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ProductRow {
    /// The product's name.
    pub name: String,
    /// What it is, and what a call does.
    pub about: String,
    /// What each allocator that is compared in products did with it, by identifier.
    pub cells: BTreeMap<String, ProductCell>,
}

/// One product with one allocator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProductCell {
    /// The first call in an instance.
    pub first: CallFigures,
    /// The last of [`PRODUCT_CALLS`].
    pub last: CallFigures,
    /// Bytes of the module.
    pub size: Size,
}

/// One of the calls in an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallFigures {
    /// Time in V8, optimizing compiler only.
    pub time: Figure<Time>,
    /// Linear memory after it.
    pub memory: Figure<Memory>,
}

impl CallFigures {
    /// What `outcomes` say of the allocator `id`; times become ratios to `reference`.
    pub fn of(outcomes: &BTreeMap<String, Outcome>, id: &str, reference: &str) -> Self {
        let expected = checksum_of(outcomes, reference);
        CallFigures {
            time: time_of(outcomes, id, reference, expected),
            memory: memory_of(outcomes.get(id)),
        }
    }

    /// The median of its times.
    pub fn milliseconds(&self) -> Option<f64> {
        match &self.time {
            Figure::Measured(time) => Some(time.milliseconds.median),
            Figure::Missing(_) => None,
        }
    }

    /// The median of its times over the reference's.
    pub fn time_ratio(&self) -> Option<f64> {
        match &self.time {
            Figure::Measured(time) => time.ratio,
            Figure::Missing(_) => None,
        }
    }

    /// The pages of linear memory after it.
    pub fn pages(&self) -> Option<u32> {
        match &self.memory {
            Figure::Measured(memory) => Some(memory.pages),
            Figure::Missing(_) => None,
        }
    }
}
