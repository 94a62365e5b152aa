// What runs in a worker: one thread of the module, which does what the host asks.

import { parentPort, workerData } from "node:worker_threads";
import { Thread } from "./thread.mjs";

const { module, memory, block } = workerData;

const thread = new Thread(module, memory);
thread.enter(block);

const functions = {
  call: (name, ...values) => thread.call(name, ...values),
};

parentPort.on("message", ({ id, name, values }) => {
  try {
    parentPort.postMessage({ id, returned: functions[name](...values) });
  } catch (error) {
    parentPort.postMessage({ id, error: error.message });
  }
});
parentPort.postMessage({ id: 0 });
