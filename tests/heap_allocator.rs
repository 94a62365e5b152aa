//! The original algorithm over byte slices and over memories that grow, through the public API.

use freeing_bump::{Error, FreeingBumpHeapAllocator, Growth, Memory};

const PAGE: u32 = 65_536;
const HEADER: u32 = 8;

fn page() -> Vec<u8> {
    vec![0; PAGE as usize]
}

/// A memory that grows up to a limit and notes each call. Others can grow it in between.
struct Growing {
    bytes: Vec<u8>,
    limit_pages: u32,
    grow_calls: Vec<u32>,
}

impl Growing {
    fn new(pages: u32, limit_pages: u32) -> Self {
        Growing {
            bytes: vec![0; (pages * PAGE) as usize],
            limit_pages,
            grow_calls: vec![],
        }
    }

    fn pages(&self) -> u32 {
        self.bytes.len() as u32 / PAGE
    }
}

impl Memory for Growing {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_le_u64(&self, ptr: u32) -> Result<u64, Error> {
        self.bytes.as_slice().read_le_u64(ptr)
    }

    fn write_le_u64(&mut self, ptr: u32, value: u64) -> Result<(), Error> {
        self.bytes.as_mut_slice().write_le_u64(ptr, value)
    }

    fn grow(&mut self, pages: u32) -> Result<u64, Error> {
        self.grow_calls.push(pages);
        if pages > self.limit_pages - self.pages() {
            return Err(Error::AllocatorOutOfSpace);
        }
        let start = self.size();
        // `resize` writes one byte after another, which takes Miri minutes.
        self.bytes = [&self.bytes[..], &vec![0; (pages * PAGE) as usize]].concat();
        Ok(start)
    }
}

#[test]
fn the_heap_starts_at_its_base_rounded_up_to_eight() {
    for (heap_base, start) in [
        (0, 0),
        (1, 8),
        (7, 8),
        (8, 8),
        (13, 16),
        (65_000, 65_000),
        (65_001, 65_008),
    ] {
        let mut memory = page();
        let mut heap = FreeingBumpHeapAllocator::new(heap_base);
        assert_eq!(heap.bumper(), start);
        assert_eq!(heap.allocate(&mut memory[..], 1), Ok(start + HEADER));
        assert_eq!(heap.bumper(), start + HEADER + 8);
    }
}

#[test]
fn a_request_is_rounded_up_to_a_power_of_two_and_gets_a_header() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(0);
    let mut expected = 0;
    for (size, block) in [
        (0, 8),
        (1, 8),
        (8, 8),
        (9, 16),
        (16, 16),
        (17, 32),
        (100, 128),
        (4097, 8192),
    ] {
        assert_eq!(heap.allocate(&mut memory[..], size), Ok(expected + HEADER), "{size}");
        let order = (block / 8u32).ilog2();
        assert_eq!(memory.read_le_u64(expected), Ok(1 << 32 | u64::from(order)), "{size}");
        expected += HEADER + block;
        assert_eq!(heap.bumper(), expected);
        assert_eq!(heap.total_size(), expected);
    }
}

#[test]
fn released_blocks_are_reused_last_in_first_out_and_linked_by_their_headers() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(0);
    let [a, b, c] = [(); 3].map(|()| heap.allocate(&mut memory[..], 8).unwrap());
    for pointer in [a, b, c] {
        heap.deallocate(&mut memory[..], pointer).unwrap();
    }
    assert_eq!(memory.read_le_u64(a - HEADER), Ok(u64::from(u32::MAX)));
    assert_eq!(memory.read_le_u64(b - HEADER), Ok(u64::from(a - HEADER)));
    assert_eq!(memory.read_le_u64(c - HEADER), Ok(u64::from(b - HEADER)));
    let bumper = heap.bumper();
    assert_eq!([(); 3].map(|()| heap.allocate(&mut memory[..], 5).unwrap()), [c, b, a]);
    assert_eq!(heap.bumper(), bumper);
}

#[test]
fn a_free_block_serves_its_own_order_only() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(0);
    let large = heap.allocate(&mut memory[..], 1024).unwrap();
    heap.deallocate(&mut memory[..], large).unwrap();
    let bumper = heap.bumper();
    assert_eq!(heap.allocate(&mut memory[..], 512), Ok(bumper + HEADER));
    assert_eq!(heap.allocate(&mut memory[..], 513), Ok(large));
}

