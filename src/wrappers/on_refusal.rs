//! `OnRefusal`, a wrapper that calls a function of the user's when a request is refused.

use core::alloc::{GlobalAlloc, Layout};
use core::ops::Deref;
use core::sync::atomic::{AtomicBool, Ordering};

/// An allocator that calls a function of yours when a request is refused, and tries the request once more if the function
/// says so. A program can set a reserve aside, and use it to save its work and stop where it would otherwise trap.
///
/// ```
/// # #[cfg(target_arch = "wasm32")]
/// # mod module {
/// use freeing_bump::{FreeingBump, OnRefusal};
/// use std::alloc::Layout;
/// use std::sync::Mutex;
///
/// #[global_allocator]
/// static ALLOCATOR: OnRefusal<FreeingBump> =
///     OnRefusal::new(FreeingBump::new().with_max_pages(256), release_the_reserve);
///
/// static RESERVE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
///
/// fn start() {
///     let reserve = Vec::with_capacity(100_000);
///     *RESERVE.lock().unwrap() = reserve;
/// }
///
/// /// Whether to try the request once more: if there was a reserve.
/// fn release_the_reserve(_refused: Layout) -> bool {
///     let Ok(mut reserve) = RESERVE.try_lock() else {
///         return false;
///     };
///     let reserve = std::mem::take(&mut *reserve);
///     reserve.capacity() != 0
/// }
///
/// /// Asked between two steps of the work: whether to stop, and save what is done.
/// fn is_low() -> bool {
///     RESERVE.lock().unwrap().capacity() == 0
/// }
/// # }
/// ```
///
/// The function gets the layout of the refused request; for `realloc` that has the new size. If it returns true, the request
/// is tried once more, and the second answer is final. If it returns false, the request stays refused: the caller gets null.
///
/// It may allocate and release, since the refused call has returned. A request that is refused to it stays refused: the
/// function is not called while it runs, not by another thread either. It must not unwind. It cannot know what the program
/// was doing when the request came. So it should take no lock that the program may hold, and leave the program's data
/// alone.
///
/// A request that is served costs the test that the result is not null. A program without the wrapper pays nothing. Around
/// `CheckedFreeingBump` the second try is refused too, because the first refusal poisons that heap.
#[derive(Debug)]
pub struct OnRefusal<A> {
    allocator: A,
    hook: fn(Layout) -> bool,
    /// Whether the hook is running.
    running: AtomicBool,
}

impl<A> OnRefusal<A> {
    /// The wrapper around `allocator`, for use in a `static`, which calls `hook` for each refused request. `hook` says
    /// whether to try the request once more.
    #[must_use]
    pub const fn new(allocator: A, hook: fn(Layout) -> bool) -> Self {
        OnRefusal {
            allocator,
            hook,
            running: AtomicBool::new(false),
        }
    }

    /// The block that `request` returns, or returns when it is tried once more.
    #[inline]
    fn again_if_refused(&self, layout: Layout, request: impl Fn() -> *mut u8) -> *mut u8 {
        let block = request();
        if block.is_null() && self.is_worth_another_try(layout) {
            return request();
        }
        block
    }

    /// Calls the hook, unless it is running.
    #[cold]
    #[inline(never)]
    fn is_worth_another_try(&self, layout: Layout) -> bool {
        if self.running.swap(true, Ordering::Relaxed) {
            return false;
        }
        let again = (self.hook)(layout);
        self.running.store(false, Ordering::Relaxed);
        again
    }
}

/// The allocator within, with what else it offers.
impl<A> Deref for OnRefusal<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.allocator
    }
}

