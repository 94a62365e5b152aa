// What runs in a worker: one thread of the module, which does what the host asks.

import { parentPort, workerData } from "node:worker_threads";
import { Thread } from "./thread.mjs";

const { module, memory, block } = workerData;

const thread = new Thread(module, memory);
thread.enter(block);

const functions = {
  call: (name, ...values) => thread.call(name, ...values),

  // Plays `count` threads of `threads-module` one after another. They have the stack of this worker, and storage of their own for
  // the time of their lives.
  playThreads(count, { scenario, index, rounds, seed, release }) {
    for (let number = 0; number < count; number++) {
      const short = new Thread(module, memory);
      short.enter(block);
      short.call("worker", scenario, index, rounds, seed + number);
      if (release) short.call("release_thread");
    }
  },
};

parentPort.on("message", ({ id, name, values }) => {
  try {
    parentPort.postMessage({ id, returned: functions[name](...values) });
  } catch (error) {
    parentPort.postMessage({ id, error: error.message });
  }
});
parentPort.postMessage({ id: 0 });