#[test]
fn the_total_size_returns_to_zero_and_peak_and_sum_stay() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(13);
    let small = heap.allocate(&mut memory[..], 42).unwrap();
    let large = heap.allocate(&mut memory[..], 200).unwrap();
    assert_eq!(heap.total_size(), 72 + 264);
    heap.deallocate(&mut memory[..], small).unwrap();
    heap.deallocate(&mut memory[..], large).unwrap();
    assert_eq!(heap.total_size(), 0);
    assert_eq!(heap.allocate(&mut memory[..], 64), Ok(small));
    let stats = heap.stats();
    assert_eq!(stats.bytes_allocated, 72);
    assert_eq!(stats.bytes_allocated_peak, 336);
    assert_eq!(stats.bytes_allocated_sum, 336 + 72);
    assert_eq!(stats.address_space_used, 336);
}

#[test]
fn the_largest_block_is_sixteen_mib_and_can_be_raised() {
    let mut memory = vec![0; (1 << 24) + 64];
    assert_eq!(
        FreeingBumpHeapAllocator::new(0).allocate(&mut memory[..], 1 << 24),
        Ok(8)
    );
    let mut heap = FreeingBumpHeapAllocator::new(0);
    assert_eq!(
        heap.allocate(&mut memory[..], (1 << 24) + 1),
        Err(Error::RequestedAllocationTooLarge)
    );
    assert_eq!(heap.bumper(), 0);

    let mut memory = vec![0; (1 << 25) + 64];
    let mut heap = FreeingBumpHeapAllocator::new(0).with_max_allocation((1 << 24) + 1);
    let pointer = heap.allocate(&mut memory[..], 1 << 25).unwrap();
    assert_eq!(heap.deallocate(&mut memory[..], pointer), Ok(()));
    assert_eq!(
        heap.allocate(&mut memory[..], u32::MAX),
        Err(Error::RequestedAllocationTooLarge)
    );
}

#[test]
fn the_memory_is_used_to_its_last_byte_and_no_further() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(PAGE - 32);
    assert_eq!(heap.allocate(&mut memory[..], 8), Ok(PAGE - 24));
    assert_eq!(heap.allocate(&mut memory[..], 8), Ok(PAGE - 8));
    assert_eq!(heap.allocate(&mut memory[..], 8), Err(Error::AllocatorOutOfSpace));
    assert_eq!(heap.bumper(), PAGE);
}

#[test]
fn the_first_error_poisons_all_later_calls() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(0);
    let pointer = heap.allocate(&mut memory[..], 8).unwrap();
    let before = memory.clone();
    assert!(!heap.is_poisoned());
    assert_eq!(heap.allocate(&mut memory[..], PAGE), Err(Error::AllocatorOutOfSpace));
    assert!(heap.is_poisoned());
    assert_eq!(heap.allocate(&mut memory[..], 8), Err(Error::Poisoned));
    assert_eq!(heap.deallocate(&mut memory[..], pointer), Err(Error::Poisoned));
    assert_eq!(heap.block_bytes(&memory[..], pointer), Err(Error::Poisoned));
    assert_eq!(memory, before);
}

#[test]
fn a_second_release_is_an_error() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(0);
    let pointer = heap.allocate(&mut memory[..], 8).unwrap();
    heap.deallocate(&mut memory[..], pointer).unwrap();
    assert_eq!(
        heap.deallocate(&mut memory[..], pointer),
        Err(Error::BlockNotOccupied { pointer })
    );
    assert_eq!(heap.total_size(), 0);
}

#[test]
fn pointers_at_which_no_block_can_start_are_errors() {
    for pointer in [
        0,
        1,
        7,
        8,
        15,
        20,
        23,
        25,
        40,
        PAGE - 8,
        PAGE,
        PAGE + 8,
        u32::MAX - 7,
        u32::MAX,
    ] {
        let mut memory = page();
        let mut heap = FreeingBumpHeapAllocator::new(16);
        assert_eq!(heap.allocate(&mut memory[..], 8), Ok(24));
        assert_eq!(
            heap.deallocate(&mut memory[..], pointer),
            Err(Error::InvalidPointer { pointer }),
            "{pointer}"
        );
        assert!(heap.is_poisoned());
    }
}

