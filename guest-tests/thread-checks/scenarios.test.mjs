// The scenarios of `threads-module`, with two, four and eight threads. Each block is stamped by its maker, and verified by whoever
// resizes or releases it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { times } from "./modules.mjs";
import { SCENARIOS, play, withHost } from "./scenarios.mjs";

/** What each thread may take where requests are to be refused: less than its blocks need. */
const FEW_PAGES = 10;

/** How many pages more the blocks may take that are on their way at a time, which depends on when workers run. */
const ON_THEIR_WAY = 8;

/** What the host, the static data and the first heaps take. */
const OTHER_PAGES = 30;

for (const [scenario, name] of SCENARIOS.entries()) {
  for (const [who, threads, withMain] of [
    ["two workers", 2, false],
    ["four workers", 4, false],
    ["eight workers", 8, false],
    ["the main thread and three workers", 4, true],
  ]) {
    test(`${who} keep each other's blocks intact: ${name}`, () =>
      withHost(async (host) => {
        const workers = await host.startWorkers(withMain ? threads - 1 : threads);
        const rounds = (10_000 * times) / threads;
        const figures = await play(host, scenario, withMain ? [host.main, ...workers] : workers, rounds);
        assert.ok(figures.served >= rounds, `${figures.served} requests were served`);
        assert.equal(figures.refused > 0, name === "refusals", `${figures.refused} requests were refused`);
      }, name === "refusals" ? OTHER_PAGES + threads * FEW_PAGES : undefined));
  }
}

test("a producer that never releases and a consumer that never allocates hold a steady memory", () =>
  withHost(async (host) => {
    const workers = await host.startWorkers(2);
    const figures = await play(host, SCENARIOS.indexOf("producers and consumers"), workers, 200_000 * times);
    const { pagesAfterATenth: early, pagesAtTheEnd: late } = figures;
    assert.ok(late <= early + ON_THEIR_WAY, `${late} pages, and ${early} after a tenth of the rounds`);
  }));
