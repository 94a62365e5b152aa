// V8 keeps the memory's size in each thread, and hears late of what another thread has added: atomic and bulk instructions trap
// there. The allocator must not. Two workers play one thread each, and meet without leaving the module.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Host } from "./host.mjs";
import { heap, times } from "./modules.mjs";

const ACCESSES = ["plain write", "atomic addition", "memory.fill"];

const v8 = `V8 ${process.versions.v8}`;

/** Runs a test with two workers. */
async function withTwo(run) {
  const host = new Host(heap());
  try {
    await run(...(await host.startWorkers(2)));
  } finally {
    await host.close();
  }
}

/** How many of `count` uses of a page that another thread has just added trap. */
async function traps(one, other, access, refresh, count) {
  let trapped = 0;
  for (let number = 0; number < count; number++) {
    const use = other.call("use_page", access, refresh).catch((error) => {
      assert.equal(error.message, "memory access out of bounds");
      trapped += 1;
    });
    await Promise.all([one.call("add_page"), use]);
  }
  return trapped;
}

test("a module that does not refresh the memory's size traps in memory that another thread has added", (t) =>
  withTwo(async (one, other) => {
    const counts = [];
    for (const access of ACCESSES.keys()) counts.push(await traps(one, other, access, 0, 20));
    t.diagnostic(`traps of 20 in ${v8}: ${ACCESSES.map((name, index) => `${name} ${counts[index]}`).join(", ")}`);
    assert.equal(counts[0], 0, "a plain write should never trap");
    if (counts.every((count) => count === 0)) t.skip(`${v8} has this fault no more`);
  }));

test("a module that refreshes the memory's size by growing it by nothing does not trap there", () =>
  withTwo(async (one, other) => {
    for (const access of ACCESSES.keys()) assert.equal(await traps(one, other, access, 1, 20 * times), 0, ACCESSES[access]);
  }));

// Up to 32 KiB a block is from the thread's own heap, and larger ones are from a heap of all.
for (const [size, asHeap, promise] of [
  [100_000, 0, "memory for large blocks that another thread has added is cleared and copied to without a trap"],
  [40_000, 0, "memory for blocks that just begin to be large is cleared and copied to without a trap"],
  [10_000, 1, "memory of a heap that another thread has given up is cleared and copied to without a trap"],
  [500, 1, "memory for small blocks of a heap that another thread has given up is cleared and copied to without a trap"],
]) {
  test(promise, () =>
    withTwo(async (one, other) => {
      for (let time = 0; time < 10 * times; time++) {
        const given = one.call("give_blocks", 50, size, asHeap);
        assert.equal(await other.call("take_blocks", 50, size, asHeap), 0, "blocks had other bytes than they must");
        await given;
      }
    }));
}