#[test]
fn an_inner_pointer_before_which_no_header_stands_is_an_error() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(0);
    let pointer = heap.allocate(&mut memory[..], 64).unwrap();
    memory[pointer as usize..][..64].fill(0xCD);
    assert_eq!(
        heap.deallocate(&mut memory[..], pointer + 16),
        Err(Error::CorruptHeader {
            pointer: pointer + 16,
            header: 0xCDCD_CDCD_CDCD_CDCD
        })
    );
}

#[test]
fn trampled_headers_are_errors() {
    for header in [
        0x1_0000_0016,
        0x1_FFFF_FFFF,
        u64::MAX,
        0x2_0000_0000,
        0x8000_0001_0000_0000,
    ] {
        let mut memory = page();
        let mut heap = FreeingBumpHeapAllocator::new(0);
        let pointer = heap.allocate(&mut memory[..], 8).unwrap();
        memory.write_le_u64(pointer - HEADER, header).unwrap();
        assert_eq!(
            heap.deallocate(&mut memory[..], pointer),
            Err(Error::CorruptHeader { pointer, header }),
            "{header:#x}"
        );
    }
}

#[test]
fn a_header_of_a_block_that_would_pass_the_bumper_is_an_error() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(0);
    let pointer = heap.allocate(&mut memory[..], 8).unwrap();
    memory.write_le_u64(pointer - HEADER, 0x1_0000_0001).unwrap();
    assert!(matches!(
        heap.deallocate(&mut memory[..], pointer),
        Err(Error::CorruptHeader { .. })
    ));
}

#[test]
fn a_header_raised_to_an_order_that_passes_the_bumper_is_an_error_whatever_else_is_live() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(0);
    heap.allocate(&mut memory[..], 1024).unwrap();
    let last = heap.allocate(&mut memory[..], 8).unwrap();
    let header = 1 << 32 | 5;
    memory.write_le_u64(last - HEADER, header).unwrap();
    assert_eq!(
        heap.deallocate(&mut memory[..], last),
        Err(Error::CorruptHeader { pointer: last, header })
    );
}

#[test]
fn the_total_size_cannot_underflow() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(0);
    let [a, b, c] = [(); 3].map(|()| heap.allocate(&mut memory[..], 8).unwrap());
    heap.deallocate(&mut memory[..], b).unwrap();
    heap.deallocate(&mut memory[..], c).unwrap();
    // 16 bytes are live; a header says that the block has 32.
    memory.write_le_u64(a - HEADER, 0x1_0000_0002).unwrap();
    assert!(matches!(
        heap.deallocate(&mut memory[..], a),
        Err(Error::CorruptHeader { .. })
    ));
    assert_eq!(heap.total_size(), 16);
}

#[test]
fn a_free_list_that_leads_astray_is_an_error_at_the_allocation_that_meets_it() {
    for link in [0, 4, 12, 24, 32, 4096, PAGE - 8, PAGE, 0xFFFF_FFF8] {
        let mut memory = page();
        let mut heap = FreeingBumpHeapAllocator::new(8);
        let [a, _live] = [(); 2].map(|()| heap.allocate(&mut memory[..], 8).unwrap());
        heap.deallocate(&mut memory[..], a).unwrap();
        memory.write_le_u64(a - HEADER, u64::from(link)).unwrap();
        let error = Error::CorruptFreeList {
            order: 0,
            header_address: link,
        };
        assert_eq!(heap.allocate(&mut memory[..], 8), Err(error), "{link:#x}");
    }
}

#[test]
fn a_free_list_that_leads_into_zeros_never_hands_them_out() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(8);
    let [a, live, _above] = [(); 3].map(|()| heap.allocate(&mut memory[..], 8).unwrap());
    heap.deallocate(&mut memory[..], a).unwrap();
    memory.write_le_u64(a - HEADER, u64::from(live)).unwrap();
    // Zeros read as a free header that links to address 0, where no block can be.
    assert_eq!(heap.allocate(&mut memory[..], 8), Ok(a));
    let error = Error::CorruptFreeList {
        order: 0,
        header_address: 0,
    };
    assert_eq!(heap.allocate(&mut memory[..], 8), Err(error));
}

