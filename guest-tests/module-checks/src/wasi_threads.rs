//! A module for wasm32-wasip1-threads in wasmtime. Each thread has an instance of its own over one shared memory.
//!
//! WASI has here what `threads-module` imports. There is no environment, and what is written goes to standard error.

use fastrand::Rng;
use std::io::Write;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};
use wasmtime::{
    Caller, Config, Engine, Instance, InstancePre, Linker, MemoryType, Module, SharedMemory, Store, Trap, Val,
    format_err,
};

/// The most workers that `threads-module` has numbers for.
const MAX_WORKERS: u32 = 300;

/// A thread that does not end for so long hangs.
const PATIENCE: Duration = Duration::from_secs(300);

/// More instructions than a thread of a test executes, where they are counted: one that does not end spins.
const ENOUGH_FUEL: u64 = 1 << 36;

/// `threads-module`, compiled once for many guests.
pub struct ThreadsModule {
    module: Module,
    counts_fuel: bool,
}

impl ThreadsModule {
    /// Compiles the module.
    ///
    /// # Panics
    ///
    /// When the bytes are not such a module.
    pub fn new(module: &[u8]) -> Self {
        Self::in_engine(module, false)
    }

    /// As [`new`](Self::new), for an engine that can stop threads. It is slower.
    ///
    /// # Panics
    ///
    /// As `new`.
    pub fn with_fuel(module: &[u8]) -> Self {
        Self::in_engine(module, true)
    }

    fn in_engine(module: &[u8], counts_fuel: bool) -> Self {
        let mut config = Config::new();
        config.shared_memory(true).consume_fuel(counts_fuel);
        let engine = Engine::new(&config).expect("wasmtime must be built with threads");
        let module = Module::new(&engine, module).expect("rustc must have made a valid module");
        ThreadsModule { module, counts_fuel }
    }
}

/// A running instance of `threads-module`, on whose behalf the host's threads run others.
pub struct ThreadedGuest {
    store: Store<Arc<Process>>,
    instance: Instance,
    process: Arc<Process>,
    ends: Receiver<ThreadEnd>,
}

/// How a thread has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThreadEnd {
    /// By itself.
    Returned,
    /// The host has stopped it, since its fuel was used up.
    Stopped,
    /// Otherwise, with this message of the engine.
    Trapped(String),
}

/// What all instances have in common.
struct Process {
    engine: Engine,
    memory: SharedMemory,
    /// The module with its imports. It is set before there is an instance.
    module: OnceLock<InstancePre<Arc<Process>>>,
    last_thread: AtomicI32,
    /// Threads whose end is not in `ends` yet, or was not received.
    running: AtomicUsize,
    /// The fuel of the next thread, in an engine that counts it.
    fuel: AtomicU64,
    counts_fuel: bool,
    ends: Sender<ThreadEnd>,
}

impl ThreadedGuest {
    /// Instantiates the module with a memory of at most `max_pages`.
    ///
    /// # Panics
    ///
    /// When it starts with more pages.
    pub fn new(module: &ThreadsModule, max_pages: u32) -> Self {
        let ThreadsModule { module, counts_fuel } = module;
        let engine = module.engine().clone();
        let pages = module
            .imports()
            .find_map(|import| import.ty().memory().map(MemoryType::minimum))
            .expect("a module for threads imports its memory");
        let memory = SharedMemory::new(&engine, MemoryType::shared(pages as u32, max_pages))
            .expect("the memory must not start with more than it may have");
        let (sender, ends) = channel();
        let process = Arc::new(Process {
            engine,
            memory: memory.clone(),
            module: OnceLock::new(),
            last_thread: AtomicI32::new(0),
            running: AtomicUsize::new(0),
            fuel: AtomicU64::new(ENOUGH_FUEL),
            counts_fuel: *counts_fuel,
            ends: sender,
        });
        let mut store = process.new_store();
        let mut linker = Linker::new(&process.engine);
        linker
            .define(&store, "env", "memory", memory)
            .expect("nothing else has this name");
        define_wasi(&mut linker).expect("nothing else has these names");
        let module = linker
            .instantiate_pre(module)
            .expect("the module must import nothing else");
        let module = process.module.get_or_init(|| module);
        let instance = module.instantiate(&mut store).expect("the module must start");
        let mut guest = ThreadedGuest {
            store,
            instance,
            process,
            ends,
        };
        guest.call("_initialize", &[]);
        guest
    }

