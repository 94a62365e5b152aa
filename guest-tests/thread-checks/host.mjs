// Runs a module that was built for threads in worker threads of Node, over one shared memory. `node --test` runs the tests
// beside this file, `cargo make test-threads` builds the modules and runs them. They use nothing but Node.

import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { alignUp, PAGE_BYTES, Thread } from "./thread.mjs";

/** The most pages that modules for threads declare: 1 GiB. */
const MOST_PAGES = 16384;

/** A module of scripts/build-for-threads.sh: its bytes and the pages of memory that it starts with. */
export function load(path) {
  const bytes = readFileSync(path);
  return { module: new WebAssembly.Module(bytes), pages: importedPages(bytes) };
}

/** A memory, the main thread's instance, and workers with an instance each. */
export class Host {
  #module;
  #workers = [];

  /** The memory grows to `mostPages` at most. */
  constructor({ module, pages }, mostPages = MOST_PAGES) {
    this.#module = module;
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: mostPages, shared: true });
    // The first instance writes the static data, and has the stack that the linker made.
    this.main = new Thread(module, this.memory);
  }

  /** The pages of the memory, also where another thread has just added some. */
  get pages() {
    return this.memory.grow(0);
  }

  /** The address of pages that the host adds: at least `bytes`. The allocator must leave them alone. */
  addPages(bytes) {
    return this.memory.grow(alignUp(bytes, PAGE_BYTES) / PAGE_BYTES) * PAGE_BYTES;
  }

  /** What the module says about a failed check; empty if none has failed. */
  get failure() {
    const { text_address: address, text_length: length } = this.main.exports;
    return Buffer.from(this.bytes(address(), length())).toString();
  }

  /** A view of the memory as it is now. */
  bytes(address, length) {
    this.memory.grow(0);
    return new Uint8Array(this.memory.buffer, address, length);
  }

  /** Another instance on this thread, without stack and storage. */
  instance() {
    return new Thread(this.#module, this.memory);
  }

  /** Starts a worker. Its instance has a stack and storage in pages of the host. */
  async startWorker() {
    const block = this.addPages(this.main.neededBytes);
    const worker = new WorkerThread({ module: this.#module, memory: this.memory, block });
    this.#workers.push(worker);
    await worker.ready;
    return worker;
  }

  /** Starts `count` workers. */
  startWorkers(count) {
    return Promise.all(Array.from({ length: count }, () => this.startWorker()));
  }

  /** Ends all workers, in whatever they do. */
  async close() {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}

/** A worker that runs worker.mjs, and what it has been asked. */
class WorkerThread {
  #worker;
  #waiting = new Map();
  #asked = 0;

  constructor(workerData) {
    this.block = workerData.block;
    this.#worker = new Worker(new URL("./worker.mjs", import.meta.url), { workerData });
    this.ready = new Promise((done) => this.#waiting.set(0, { done, fail: done }));
    this.#worker.on("message", ({ id, returned, error }) => {
      const { done, fail } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) done(returned);
      else fail(new Error(error));
    });
    // What a worker cannot answer any more.
    const end = (error) => this.#waiting.forEach(({ fail }) => fail(error));
    this.#worker.on("error", end);
    this.#worker.on("exit", () => end(new Error("the worker has ended")));
  }

  /** Calls an export in the worker: what it returns, or a failure with the message of the trap. */
  call(name, ...values) {
    return this.run("call", name, ...values);
  }

  /** Runs a function of worker.mjs. */
  run(name, ...values) {
    const id = ++this.#asked;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail });
      this.#worker.postMessage({ id, name, values });
    });
  }

  /** Ends the worker, in the middle of a call if one runs. */
  terminate() {
    return this.#worker.terminate();
  }
}

/** The initial pages of the one memory that a module imports. */
function importedPages(bytes) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  };
  const skipName = () => {
    const length = number();
    at += length;
  };
  const IMPORTS = 2;
  const MEMORY = 2;
  while (at < bytes.length) {
    const section = number();
    const length = number();
    const end = at + length;
    if (section === IMPORTS && number() === 1) {
      skipName();
      skipName();
      if (number() === MEMORY) {
        at += 1; // flags
        return number();
      }
    }
    at = end;
  }
  throw new Error("this module imports not just a memory: was it built by scripts/build-for-threads.sh?");
}
