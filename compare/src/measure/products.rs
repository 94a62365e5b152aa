//! Programs that people ship: the first call in an instance, the fiftieth, and the size of the whole module.

use super::engines::javascript::{self, JsEngine};
use super::plan::{Plan, Subject};
use super::sizes;
use crate::modules::workshop::{MOST_MEMORY_BYTES, Modules};
use crate::results::outcome::different;
use crate::results::outcome::{Outcome, Runs};
use crate::results::product::{CallFigures, PRODUCT_CALLS, ProductCell, ProductRow};
use crate::shared::catalogue::{Catalogue, Product};
use crate::shared::places::Places;
use crate::shared::progress::Step;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// The measured instances of each product and allocator.
const INSTANCES: u32 = 5;

/// The calls of an instance that take longer in all are ended.
const LIMIT: Duration = Duration::from_secs(60);

/// Measures the products of `chosen` with the allocators that are compared in products.
///
/// Returns the rows, and the names of products and allocators that computed something else than with the reference.
pub fn measure(chosen: &Catalogue, modules: &Modules, places: &Places) -> Result<(Vec<ProductRow>, Vec<String>)> {
    let reference = &chosen.reference()?.id;
    let step = Step::begin("products", chosen.products.len());
    let mut rows = Vec::new();
    let mut all_different = Vec::new();
    for product in &chosen.products {
        step.part(&product.name);
        let plan = plan_of(product, chosen, modules)?;
        let first = javascript::run(&plan, JsEngine::V8, LIMIT, places)
            .with_context(|| format!("cannot measure {}", product.name))?;
        let last = last_calls(&first);
        let files: Vec<&Path> = plan.subjects.iter().map(|subject| subject.path.as_path()).collect();
        let sizes = sizes::of_modules(&files, places)?;
        let cells = plan.subjects.iter().zip(sizes).map(|(subject, size)| {
            let cell = ProductCell {
                first: CallFigures::of(&first, &subject.id, reference),
                last: CallFigures::of(&last, &subject.id, reference),
                size,
            };
            (subject.id.clone(), cell)
        });
        rows.push(ProductRow {
            name: product.name.clone(),
            about: product.about.clone(),
            cells: cells.collect(),
        });
        let wrong = different(&first, reference);
        all_different.extend(wrong.iter().map(|id| format!("{} with {id}", product.name)));
    }
    Ok((rows, all_different))
}

fn plan_of(product: &Product, chosen: &Catalogue, modules: &Modules) -> Result<Plan> {
    let subject = |id: &str| {
        Ok(Subject {
            id: id.to_owned(),
            path: modules.of_product(&product.name, id)?.to_owned(),
        })
    };
    Ok(Plan {
        export: product.name.clone(),
        argument: product.argument,
        prepare: product.prepare,
        // The engine compiles what is called when it is first called, in the instance that warms up.
        warm_up_runs: 1,
        runs: INSTANCES,
        least_runs: INSTANCES,
        further_calls: PRODUCT_CALLS - 1,
        most_memory_bytes: MOST_MEMORY_BYTES,
        subjects: chosen
            .product_contenders()
            .map(|it| subject(&it.id))
            .collect::<Result<_>>()?,
        ..Plan::default()
    })
}

/// The same outcomes with the last call of each instance in place of the first.
fn last_calls(outcomes: &BTreeMap<String, Outcome>) -> BTreeMap<String, Outcome> {
    let last = |outcome: &Outcome| match outcome {
        Outcome::Failed(reason) => Outcome::Failed(reason.clone()),
        Outcome::Ran(runs) => Outcome::Ran(Runs {
            milliseconds: runs.last.milliseconds.clone(),
            pages: runs.last.pages,
            ..runs.clone()
        }),
    };
    outcomes
        .iter()
        .map(|(id, outcome)| (id.clone(), last(outcome)))
        .collect()
}
