//! `worst-case`: the costliest single call of each allocator in a large heap.
//!
//! In a heap of a million live blocks of 100 bytes on average, half of the blocks are released in random order. Then
//! blocks of up to a megabyte are made, resized and released among them. Wasmtime's fuel counter gives the instructions
//! of each call, which are the same on every machine. `memory.grow` counts as one instruction, and so does each byte that
//! is copied.

use crate::measure::engines::wasmtime::{Probe, Wasmtime};
use crate::modules::package::{Package, SIZE_PROBE};
use crate::modules::workshop;
use crate::shared::catalogue::Catalogue;
use crate::shared::places::Places;
use crate::shared::profile::Profile;
use crate::shared::progress::Step;
use anyhow::Result;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{CellAlignment, Table};
use std::collections::VecDeque;

/// The live blocks before the first release.
const BLOCKS: u32 = 1_000_000;

/// The steps on blocks of all sizes.
const STEPS: u32 = 100_000;

/// The blocks of all sizes that live at once.
const LARGE_BLOCKS: usize = 100;

/// The most instructions that a call of each kind executed.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Most {
    allocate: u64,
    release: u64,
    resize: u64,
}

/// Measures all contenders that `only` names, and prints a table.
pub fn run(only: &[String], places: &Places) -> Result<()> {
    let everything = Catalogue::read(places)?;
    let mut chosen = Catalogue::read(places)?;
    chosen.choose_allocators(only)?;
    let wanted: Vec<_> = chosen
        .contenders()
        .map(|allocator| (Package::new(&allocator.id, SIZE_PROBE), Profile::Speed))
        .collect();
    let modules = workshop::build(&wanted, &everything, places)?;
    let engine = Wasmtime::new()?;
    let step = Step::begin("counting", wanted.len());
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header([
        "most instructions of one call",
        "allocate",
        "release",
        "resize",
        "heap, MiB",
    ]);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for allocator in chosen.contenders() {
        step.part(&allocator.name);
        let module = modules.path(SIZE_PROBE, &allocator.id, Profile::Speed)?;
        let mut probe = engine.probe(module, places)?;
        let cells = match exercise(&mut probe) {
            Ok(most) => [
                most.allocate.to_string(),
                most.release.to_string(),
                most.resize.to_string(),
                (probe.memory_bytes() >> 20).to_string(),
            ],
            Err(reason) => [reason, String::new(), String::new(), String::new()],
        };
        table.add_row([allocator.name.clone()].into_iter().chain(cells));
    }
    println!("{table}");
    println!(
        "In a heap of {BLOCKS} live blocks, 1 to 199 bytes each, then {STEPS} steps on blocks of up to 1 MB. \
         Each byte that a resize copies counts as an instruction."
    );
    Ok(())
}

/// Runs the load; the reason if it does not end.
fn exercise(probe: &mut Probe) -> Result<Most, String> {
    let mut random = fastrand::Rng::with_seed(1);
    let mut most = Most::default();
    let mut small = Vec::new();
    for _ in 0..BLOCKS {
        small.push(allocate(probe, &mut most, random.u32(1..200))?);
    }
    random.shuffle(&mut small);
    let kept = small.split_off(BLOCKS as usize / 2);
    for block in small {
        release(probe, &mut most, block)?;
    }
    let mut large: VecDeque<(u32, u32)> = VecDeque::new();
    for _ in 0..STEPS {
        // As many blocks of each order of magnitude.
        let size = 1 << random.u32(0..20);
        let size = size + random.u32(0..size);
        match large.pop_front() {
            Some((block, old_size)) if random.bool() => {
                let (block, instructions) = probe.resize(block, old_size, size)?;
                most.resize = most.resize.max(instructions);
                large.push_back((block, size));
            }
            Some(block) if large.len() >= LARGE_BLOCKS => release(probe, &mut most, block)?,
            oldest => {
                large.extend(oldest);
                large.push_back(allocate(probe, &mut most, size)?);
            }
        }
    }
    for block in large.into_iter().chain(kept) {
        release(probe, &mut most, block)?;
    }
    Ok(most)
}

fn allocate(probe: &mut Probe, most: &mut Most, size: u32) -> Result<(u32, u32), String> {
    let (block, instructions) = probe.allocate(size)?;
    most.allocate = most.allocate.max(instructions);
    Ok((block, size))
}

fn release(probe: &mut Probe, most: &mut Most, (block, size): (u32, u32)) -> Result<(), String> {
    let instructions = probe.release(block, size)?;
    most.release = most.release.max(instructions);
    Ok(())
}
