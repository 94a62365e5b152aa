// Threads without thread-local storage: before it exists, and when it is gone. wasm-bindgen lets threads allocate and release in
// both states. All threads here are instances on one thread of Node, which take turns.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Blocks } from "./blocks.mjs";
import { Host } from "./host.mjs";
import { heap, seed, times } from "./modules.mjs";
import { NO_STORAGE } from "./thread.mjs";

/** What a thread would take for its storage before it has one: the far end of the main thread's stack. */
const LOW_BYTES = 4096;

/** Bytes that look like numbers of heaps, and like none. */
const PATTERNS = [0, 1, 2, 4, 5, 63, 64, 0x7f, 0x80, 0xff];

/** A thread that has had its storage and its heap. */
function endedThread(host) {
  const thread = host.instance();
  thread.enter(host.addPages(thread.neededBytes));
  const block = thread.call("heap_alloc", 100, 8);
  thread.call("heap_dealloc", block, 100, 8);
  thread.call("release_thread");
  thread.storage = NO_STORAGE;
  return thread;
}

for (const [state, make] of [
  ["not yet", (host) => host.instance()],
  ["no longer", endedThread],
]) {
  test(`a thread that has ${state} its storage allocates, resizes and releases, and writes nothing where it would take it to be`, () => {
    const host = new Host(heap());
    const thread = make(host);
    assert.equal(thread.storage, state === "not yet" ? 0 : NO_STORAGE);
    assert.ok(host.main.exports.__stack_pointer.value > 16 * LOW_BYTES, "the low addresses must be the end of a stack");
    for (const [index, byte] of PATTERNS.entries()) {
      host.bytes(0, LOW_BYTES).fill(byte);
      const blocks = new Blocks(host, seed + index);
      blocks.play([thread], 500 * times);
      blocks.play([thread, host.main], 500 * times);
      blocks.releaseAll([thread, host.main]);
      thread.call("release_thread");
      const changed = host.bytes(0, LOW_BYTES).findIndex((it) => it !== byte);
      assert.equal(changed, -1, `seed ${seed}: the byte ${byte} at ${changed} has changed`);
    }
  });
}

test("threads with storage, without it yet, and without it any more release and resize each other's blocks", () => {
  const host = new Host(heap());
  const [one, other] = [host.instance(), host.instance()];
  for (const thread of [one, other]) thread.enter(host.addPages(thread.neededBytes));
  const threads = [host.main, one, other, host.instance(), endedThread(host)];
  const blocks = new Blocks(host, seed);
  blocks.play(threads, 5000 * times);
  blocks.releaseAll(threads);
});

test("threads that allocate their own stack and storage before they have them, and release them in the end, hold a steady memory", () => {
  const host = new Host(heap());
  // All make the same requests.
  const live = (count) => {
    for (let number = 0; number < count; number++) {
      const thread = host.instance();
      const ownStack = thread.exports.__stack_pointer.value;
      const needed = thread.neededBytes;
      const block = thread.call("heap_alloc", needed, 16);
      thread.enter(block);
      const blocks = new Blocks(host, seed);
      blocks.play([thread, host.main], 100);
      blocks.releaseAll([thread, host.main]);
      thread.call("release_thread");
      thread.storage = NO_STORAGE;
      thread.exports.__stack_pointer.value = ownStack;
      thread.call("heap_dealloc", block, needed, 16);
    }
  };
  live(50);
  const pages = host.pages;
  live(1000 * times);
  assert.ok(host.pages <= pages + 6, `${host.pages} pages, and ${pages} before`);
});
