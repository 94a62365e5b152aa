// `worker.terminate()` in the middle of a call: a thread stops between two instructions, with its heap in whatever state, and
// perhaps with a heap of all that it has taken for the call.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { randomOf } from "./blocks.mjs";
import { seed, times } from "./modules.mjs";
import { FLOOD, STORM, withHost } from "./scenarios.mjs";

const WORKERS = 3;

/** Rounds that take far longer than a worker lives. */
const ENDLESS = 0xffffffff;

/** Stops in one memory. Each takes a heap or two with it, of 254. */
const STOPS = 20;

/** The most pages that a stopped thread has cost: its stack, which the host gives it, its blocks, and its heap. */
const LOST_PAGES = 48;

/** A worker in the middle of a scenario. */
async function start(host, scenario, number, seed, errors) {
  const worker = await host.startWorker();
  const storm = { worker, stopped: false };
  storm.outcome = worker.call("worker", scenario, number, ENDLESS, seed).catch((error) => {
    if (!storm.stopped) errors.push(error.message);
  });
  return storm;
}

const promises = [
  [STORM, "threads that are stopped in the middle of a call block nobody, and leave all other blocks intact"],
  [FLOOD, "threads that are stopped in the middle of the allocator block nobody"],
];

for (let time = 0; time < times; time++) {
  for (const [scenario, promise] of promises) {
    const seedOfTime = seed + time;
    test(`${promise} (seed ${seedOfTime})`, () =>
      withHost(async (host) => {
        const random = randomOf(seedOfTime);
        const errors = [];
        host.main.call("prepare", WORKERS);
        const all = [];
        for (let number = 1; number <= WORKERS; number++) all.push(await start(host, scenario, number, seedOfTime, errors));
        const before = host.pages;
        for (let stop = 0; stop < STOPS; stop++) {
          await delay(random(20));
          const at = random(WORKERS);
          all[at].stopped = true;
          await all[at].worker.terminate();
          // The main thread works beside the others, and beside what the stopped one has left.
          const outcome = host.main.call("worker", STORM, 0, 200, seedOfTime + stop);
          assert.deepEqual(errors, []);
          assert.equal(outcome, 0);
          all[at] = await start(host, scenario, WORKERS + 1 + stop, seedOfTime, errors);
        }
        host.main.call("stop");
        for (const { outcome } of all) assert.equal(await outcome, 1, "a worker must hear that it is to end");
        host.main.call("release_shared_blocks");
        assert.equal(host.failure, "");
        assert.ok(host.pages <= before + STOPS * LOST_PAGES, `${before} pages became ${host.pages}`);
      }));
  }
}
