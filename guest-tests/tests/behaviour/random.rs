//! Random requests against an oracle that knows the bytes of each live block.
//!
//! The seed is fixed: every run makes the same requests. `FREEING_BUMP_SEED=7 cargo make test-guest` compiles another
//! one in. A failing run prints the seed that it was compiled with.

use guest_tests::{BlockTable, ForeignPages, Outcome};
use wasm_bindgen_test::{console_log, wasm_bindgen_test};

const STEPS: usize = 30_000;

fn seed() -> u64 {
    option_env!("FREEING_BUMP_SEED").map_or(1, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("FREEING_BUMP_SEED is {text:?}; set it to a whole number from 0 to 2^64 - 1"))
    })
}

#[wasm_bindgen_test]
fn random_requests_never_overlap_and_keep_their_bytes() {
    let seed = seed();
    console_log!("seed {seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let mut table = BlockTable::<400>::new();
    let mut foreign = Vec::new();

    for step in 0..STEPS {
        assert_ne!(table.step(&mut random), Outcome::Refused, "step {step}");
        if step % (STEPS / 8) == 0 {
            foreign.push(ForeignPages::grow(1, step as u8));
            table.check();
        }
    }

    table.release_all();
    for pages in &foreign {
        pages.check();
    }
}
