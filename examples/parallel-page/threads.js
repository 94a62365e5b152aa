// A module of WebAssembly whose threads are workers. Copy this file and worker.js for a page of your own.

/** The bytes of a worker's stack: a multiple of 65,536. */
const stackBytes = 256 * 1024;

export class ThreadedModule {
  /** Where the JavaScript is that wasm-bindgen has written, and the compiled module: a worker needs both. */
  #glue;
  #module;

  /** What the module exports, for the page's own thread: as wasm-bindgen wraps it, and as it is. */
  functions;
  #exports;

  /**
   * Loads the module in this folder of `pkg`, into a memory of its own. A page that needs it once needs no name for the
   * copy.
   */
  static async load(folder, copy = "") {
    const it = new ThreadedModule();
    // What wasm-bindgen has written keeps one memory. A browser takes another query for another file, and loads it anew.
    it.#glue = new URL(`./pkg/${folder}/parallel_page.js?${copy}`, import.meta.url).href;
    const code = new URL(`./pkg/${folder}/parallel_page_bg.wasm`, import.meta.url);
    it.#module = await WebAssembly.compileStreaming(fetch(code));
    it.functions = await import(it.#glue);
    it.#exports = await it.functions.default({ module_or_path: it.#module });
    return it;
  }

  /** The pages of 64 KiB that the memory has. `grow(0)` knows of those that workers have added, `buffer` may not yet. */
  get pages() {
    return this.#exports.memory.grow(0);
  }

  /**
   * Starts so many workers, has each call this function of the module once, and ends them. Returns the milliseconds that
   * the calls took, from the first start to the last end.
   */
  async callInWorkers(count, name) {
    const workers = Array.from({ length: count }, () => new Worker(new URL("worker.js", import.meta.url), { type: "module" }));
    try {
      const { memory } = this.#exports;
      await Promise.all(workers.map((worker) => ask(worker, { glue: this.#glue, module: this.#module, memory, stackBytes })));
      const start = performance.now();
      const ended = await Promise.all(workers.map((worker) => ask(worker, { call: name })));
      const milliseconds = performance.now() - start;
      // A worker cannot release the stack on which it runs. It has ended, so this thread does.
      for (const { storage, stack } of ended) this.#exports.__wbindgen_thread_destroy(storage, stack, stackBytes);
      return milliseconds;
    } finally {
      for (const worker of workers) worker.terminate();
    }
  }
}

/** Sends the worker a message, and returns its answer. */
function ask(worker, message) {
  return new Promise((done, fail) => {
    worker.onmessage = ({ data }) => (data.error ? fail(new Error(data.error)) : done(data));
    worker.onerror = (event) => fail(new Error(event.message ?? "a worker could not be loaded"));
    worker.postMessage(message);
  });
}
