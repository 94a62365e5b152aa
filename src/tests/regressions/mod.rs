//! Bugs that other allocators had, as tests of ours: each function is named after the failure and says where it was
//! seen. Those of one allocator's own structures (a tag bit, a sentinel, a coalescing step) appear as what their users
//! saw. How much memory a program needs at most is in [`footprint`].
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
        an_aligned_request_beside_the_top_of_the_address_space_wraps_to_low_addresses
        a_block_that_ends_at_four_gib_makes_the_heap_begin_again
        the_page_below_four_gib_is_never_used_or_lost_with_its_neighbour
        releasing_the_last_block_below_four_gib_never_ends
        a_request_near_two_gib_fails_and_grows_the_memory_all_the_same
        addresses_above_two_gib_are_taken_for_negative
        a_heap_of_a_few_bytes_is_written_past_its_end
        a_heap_that_starts_in_the_first_or_last_page_underflows;
    growth:
        two_large_blocks_released_in_the_order_they_were_made_leak
        a_request_a_few_bytes_short_of_a_page_asks_for_too_little_and_grows_for_ever
        a_first_request_a_few_bytes_short_of_a_page_grows_twice
        blocks_grown_page_by_page_never_use_what_was_released
        pages_that_others_grew_are_handed_out
        a_first_request_above_the_initial_memory_loses_it
        a_large_alignment_grows_the_memory_by_twice_the_need
        some_sizes_fail_on_the_first_request_after_growth
        large_blocks_are_never_reused
        growth_refused_in_the_middle_leaves_a_half_made_block
        a_request_that_fails_again_and_again_grows_the_memory_each_time
        a_loop_that_allocates_and_releases_the_same_drifts;
    contents:
        a_free_block_above_16_mib_at_the_top_is_overlapped_when_the_memory_grows
        a_shrinking_realloc_copies_the_old_size
        an_aligned_block_made_from_a_released_one_corrupts_its_neighbour
        doubling_one_block_from_1_byte_to_64_kib_reads_before_the_heap
        a_byte_before_a_sixteen_byte_type_misaligns_it
        realloc_loses_the_alignment_or_the_bytes
        the_last_block_grows_into_a_hole_without_its_bytes
        memory_taken_for_zero_is_not
        the_first_call_is_alloc_zeroed_and_finds_nothing_set_up
        statistics_miss_the_aligned_path;
}