    /// Calls an export on the main thread and returns its result, 0 if it has none.
    ///
    /// # Panics
    ///
    /// When the call traps.
    pub fn call(&mut self, function: &str, arguments: &[u32]) -> u32 {
        call(&mut self.store, &self.instance, function, arguments)
            .unwrap_or_else(|error| panic!("{function}{arguments:?} failed: {error:#}: {}", self.text()))
    }

    /// Has the module make a thread that calls its `worker` with these arguments.
    ///
    /// # Panics
    ///
    /// When it cannot.
    pub fn spawn(&mut self, scenario: Scenario, index: u32, rounds: u32, seed: u32) {
        let spawned = self.call("spawn", &[scenario as u32, index, rounds, seed]);
        assert_eq!(spawned, 1, "the module must be able to make thread {index}");
    }

    /// As [`spawn`](Self::spawn); the host stops the thread after about `fuel` instructions.
    ///
    /// # Panics
    ///
    /// As `spawn`, and in an engine that does not count fuel.
    pub fn spawn_with_fuel(&mut self, scenario: Scenario, index: u32, rounds: u32, seed: u32, fuel: u64) {
        assert!(self.process.counts_fuel);
        self.process.fuel.store(fuel, Ordering::Relaxed);
        self.spawn(scenario, index, rounds, seed);
        self.process.fuel.store(ENOUGH_FUEL, Ordering::Relaxed);
    }

    /// Waits until a thread ends. None if no thread runs.
    ///
    /// # Panics
    ///
    /// When none ends for minutes.
    pub fn next_end(&mut self) -> Option<ThreadEnd> {
        if self.process.running.load(Ordering::Acquire) == 0 {
            return None;
        }
        let Ok(end) = self.ends.recv_timeout(PATIENCE) else {
            panic!("no thread has ended for {} seconds", PATIENCE.as_secs());
        };
        self.process.running.fetch_sub(1, Ordering::AcqRel);
        Some(end)
    }

    /// Waits until all threads have ended by themselves.
    ///
    /// # Panics
    ///
    /// When a thread traps, or hangs. The message has `context` and the module's text.
    pub fn join(&mut self, context: &str) {
        while let Some(end) = self.next_end() {
            self.assert_returned(&end, context);
        }
    }

    /// Checks that the thread has ended by itself.
    ///
    /// # Panics
    ///
    /// When it has not. The other threads have then ended, and the message has `context` and the module's text.
    pub fn assert_returned(&mut self, end: &ThreadEnd, context: &str) {
        if *end != ThreadEnd::Returned {
            self.call("stop", &[]);
            while self.next_end().is_some() {}
            panic!("{context}: a thread has ended by {end:?}: {}", self.text());
        }
    }

    /// Plays a scenario with this many threads.
    ///
    /// # Panics
    ///
    /// When a check fails. The message names what to call again.
    pub fn play(&mut self, scenario: Scenario, workers: u32, rounds: u32, seed: u32) -> Figures {
        self.call("prepare", &[workers]);
        for index in 0..workers {
            self.spawn(scenario, index, rounds, seed);
        }
        self.join(&format!(
            "{scenario:?} with {workers} workers, {rounds} rounds, FREEING_BUMP_SEED={seed}"
        ));
        self.figures()
    }

