//! Random tests: how many inputs, from which seeds, and what a failure says.

use super::play::run;
use super::random;
use super::subject::Subject;
use crate::tests::simulated_memory::SimulatedMemory;
use proptest::strategy::Strategy;
use proptest::test_runner::{Config, TestRunner};

/// How many steps each allocator is driven through unless the environment says otherwise: few under Miri, which
/// interprets the making of the programs too.
const DEFAULT_STEPS: u32 = if cfg!(miri) { 20 } else { 100_000 };

/// How many inputs are tried at most in search of the shortest one that fails.
const MAX_TRIES: u32 = 2_000;

/// Plays as many random programs as the number of steps asks for, each on a subject that `new` makes for its memory.
pub(crate) fn test_programs<S: Subject>(new: impl Fn(SimulatedMemory) -> S) {
    test_random(random::programs::<S>(), random::AVERAGE_STEPS, |program| {
        run(new(program.memory()), &program);
    });
}

/// Passes random inputs to `test`: as many as the number of steps asks for when they have this many on average.
pub(crate) fn test_random<I: Strategy>(inputs: I, average_steps: u32, test: impl Fn(I::Value)) {
    let steps = random::number_from_environment("FREEING_BUMP_MODEL_STEPS", DEFAULT_STEPS);
    let first = random::seed();
    for number in 0..steps.div_ceil(average_steps) {
        test_seed(first.wrapping_add(number), &inputs, &test);
    }
}

/// Passes the input that is made from this seed to `test`. If that fails, panics with the shortest input that fails.
fn test_seed<I: Strategy>(seed: u32, inputs: &I, test: &impl Fn(I::Value)) {
    let mut config = Config::with_cases(1);
    config.max_shrink_iters = MAX_TRIES;
    // The seed is all that is needed to play an input again.
    config.failure_persistence = None;
    TestRunner::new_with_rng(config, random::generator(seed))
        .run(inputs, |input| {
            test(input);
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("FREEING_BUMP_SEED={seed} plays this first: {failure}"));
}

#[cfg(test)]
mod tests {
    //! In this file since `test_seed` is private.
    use super::*;
    use core::cell::Cell;
    use proptest::prelude::any;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::string::String;

    /// The first input that is made from this seed, and with what message a test fails that wants numbers below 16.
    fn first_input_and_failure(seed: u32) -> (u32, Option<String>) {
        let first = Cell::new(None);
        let result = catch_unwind(AssertUnwindSafe(|| {
            test_seed(seed, &any::<u32>(), &|input: u32| {
                first.set(first.get().or(Some(input)));
                assert!(input < 16, "{input} is too large");
            });
        }));
        let failure = result
            .err()
            .map(|panic| *panic.downcast().expect("the message is made of parts"));
        (first.get().expect("the test is called"), failure)
    }

    #[test]
    #[cfg_attr(miri, ignore = "hundreds of panics, which Miri needs minutes for")]
    fn a_random_test_that_fails_names_the_seed_and_the_smallest_input_and_plays_both_again() {
        for seed in [1, u32::MAX] {
            let (input, failure) = first_input_and_failure(seed);
            assert_eq!(first_input_and_failure(seed), (input, failure.clone()));
            assert_ne!(first_input_and_failure(seed.wrapping_add(1)).0, input);
            let failure = failure.expect("numbers below 16 are rare, and not made from these seeds");
            assert!(
                failure.starts_with(&std::format!("FREEING_BUMP_SEED={seed} "))
                    && failure.ends_with("minimal failing input: 16"),
                "{failure}"
            );
        }
    }
}