#[test]
fn a_free_list_with_a_cycle_ends_in_an_error_and_hands_no_block_out_twice() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(0);
    let [a, b] = [(); 2].map(|()| heap.allocate(&mut memory[..], 8).unwrap());
    heap.deallocate(&mut memory[..], a).unwrap();
    heap.deallocate(&mut memory[..], b).unwrap();
    // b links to a; now a links back to b.
    memory.write_le_u64(a - HEADER, u64::from(b - HEADER)).unwrap();
    assert_eq!(heap.allocate(&mut memory[..], 8), Ok(b));
    assert_eq!(
        heap.allocate(&mut memory[..], 8),
        Err(Error::CorruptFreeList {
            order: 0,
            header_address: b - HEADER
        })
    );
}

#[test]
fn a_free_block_whose_header_turned_occupied_is_an_error() {
    let mut memory = page();
    let mut heap = FreeingBumpHeapAllocator::new(0);
    let a = heap.allocate(&mut memory[..], 8).unwrap();
    heap.deallocate(&mut memory[..], a).unwrap();
    memory.write_le_u64(a - HEADER, 1 << 32).unwrap();
    assert_eq!(
        heap.allocate(&mut memory[..], 8),
        Err(Error::CorruptFreeList {
            order: 0,
            header_address: 0
        })
    );
}

#[test]
fn a_heap_base_near_the_end_of_the_address_space_is_an_error() {
    let mut memory = page();
    for heap_base in [u32::MAX, u32::MAX - 6] {
        let mut heap = FreeingBumpHeapAllocator::new(heap_base);
        assert_eq!(
            heap.allocate(&mut memory[..], 8),
            Err(Error::InvalidHeapBase { heap_base })
        );
        let mut heap = FreeingBumpHeapAllocator::new(heap_base);
        assert_eq!(
            heap.deallocate(&mut memory[..], 8),
            Err(Error::InvalidHeapBase { heap_base })
        );
    }
    for heap_base in [u32::MAX - 7, u32::MAX - 8, u32::MAX - 100, PAGE, PAGE - 8] {
        let mut heap = FreeingBumpHeapAllocator::new(heap_base);
        assert_eq!(
            heap.allocate(&mut memory[..], 8),
            Err(Error::AllocatorOutOfSpace),
            "{heap_base:#x}"
        );
    }
}

#[test]
fn a_memory_that_has_shrunk_is_an_error() {
    let mut memory = vec![0; 2 * PAGE as usize];
    let mut heap = FreeingBumpHeapAllocator::new(0);
    let pointer = heap.allocate(&mut memory[..], 8).unwrap();
    assert_eq!(
        heap.deallocate(&mut memory[..PAGE as usize], pointer),
        Err(Error::MemoryShrunk)
    );
    assert_eq!(heap.allocate(&mut memory[..], 8), Err(Error::Poisoned));
}

#[test]
fn memory_that_was_added_between_two_calls_is_used() {
    let mut memory = vec![0; 2 * PAGE as usize];
    let mut heap = FreeingBumpHeapAllocator::new(0);
    heap.allocate(&mut memory[..PAGE as usize], 32_768).unwrap();
    assert_eq!(heap.allocate(&mut memory[..], 32_768), Ok(32_768 + 2 * HEADER));
}

#[test]
fn memory_grows_by_doubling_then_by_just_what_is_needed_then_not_at_all() {
    let mut memory = Growing::new(4, 11);
    let mut heap = FreeingBumpHeapAllocator::new(0);
    heap.allocate(&mut memory, 4 * PAGE).unwrap();
    assert_eq!((memory.pages(), memory.grow_calls.as_slice()), (8, &[4][..]));
    // Doubling to 16 pages is refused; 4 pages and 8 bytes for the header, with 4 pages less 8 bytes there, need 1.
    heap.allocate(&mut memory, 4 * PAGE).unwrap();
    assert_eq!((memory.pages(), memory.grow_calls.as_slice()), (9, &[4, 8, 1][..]));
    assert_eq!(heap.allocate(&mut memory, 4 * PAGE), Err(Error::AllocatorOutOfSpace));
    assert_eq!(
        (memory.pages(), memory.grow_calls.as_slice()),
        (9, &[4, 8, 1, 9, 4][..])
    );
}

#[test]
fn the_growth_policy_can_be_chosen() {
    for (growth, pages) in [
        (Growth::Exact, 9),
        (Growth::EIGHTH, 9),
        (Growth::DOUBLING, 16),
        (Growth::Step { pages: 5 }, 13),
    ] {
        let mut memory = Growing::new(8, 100);
        let mut heap = FreeingBumpHeapAllocator::new(0).with_growth(growth);
        heap.allocate(&mut memory, 8 * PAGE).unwrap();
        assert_eq!(memory.pages(), pages, "{growth:?}");
    }
}

