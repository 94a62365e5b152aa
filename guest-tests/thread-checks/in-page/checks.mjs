// What is checked of threads of wasm-bindgen, by the main thread of Node and by that of a page alike: see node.test.mjs and
// page.test.mjs. It uses what both have.

import { initSync, sort_words } from "../../../target/threads/in-page/threads_in_page_module.js";

/** The stack of a thread, one page. */
const STACK_BYTES = 65536;

/** The number of the scenario in which nobody waits for anybody. */
const STORM = 5;

const Worker = globalThis.Worker ?? (await import("node:worker_threads")).Worker;

/** The promises, with what checks each of them. */
export const checks = {
  "workers and the main thread keep each other's blocks intact": async ({ main, start }, times) => {
    const threads = await Promise.all([start(), start(), start()]);
    main.prepare(4);
    const storms = threads.map((thread, index) => thread.call("worker", STORM, index, 4000 * times, 1));
    for (let part = 0; part < 10; part++) {
      equal(main.worker(STORM, 3, 200 * times, part), 0);
      // For the messages that come meanwhile.
      await new Promise((done) => setTimeout(done, 1));
    }
    for (const storm of storms) equal(await storm, 0);
    main.release_shared_blocks();
    for (const thread of threads) await thread.destroyItself();
  },

  "texts come and go between JavaScript and each thread": async ({ main, start }, times) => {
    const threads = await Promise.all([start(), start()]);
    const texts = Array.from({ length: 200 * times }, (_, number) => wordsOf(number));
    const sorted = texts.map((words) => [...words].sort().join(" "));
    const inThreads = threads.map((thread) => Promise.all(texts.map((words) => thread.sortWords(words.join(" ")))));
    for (const [number, words] of texts.entries()) equal(sort_words(words.join(" ")), sorted[number]);
    for (const results of await Promise.all(inThreads)) results.forEach((text, number) => equal(text, sorted[number]));
    for (const thread of threads) await thread.destroyItself();
  },

  "threads that destroy themselves, again and again, hold a steady memory": (page, times) =>
    comeAndGo(page, times, (thread) => thread.destroyItself()),

  "threads that the main thread destroys, again and again, hold a steady memory": (page, times) =>
    comeAndGo(page, times, (thread) => thread.destroyFromMain()),
};

/** Runs the check of this name. */
export async function check(name, module, times) {
  const main = initSync({ module });
  try {
    return await checks[name]({ main, start: () => Thread.start(module, main) }, times);
  } catch (error) {
    const text = new Uint8Array(main.memory.buffer, main.text_address(), main.text_length());
    throw new Error(`${error.message} ${new TextDecoder().decode(text.slice())}`);
  }
}

/** Has threads come, work and go by `end`, again and again. */
async function comeAndGo({ main, start }, times, end) {
  const live = async (count) => {
    for (let number = 0; number < count; number++) {
      const threads = await Promise.all([start(), start()]);
      main.prepare(2);
      const storms = threads.map((thread, index) => thread.call("worker", STORM, index, 200, number));
      equal(main.worker(STORM, 2, 100, number), 0);
      for (const storm of storms) equal(await storm, 0);
      main.release_shared_blocks();
      for (const thread of threads) await end(thread);
    }
  };
  // Chance decides how many blocks are on their way at a time, and a new peak takes memory: rarely, after so many rounds.
  await live(50);
  const pages = main.pages();
  await live(20 * times);
  // The blocks that threads exchange have random sizes.
  if (main.pages() > pages + 8) throw new Error(`${pages} pages became ${main.pages()}`);
}

/** A worker with a thread of wasm-bindgen. */
class Thread {
  #worker = new Worker(new URL("./thread.mjs", import.meta.url), { type: "module" });
  #main;
  #own;
  #waiting = new Map();
  #asked = 0;

  static async start(module, main) {
    const thread = new Thread();
    thread.#main = main;
    const ready = new Promise((done, fail) => thread.#waiting.set(0, { done, fail }));
    thread.#listen();
    await ready;
    thread.#own = await thread.#ask("start", module, main.memory, STACK_BYTES);
    return thread;
  }

  /** Calls an export. */
  call(name, ...values) {
    return this.#ask("call", name, ...values);
  }

  /** The words of a text in order. */
  sortWords(text) {
    return this.#ask("sortWords", text);
  }

  /** Ends the thread as one does that frees its stack and storage by itself. */
  async destroyItself() {
    await this.call("release_thread");
    await this.call("__wbindgen_thread_destroy");
    await this.#worker.terminate();
  }

  /** Ends the thread, and frees its stack and storage from the main thread. */
  async destroyFromMain() {
    await this.call("release_thread");
    await this.#worker.terminate();
    this.#main.__wbindgen_thread_destroy(...this.#own, STACK_BYTES);
  }

  #ask(name, ...values) {
    const id = ++this.#asked;
    return new Promise((done, fail) => {
      this.#waiting.set(id, { done, fail });
      this.#worker.postMessage({ id, name, values });
    });
  }

  /** Workers of Node and of a page tell what happens in different ways. */
  #listen() {
    const answer = ({ id, returned, error }) => {
      const { done, fail } = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) done(returned);
      else fail(new Error(error));
    };
    const end = ({ message }) => this.#waiting.forEach(({ fail }) => fail(new Error(message)));
    if (this.#worker.on) {
      this.#worker.on("message", answer).on("error", end);
    } else {
      this.#worker.onmessage = ({ data }) => answer(data);
      this.#worker.onerror = end;
    }
  }
}

/** Some words that differ with the number; some are not of ASCII letters alone. */
function wordsOf(number) {
  return Array.from({ length: 1 + (number % 50) }, (_, index) => `${"ä".repeat(number % 3)}word${(index * 7919 + number) % 101}`);
}

function equal(found, expected) {
  if (found !== expected) throw new Error(`found ${found}, and expected ${expected}`);
}