// SAFETY: each call is passed on as it is. One that was refused has changed nothing, and is passed on once more.
unsafe impl<A: GlobalAlloc> GlobalAlloc for OnRefusal<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size of the layout is not 0, as the caller must see to.
        self.again_if_refused(layout, || unsafe { self.allocator.alloc(layout) })
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the size of the layout is not 0, as the caller must see to.
        self.again_if_refused(layout, || unsafe { self.allocator.alloc_zeroed(layout) })
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block comes from the allocator within, with this layout, and is live.
        unsafe { self.allocator.dealloc(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller says that the new size, rounded up to the alignment, does not overflow an `isize`.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: the block comes from the allocator within, with this layout. It is live, after a refusal too.
        self.again_if_refused(new_layout, || unsafe {
            self.allocator.realloc(block, layout, new_size)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::{Cell, RefCell};
    use core::ptr::{null_mut, without_provenance_mut};
    use std::thread_local;
    use std::vec::Vec;

    /// The address of all that is served.
    const SERVED: usize = 1600;

    /// What is called, its layout, and for `realloc` and `dealloc` the address, to which the new size is added.
    type Call = (&'static str, Layout, usize);

    /// Notes each call, and refuses as many as it should.
    struct Notes {
        calls: RefCell<Vec<Call>>,
        refusals: Cell<u32>,
    }

    impl Notes {
        fn answer(&self, call: &'static str, layout: Layout, other: usize) -> *mut u8 {
            self.calls.borrow_mut().push((call, layout, other));
            match self.refusals.get().checked_sub(1) {
                Some(left) => {
                    self.refusals.set(left);
                    null_mut()
                }
                None => without_provenance_mut(SERVED),
            }
        }
    }

    // SAFETY: nothing uses the memory that it hands out.
    unsafe impl GlobalAlloc for Notes {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.answer("alloc", layout, 0)
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            self.answer("alloc_zeroed", layout, 0)
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            self.calls.borrow_mut().push(("dealloc", layout, block.addr()));
        }

        unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
            self.answer("realloc", layout, block.addr() + new_size)
        }
    }

    thread_local! {
        static ALLOCATOR: OnRefusal<Notes> = const {
            let notes = Notes {
                calls: RefCell::new(Vec::new()),
                refusals: Cell::new(0),
            };
            OnRefusal::new(notes, hook)
        };
        static TRY_AGAIN: Cell<bool> = const { Cell::new(true) };
    }

    const ASKED_BY_THE_HOOK: Layout = Layout::new::<u16>();

    /// Releases something, asks for something, notes both, and says what it should.
    fn hook(refused: Layout) -> bool {
        ALLOCATOR.with(|allocator| {
            allocator.calls.borrow_mut().push(("hook", refused, 0));
            // SAFETY: the allocator within only notes the calls.
            unsafe {
                allocator.dealloc(without_provenance_mut(SERVED), ASKED_BY_THE_HOOK);
                allocator.alloc(ASKED_BY_THE_HOOK);
            }
        });
        TRY_AGAIN.get()
    }

    const LAYOUT: Layout = match Layout::from_size_align(40, 16) {
        Ok(layout) => layout,
        Err(_) => unreachable!(),
    };

    /// Whether each of the three requests is served when so many calls are refused from its first on, and all calls that are
    /// made then.
    fn requests(refusals: u32) -> Vec<(bool, Vec<Call>)> {
        ALLOCATOR.with(|allocator| {
            (0..3)
                .map(|request| {
                    allocator.refusals.set(refusals);
                    // SAFETY: the allocator within only notes the calls.
                    let block = unsafe {
                        match request {
                            0 => allocator.alloc(LAYOUT),
                            1 => allocator.alloc_zeroed(LAYOUT),
                            _ => allocator.realloc(without_provenance_mut(SERVED), LAYOUT, 50),
                        }
                    };
                    allocator.refusals.set(0);
                    (!block.is_null(), allocator.calls.take())
                })
                .collect()
        })
    }

    /// The calls that the three requests are, and the layout that the hook gets for each.
    fn each_request() -> [(Call, Layout); 3] {
        [
            (("alloc", LAYOUT, 0), LAYOUT),
            (("alloc_zeroed", LAYOUT, 0), LAYOUT),
            (
                ("realloc", LAYOUT, SERVED + 50),
                Layout::from_size_align(50, 16).unwrap(),
            ),
        ]
    }

    /// What the hook is called with, and the calls that it makes.
    fn calls_of_the_hook(refused: Layout) -> [Call; 3] {
        [
            ("hook", refused, 0),
            ("dealloc", ASKED_BY_THE_HOOK, SERVED),
            ("alloc", ASKED_BY_THE_HOOK, 0),
        ]
    }

    #[test]
    fn a_served_request_reaches_the_allocator_within_unchanged_and_calls_no_hook() {
        for ((served, calls), (call, _)) in requests(0).into_iter().zip(each_request()) {
            assert!(served);
            assert_eq!(calls, [call]);
        }
    }

    #[test]
    fn a_refused_request_is_tried_once_more_after_the_hook_whose_own_refusal_calls_no_hook() {
        // The request, and what the hook asks for.
        for ((served, calls), (call, layout)) in requests(2).into_iter().zip(each_request()) {
            assert!(served);
            let [hook, release, request] = calls_of_the_hook(layout);
            assert_eq!(calls, [call, hook, release, request, call]);
        }
    }

    #[test]
    fn the_second_refusal_is_final_and_the_next_request_calls_the_hook_again() {
        for _ in 0..2 {
            for ((served, calls), (call, layout)) in requests(u32::MAX).into_iter().zip(each_request()) {
                assert!(!served);
                let [hook, release, request] = calls_of_the_hook(layout);
                assert_eq!(calls, [call, hook, release, request, call]);
            }
        }
    }

    #[test]
    fn a_request_stays_refused_when_the_hook_says_so() {
        TRY_AGAIN.set(false);
        for ((served, calls), (call, layout)) in requests(1).into_iter().zip(each_request()) {
            assert!(!served);
            let [hook, release, request] = calls_of_the_hook(layout);
            assert_eq!(calls, [call, hook, release, request]);
        }
    }
}
