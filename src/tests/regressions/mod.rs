//! Faults that other allocators had, as tests of ours. Each test is named after what holds here. Its comment says what went
//! wrong, and where. Faults in one allocator's own structures (a tag bit, a sentinel, a coalescing step) appear as what their
//! users saw. How much memory a program needs at most is in [`footprint`].
//!
//! Not here: what needs a module (two allocators on WASI, threads) or an interface that ours do not have (`calloc`'s
//! product, regions added by hand).

mod address_space;
mod contents;
mod footprint;
mod growth;
mod kit;
mod limits;

/// Makes a module of tests for each heap, with the functions of the modules named.
macro_rules! tests_of_each_heap {
    ($($about:ident: $($failure:ident)*;)*) => {
        mod tiny_heap {
            $($(
                #[test]
                #[cfg_attr(miri, ignore = "thousands of steps, which Miri needs minutes for")]
                fn $failure() { super::$about::$failure(super::kit::tiny) }
            )*)*
        }
        mod merging_heap {
            $($(
                #[test]
                #[cfg_attr(miri, ignore = "thousands of steps, which Miri needs minutes for")]
                fn $failure() { super::$about::$failure(super::kit::freeing_bump) }
            )*)*
        }
        mod checked_heap {
            $($(
                #[test]
                #[cfg_attr(miri, ignore = "thousands of steps, which Miri needs minutes for")]
                fn $failure() { super::$about::$failure(super::kit::checked) }
            )*)*
        }
    };
}

tests_of_each_heap! {
    address_space:
        an_aligned_request_beside_the_top_of_the_address_space_is_never_served_from_low_addresses
        a_heap_that_reaches_four_gib_does_not_begin_again
        the_last_pages_below_four_gib_are_used
        the_last_block_below_four_gib_is_released_like_any_other
        a_request_near_two_gib_that_is_refused_does_not_grow_the_memory
        addresses_above_two_gib_are_used_like_any_others
        a_heap_of_a_few_bytes_is_not_written_past_its_end
        a_heap_may_start_in_the_first_page_or_the_last;
    growth:
        two_large_blocks_released_in_the_order_they_were_made_are_used_again
        a_request_a_few_bytes_short_of_a_page_grows_the_memory_by_no_more_than_it_needs
        a_first_request_a_few_bytes_short_of_a_page_grows_the_memory_once
        blocks_grown_page_by_page_use_what_was_released
        pages_that_others_added_are_left_alone
        the_initial_memory_is_used_after_a_first_request_above_it
        a_large_alignment_grows_the_memory_by_little_more_than_the_need
        each_size_is_served_by_the_first_growth_for_it
        a_large_block_that_was_released_is_used_again
        growth_refused_in_the_middle_leaves_no_half_made_block
        a_request_that_fails_again_and_again_does_not_grow_the_memory
        a_loop_that_allocates_and_releases_the_same_takes_no_more_memory
        no_page_is_read_before_it_is_written;
    contents:
        a_free_block_above_16_mib_at_the_top_is_not_overlapped_when_the_memory_grows
        a_shrinking_realloc_copies_no_more_than_the_new_size
        an_aligned_block_made_from_a_released_one_leaves_its_neighbour_alone
        a_block_doubled_from_1_byte_to_64_kib_takes_little_more_than_its_sizes
        each_alignment_holds_after_blocks_of_any_size
        realloc_keeps_the_alignment_and_the_bytes
        the_last_block_that_moves_into_a_hole_keeps_its_bytes
        zeroed_memory_is_zero_wherever_it_comes_from
        the_first_call_may_be_alloc_zeroed
        statistics_count_aligned_blocks_too;
}