    /// Plays a storm with `threads` threads in all, `workers` of them at a time: whenever one has ended, the next one begins. Each
    /// lives for a random number of rounds. Returns the pages after half of them.
    ///
    /// # Panics
    ///
    /// When a check fails. The message names what to call again.
    pub fn play_in_succession(&mut self, workers: u32, threads: u32, seed: u32) -> u32 {
        let context = format!("{threads} threads, {workers} at a time, FREEING_BUMP_SEED={seed}");
        let mut random = Rng::with_seed(seed.into());
        let mut halfway = 0;
        self.call("prepare", &[workers]);
        for number in 0..threads {
            if number >= workers {
                let end = self.next_end().expect("a thread runs");
                self.assert_returned(&end, &context);
            }
            self.spawn(
                Scenario::Storm,
                number % MAX_WORKERS,
                random.u32(0..500),
                seed.wrapping_add(number),
            );
            if number == threads / 2 {
                halfway = self.pages();
            }
        }
        self.join(&context);
        halfway
    }

    /// What the module has counted since the last call of its `prepare`.
    pub fn figures(&mut self) -> Figures {
        let mut figure = |index| self.call("figure", &[index]);
        Figures {
            pages_after_a_tenth: figure(0),
            pages_at_the_end: figure(1),
            served: figure(2),
            refused: figure(3),
            received: figure(4),
        }
    }

    /// The number of pages of the memory.
    pub fn pages(&self) -> u32 {
        self.process.memory.size() as u32
    }

    /// The module's text about its first failure.
    fn text(&mut self) -> String {
        let mut number = |function| call(&mut self.store, &self.instance, function, &[]).expect("this only reads");
        let (address, length) = (number("text_address"), number("text_length"));
        String::from_utf8_lossy(&read(&self.process.memory, address, length)).into_owned()
    }
}

/// The scenarios of `threads-module`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Threads put blocks into shared slots, and resize or release what others put there.
    Exchange,
    /// Threads of even numbers allocate and never release; those of odd numbers do the opposite.
    ProducersAndConsumers,
    /// Each thread replaces and resizes blocks of its own.
    Churn,
    /// Each thread keeps more than the memory may have, and releases some when it is refused.
    Refusals,
    /// As the exchange, while threads give their heaps up at random moments.
    Ends,
    /// Own blocks and exchanged ones; no thread waits for another.
    Storm,
    /// Large blocks and small ones that nobody writes; no thread waits for another.
    Flood,
}

impl Scenario {
    /// Those that end by themselves, with no block live.
    pub const COMPLETE: [Scenario; 5] = [
        Scenario::Exchange,
        Scenario::ProducersAndConsumers,
        Scenario::Churn,
        Scenario::Refusals,
        Scenario::Ends,
    ];
}

/// What `threads-module` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// The pages after a tenth of the rounds, in which blocks are up to twice as large.
    pub pages_after_a_tenth: u32,
    /// The pages after all rounds.
    pub pages_at_the_end: u32,
    /// Requests that were served.
    pub served: u32,
    /// Requests that were refused.
    pub refused: u32,
    /// Blocks that came from another thread.
    pub received: u32,
}

impl Process {
    fn new_store(self: &Arc<Self>) -> Store<Arc<Process>> {
        let mut store = Store::new(&self.engine, self.clone());
        if self.counts_fuel {
            let fuel = self.fuel.load(Ordering::Relaxed);
            store.set_fuel(fuel).expect("the engine counts fuel");
        }
        store
    }

    /// Makes a thread and returns its number; a negative one if that is not possible.
    fn spawn(self: &Arc<Self>, argument: u32) -> i32 {
        let number = self.last_thread.fetch_add(1, Ordering::Relaxed) + 1;
        self.running.fetch_add(1, Ordering::AcqRel);
        let process = self.clone();
        let store = self.new_store();
        let thread = thread::Builder::new().spawn(move || {
            let end = process.run(store, number as u32, argument);
            // Nobody receives it where the test has ended without this thread.
            let _ = process.ends.send(end);
        });
        if thread.is_err() {
            self.running.fetch_sub(1, Ordering::AcqRel);
            return -1;
        }
        number
    }

