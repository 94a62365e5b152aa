// Threads that come and go: instances in two workers, each with storage of its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { seed, times } from "./modules.mjs";
import { STORM, withHost } from "./scenarios.mjs";

const WORKERS = 2;

/** The most heaps that there can be. */
const HEAPS = 254;

/** Plays `count` threads one after another in each worker, each of which does some rounds of the storm. */
async function playThreads(workers, count, release) {
  const lives = workers.map((worker, index) =>
    worker.run("playThreads", count, { scenario: STORM, index, rounds: 20, seed: seed + 1000 * index, release }));
  await Promise.all(lives);
}

test("10,000 short threads one after another hold a steady memory", () =>
  withHost(async (host) => {
    const workers = await host.startWorkers(WORKERS);
    host.main.call("prepare", WORKERS);
    await playThreads(workers, 50, true);
    const early = host.pages;
    await playThreads(workers, 5000 * times, true);
    // The blocks that are on their way from thread to thread have random sizes.
    assert.ok(host.pages <= 1.6 * early, `${host.pages} pages, and ${early} after 100 threads`);
  }));

test("300 threads that do not give their heaps up, more than there are heaps, are served correctly, and so is who comes after them", () =>
  withHost(async (host) => {
    const workers = await host.startWorkers(WORKERS);
    host.main.call("prepare", WORKERS);
    const before = host.pages;
    await playThreads(workers, 300 / WORKERS, false);
    const forgotten = host.pages;
    assert.ok(forgotten <= before + HEAPS * 4, `${before} pages became ${forgotten}`);
    await playThreads(workers, 500 * times, true);
    assert.ok(host.pages <= 1.3 * forgotten, `${forgotten} pages became ${host.pages}`);
  }));
