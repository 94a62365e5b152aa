// One thread of a module that was built for threads: an instance over the memory that all of them share. What belongs to a thread
// is set up by hand here, as a host without wasm-bindgen has to do it.

/** The unit in which a linear memory grows. */
export const PAGE_BYTES = 65536;

/** The bytes of a thread's stack, without those of its storage. */
export const STACK_BYTES = 2 * PAGE_BYTES;

/** A base of thread-local storage that lies outside the memory: wasm-bindgen sets it where a thread has ended. */
export const NO_STORAGE = 0x80000000 | 0;

/** An instance of `module` over `memory`. It has no stack of its own and no thread-local storage before `enter`. */
export class Thread {
  constructor(module, memory) {
    this.memory = memory;
    this.exports = new WebAssembly.Instance(module, { env: { memory } }).exports;
  }

  /** The bytes of a stack and of the thread-local storage below it. */
  get neededBytes() {
    return this.#storageBytes + STACK_BYTES;
  }

  get #storageBytes() {
    const { __tls_size: size, __tls_align: align } = this.exports;
    return alignUp(size.value, Math.max(16, align.value));
  }

  /** Gives the thread the `neededBytes` from `address` on, a multiple of 64 KiB. */
  enter(address) {
    const { __stack_pointer, __wasm_init_tls, __tls_size } = this.exports;
    __stack_pointer.value = address + this.neededBytes;
    // The linker leaves the function empty where nothing is local to a thread.
    if (__tls_size.value > 0) __wasm_init_tls(address);
  }

  /** The base of the thread-local storage. */
  get storage() {
    return this.exports.__tls_base.value;
  }

  set storage(address) {
    this.exports.__tls_base.value = address;
  }

  /** Calls an export: a number without a sign, or nothing. */
  call(name, ...values) {
    const returned = this.exports[name](...values);
    return typeof returned === "number" ? returned >>> 0 : returned;
  }
}

/** The next multiple of `unit`, which is a power of two. */
export const alignUp = (value, unit) => (value + unit - 1) & -unit;