    fn run(&self, mut store: Store<Arc<Process>>, number: u32, argument: u32) -> ThreadEnd {
        let module = self.module.get().expect("it was set before there was an instance");
        let outcome = module
            .instantiate(&mut store)
            .and_then(|instance| call(&mut store, &instance, "wasi_thread_start", &[number, argument]));
        match outcome {
            Ok(_) => ThreadEnd::Returned,
            Err(error) if error.downcast_ref() == Some(&Trap::OutOfFuel) => ThreadEnd::Stopped,
            Err(error) => ThreadEnd::Trapped(format!("{error:#}")),
        }
    }
}

fn call<T: 'static>(
    store: &mut Store<T>,
    instance: &Instance,
    function: &str,
    arguments: &[u32],
) -> wasmtime::Result<u32> {
    let exported = instance
        .get_func(&mut *store, function)
        .ok_or_else(|| format_err!("the module must export {function}"))?;
    let arguments: Vec<Val> = arguments.iter().map(|&argument| Val::I32(argument as i32)).collect();
    let mut results = vec![Val::I32(0); exported.ty(&*store).results().len()];
    exported.call(store, &arguments, &mut results)?;
    Ok(results.first().map_or(0, |result| result.unwrap_i32() as u32))
}

fn define_wasi(linker: &mut Linker<Arc<Process>>) -> wasmtime::Result<()> {
    type Call<'a> = Caller<'a, Arc<Process>>;
    const DONE: i32 = 0;
    let start = Instant::now();

    linker.func_wrap("wasi", "thread-spawn", |call: Call<'_>, argument: u32| {
        call.data().spawn(argument)
    })?;
    let wasi = "wasi_snapshot_preview1";
    linker.func_wrap(wasi, "environ_sizes_get", |call: Call<'_>, count: u32, bytes: u32| {
        write(&call.data().memory, count, &[0; 4]);
        write(&call.data().memory, bytes, &[0; 4]);
        DONE
    })?;
    linker.func_wrap(wasi, "environ_get", |_: u32, _: u32| DONE)?;
    linker.func_wrap(
        wasi,
        "clock_time_get",
        move |call: Call<'_>, _: u32, _: u64, time: u32| {
            let nanoseconds = start.elapsed().as_nanos() as u64;
            write(&call.data().memory, time, &nanoseconds.to_le_bytes());
            DONE
        },
    )?;
    linker.func_wrap(
        wasi,
        "fd_write",
        |call: Call<'_>, _: u32, pieces: u32, count: u32, written: u32| {
            let memory = &call.data().memory;
            let number = |address| {
                let bytes = read(memory, address, 4);
                u32::from_le_bytes(bytes.try_into().expect("4 bytes were read"))
            };
            let text: Vec<u8> = (0..count)
                .flat_map(|piece| read(memory, number(pieces + 8 * piece), number(pieces + 8 * piece + 4)))
                .collect();
            // Where standard error is closed, nothing can be said.
            let _ = std::io::stderr().write_all(&text);
            write(memory, written, &(text.len() as u32).to_le_bytes());
            DONE
        },
    )?;
    linker.func_wrap(wasi, "sched_yield", || {
        thread::yield_now();
        DONE
    })?;
    linker.func_wrap(wasi, "proc_exit", |code: u32| -> wasmtime::Result<()> {
        Err(format_err!("the module has ended its process with code {code}"))
    })?;
    Ok(())
}

fn read(memory: &SharedMemory, address: u32, length: u32) -> Vec<u8> {
    bytes(memory, address, length)
        .map(|byte| byte.load(Ordering::Relaxed))
        .collect()
}

fn write(memory: &SharedMemory, address: u32, bytes_to_write: &[u8]) {
    for (place, &byte) in bytes(memory, address, bytes_to_write.len() as u32).zip(bytes_to_write) {
        place.store(byte, Ordering::Relaxed);
    }
}

fn bytes(memory: &SharedMemory, address: u32, length: u32) -> impl Iterator<Item = &AtomicU8> {
    memory.data()[address as usize..][..length as usize].iter().map(|byte| {
        // SAFETY: the byte lives as long as the memory. The host reads and writes it by atomics alone, and the module's own
        // accesses are instructions of its machine code, which the compiler of the host does not know.
        unsafe { AtomicU8::from_ptr(byte.get()) }
    })
}
