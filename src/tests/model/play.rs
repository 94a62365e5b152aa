//! Plays a program on a subject, with the oracle at its side.

use super::oracle::{Oracle, consists_of};
use super::programs::{self, Program, Step};
use super::subject::{Idle, Subject};
use crate::heaps::Request;
use crate::memory::PAGE_BYTES;

/// Plays one program, asserting after each step, and then releases everything.
pub(crate) fn run<S: Subject>(mut subject: S, program: &Program) {
    let mut oracle = Oracle::new();
    oracle.check(&mut subject);
    for step in &program.steps {
        let served = play(&mut subject, &mut oracle, program, step);
        oracle.check(&mut subject);
        if !served && !S::SERVES_AFTER_REFUSAL {
            assert!(
                subject.allocate(Request { size: 1, align: 1 }).is_none(),
                "a poisoned allocator has served a request"
            );
            oracle.check_all_contents(subject.memory());
            return;
        }
    }
    while let Some((address, request)) = oracle.release_nth(subject.memory(), 0) {
        subject.deallocate(address, request);
    }
    oracle.check(&mut subject);
    oracle.check_the_memory_of_others(subject.memory());
}

/// Plays one step. False if a request was refused.
pub(crate) fn play<S: Subject>(subject: &mut S, oracle: &mut Oracle, program: &Program, step: &Step) -> bool {
    match *step {
        Step::Allocate { size, align, zeroed } => {
            let request = Request { size, align };
            let answer = if zeroed {
                subject.allocate_zeroed(request)
            } else {
                subject.allocate(request)
            };
            let Some(address) = answer else {
                check_refusal(subject, oracle, request);
                return false;
            };
            if zeroed {
                let bytes = subject.memory().slice(address, size);
                assert!(consists_of(bytes, 0), "alloc_zeroed left a byte that is not 0");
            }
            oracle.place(subject.memory(), address, request);
        }
        Step::AllocateRest { less, align, zeroed } => {
            let size = subject.tail_bytes().saturating_sub(less);
            if size != 0 {
                let size = programs::fitting(size, align);
                return play(subject, oracle, program, &Step::Allocate { size, align, zeroed });
            }
        }
        Step::Reallocate { which, size } => {
            let Some((address, request)) = oracle.nth(which) else {
                return true;
            };
            let new_request = Request {
                size: programs::fitting(size, request.align),
                align: request.align,
            };
            let Some(new_address) = subject.reallocate(address, request, new_request.size) else {
                check_refusal(subject, oracle, new_request);
                return false;
            };
            oracle.moved(subject.memory(), address, new_address, new_request);
        }
        Step::Release { which } => {
            if let Some((address, request)) = oracle.release_nth(subject.memory(), which) {
                subject.deallocate(address, request);
            }
        }
        Step::ReleaseMany { first, count } => {
            for _ in 0..count {
                if let Some((address, request)) = oracle.release_nth(subject.memory(), first) {
                    subject.deallocate(address, request);
                }
            }
        }
        Step::AllowGrowth { pages } => {
            let memory = subject.memory();
            memory.limit_pages = program.limit_pages().min(memory.end_page() + pages);
        }
        Step::GrowByOthers { pages } => {
            let memory = subject.memory();
            if memory.end_page() + pages <= program.limit_pages() {
                memory.foreign_grow(pages);
            }
        }
    }
    true
}

/// Asserts that a refused request could not have been served, and that what lives is as it was.
fn check_refusal<S: Subject>(subject: &mut S, oracle: &Oracle, request: Request) {
    oracle.check_all_contents(subject.memory());
    let needed = subject.extent_bytes(request);
    let idle = subject.idle(&oracle.live());
    let reusable = idle
        .iter()
        .find(|(idle, range)| *idle == Idle::Free && subject.serves(range, request));
    assert_eq!(reusable, None, "a request was refused although a free block serves it");

    let tail = idle
        .iter()
        .filter(|(idle, _)| *idle == Idle::Tail)
        .map(|(_, range)| range.end - range.start)
        .max();
    let memory = subject.memory();
    let room = u64::from(
        memory
            .limit_pages
            .min(memory.ceiling_pages)
            .saturating_sub(memory.end_page()),
    ) * u64::from(PAGE_BYTES);
    // Up to an alignment can be lost before the block, and a page to where the memory ends.
    let slack = u64::from(request.align.max(PAGE_BYTES)) + u64::from(PAGE_BYTES);
    assert!(
        tail.unwrap_or(0) + room < needed + slack,
        "a request for {needed} bytes was refused with {tail:?} bytes in the tail and {room} to grow by"
    );
}
