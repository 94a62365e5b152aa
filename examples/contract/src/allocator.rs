//! The allocator: the first of these is the contract's. The others are there so that their sizes can be compared, each as its
//! documentation says for one thread.

#[cfg(feature = "tiny-freeing-bump")]
#[global_allocator]
static ALLOCATOR: freeing_bump::TinyFreeingBump = freeing_bump::TinyFreeingBump::new();

#[cfg(feature = "freeing-bump")]
#[global_allocator]
static ALLOCATOR: freeing_bump::FreeingBump = freeing_bump::FreeingBump::new();

#[cfg(feature = "dlmalloc")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

// SAFETY: the module has one thread.
#[cfg(feature = "lol_alloc")]
#[global_allocator]
static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::FreeListAllocator> =
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::FreeListAllocator::new()) };

#[cfg(feature = "mini-alloc")]
#[global_allocator]
static ALLOCATOR: mini_alloc::MiniAlloc = mini_alloc::MiniAlloc::INIT;

#[cfg(feature = "talc")]
#[global_allocator]
static ALLOCATOR: talc::cell::TalcSyncCell<talc::wasm::WasmGrowAndClaim, talc::wasm::WasmBinning> =
    talc::cell::TalcSyncCell::new_wasm(talc::wasm::WasmGrowAndClaim);

#[cfg(feature = "wee_alloc")]
#[global_allocator]
static ALLOCATOR: wee_alloc::WeeAlloc = wee_alloc::WeeAlloc::INIT;
