// What the tests of `threads-module` share: its names, and its runs.

import assert from "node:assert/strict";
import { Host } from "./host.mjs";
import { scenarios, seed } from "./modules.mjs";

/** In the order of the module. */
export const SCENARIOS = ["exchange", "producers and consumers", "churn", "refusals", "ends", "storm", "flood"];

export const STORM = SCENARIOS.indexOf("storm");

export const FLOOD = SCENARIOS.indexOf("flood");

/** In the order of the module. */
const FIGURES = ["pagesAfterATenth", "pagesAtTheEnd", "served", "refused", "received"];

/** Runs `play` with a host, and ends its workers. A failure names the seed and what the module says. */
export async function withHost(play, mostPages) {
  const host = new Host(scenarios(), mostPages);
  try {
    return await play(host);
  } catch (error) {
    throw new Error(`seed ${seed}: ${host.failure || error.message}`, { cause: error });
  } finally {
    await host.close();
  }
}

/** Plays a scenario with these threads, of which each does `rounds`. Returns the figures. */
export async function play(host, scenario, threads, rounds) {
  host.main.call("prepare", threads.length);
  // Calls in workers begin at once, one on the main thread when the others have been told.
  const outcomes = threads.map((thread, index) => thread !== host.main && thread.call("worker", scenario, index, rounds, seed));
  const main = threads.indexOf(host.main);
  if (main >= 0) outcomes[main] = host.main.call("worker", scenario, main, rounds, seed);
  for (const [index, outcome] of outcomes.entries()) assert.equal(await outcome, 0, `thread ${index} was stopped`);
  return Object.fromEntries(FIGURES.map((name, index) => [name, host.main.call("figure", index)]));
}