#[test]
fn a_memory_that_claims_to_grow_and_does_not_is_out_of_space() {
    struct Lying;
    impl Memory for Lying {
        fn size(&self) -> u64 {
            8
        }
        fn read_le_u64(&self, ptr: u32) -> Result<u64, Error> {
            Err(Error::InvalidAddress { address: ptr })
        }
        fn write_le_u64(&mut self, ptr: u32, _: u64) -> Result<(), Error> {
            Err(Error::InvalidAddress { address: ptr })
        }
        fn grow(&mut self, _: u32) -> Result<u64, Error> {
            Ok(8)
        }
    }
    assert_eq!(
        FreeingBumpHeapAllocator::new(0).allocate(&mut Lying, 8),
        Err(Error::AllocatorOutOfSpace)
    );
}

#[test]
fn slices_are_read_and_written_little_endian_within_their_bounds() {
    let mut memory = vec![0; 64];
    assert_eq!(memory.write_le_u64(40, 0x0102_0304_0506_0708), Ok(()));
    assert_eq!(memory[40..48], [8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(memory.read_le_u64(40), Ok(0x0102_0304_0506_0708));
    assert_eq!(memory.write_le_u64(56, 1), Ok(()));
    for address in [57, 63, 64, 65, u32::MAX] {
        assert_eq!(memory.read_le_u64(address), Err(Error::InvalidAddress { address }));
        assert_eq!(memory.write_le_u64(address, 0), Err(Error::InvalidAddress { address }));
    }
    assert_eq!(memory.as_mut_slice().grow(1), Err(Error::AllocatorOutOfSpace));
}

#[test]
fn every_error_says_what_was_wrong_in_a_sentence_of_its_own() {
    let errors = [
        Error::RequestedAllocationTooLarge,
        Error::AllocatorOutOfSpace,
        Error::MemoryShrunk,
        Error::Poisoned,
        Error::InvalidHeapBase { heap_base: 0xABCD },
        Error::InvalidAddress { address: 0xABCD },
        Error::InvalidPointer { pointer: 0xABCD },
        Error::BlockNotOccupied { pointer: 0xABCD },
        Error::CorruptHeader {
            pointer: 0xABCD,
            header: 7,
        },
        Error::CorruptFreeList {
            order: 3,
            header_address: 0xABCD,
        },
        Error::LayoutMismatch {
            pointer: 0xABCD,
            block_bytes: 64,
        },
        Error::WrittenAfterFree { pointer: 0xABCD },
    ];
    let texts = errors.map(|error| error.to_string());
    for (index, text) in texts.iter().enumerate() {
        assert!(index < 4 || text.contains("0xabcd"), "{text}");
        assert!(!texts[..index].contains(text), "{text}");
    }
    let error: &dyn core::error::Error = &errors[0];
    assert!(error.source().is_none());
}

#[test]
fn no_block_lies_below_the_heap_base_when_other_code_grows_a_memory_that_ends_before_it() {
    /// Grows by a page more than it is asked for, the first of which belongs to others.
    struct Shared(Vec<u8>);
    impl Memory for Shared {
        fn size(&self) -> u64 {
            self.0.len() as u64
        }
        fn read_le_u64(&self, ptr: u32) -> Result<u64, Error> {
            self.0.as_slice().read_le_u64(ptr)
        }
        fn write_le_u64(&mut self, ptr: u32, value: u64) -> Result<(), Error> {
            self.0.as_mut_slice().write_le_u64(ptr, value)
        }
        fn grow(&mut self, pages: u32) -> Result<u64, Error> {
            let start = self.size() + u64::from(PAGE);
            self.0 = vec![0; (start as u32 + pages * PAGE) as usize];
            Ok(start)
        }
    }
    let heap_base = 200_000;
    let mut memory = Shared(page());
    let mut heap = FreeingBumpHeapAllocator::new(heap_base);
    let block = heap.allocate(&mut memory, 100).unwrap();
    assert!(block >= heap_base, "{block}");
    assert_eq!(heap.stats().address_space_used, 136);
    assert_eq!(heap.deallocate(&mut memory, block), Ok(()));
}
