// V8 keeps the memory's size in each thread, and can miss what another thread has just added: atomic and bulk instructions trap
// there. The allocator must not. Two workers play one thread each, and meet without leaving the module.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { Host } from "./host.mjs";
import { heap, times } from "./modules.mjs";

// V8 looks for a new size where it looks at the stack. Without these looks it misses each one, not one of thousands.
setFlagsFromString("--no-wasm-stack-checks");

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
for (const [size, asHeap, kind] of [
  [100_000, 0, "large blocks in memory that another thread has added"],
  [40_000, 0, "blocks in such memory that are just large enough for a heap of all"],
  [10_000, 1, "blocks of a heap that another thread has given up"],
  [500, 1, "small blocks of such a heap"],
]) {
  test(`${kind} are cleared, copied to, filled and used atomically without a trap`, () =>
    withTwo(async (one, other) => {
      for (let time = 0; time < 2 * times; time++) {
        const given = one.call("give_blocks", 20, size, asHeap);
        assert.equal(await other.call("take_blocks", 20, size, asHeap), 0, "blocks had other bytes than they must");
        await given;
      }
    }));
}
