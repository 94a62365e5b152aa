//! Threads that use one allocator on wasm32-wasip1-threads: every block is stamped by its maker and verified by whoever
//! resizes or releases it.

use module_checks::{Scenario, ThreadedGuest, build_threads_module, seed};

const ALLOCATOR: &str = "";

fn module(features: &str) -> Vec<u8> {
    build_threads_module(env!("CARGO_TARGET_TMPDIR"), features, "release")
}

#[test]
fn all() {
    let module = module(ALLOCATOR);
    for workers in [2, 4, 8] {
        for scenario in Scenario::COMPLETE {
            let mut guest = ThreadedGuest::new(&module, 4000);
            let start = std::time::Instant::now();
            let figures = guest.play(scenario, workers, 20_000, seed());
            println!(
                "{scenario:?} {workers} {figures:?} {:?} {}",
                start.elapsed(),
                guest.pages()
            );
        }
    }
}
