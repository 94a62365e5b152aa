// Runs one workload in several workers at once, on modules that differ in their allocator, in turn, and prints what it
// measured. For Node.
//
// Standard input: one plan as JSON, as `Plan` in src/measure/threads.rs writes it. Standard output: one JSON object per line.
// The caller watches the clock: workers may wait for each other forever, and the caller then ends this process.

import { readFileSync, writeSync } from "node:fs";
import { Worker, isMainThread, parentPort } from "node:worker_threads";

const emit = (event) => writeSync(1, `${JSON.stringify(event)}\n`);

// ---- In a worker

// The words of what the workers of one run share.
const ARRIVED = 0;
const TURN = 1;
const STOPPED = 2;
const WORDS = 3;

// Waits for the other workers. Without `sleeping` all go on at the same time; with it, more workers than the machine has
// hardware threads get on quickly.
const meet = (shared, workers, sleeping = false) => {
  const turn = Atomics.load(shared, TURN);
  if (Atomics.add(shared, ARRIVED, 1) === workers - 1) {
    Atomics.store(shared, ARRIVED, 0);
    Atomics.add(shared, TURN, 1);
    Atomics.notify(shared, TURN);
    return;
  }
  while (Atomics.load(shared, TURN) === turn) {
    if (sleeping) {
      Atomics.wait(shared, TURN, turn, 100);
    }
    if (Atomics.load(shared, STOPPED) !== 0) {
      throw new Error("another worker stopped");
    }
  }
};

// An instance of the module for this worker. In a shared memory it needs a stack and thread-local storage of its own.
const instantiate = ({ module, memory, worker, workers }) => {
  const { exports } = new WebAssembly.Instance(module, memory ? { env: { memory } } : {});
  if (memory) {
    const storage = exports.storage(worker, exports.__tls_size.value);
    if (storage === 0) {
      throw new Error("the module needs more thread-local storage than it has room for");
    }
    exports.__stack_pointer.value = exports.end_of_stack(worker);
    exports.__wasm_init_tls(storage);
  }
  exports.enter(worker, workers);
  return exports;
};

// Calls the workload in this worker while the others call it too: `calls` times, or for some time if there is no such number.
const work = (exports, { plan, shared, workers }, milliseconds) => {
  const prepare = exports[`${plan.export}_prepare`];
  const call = exports[plan.export];
  const finish = exports[`${plan.export}_finish`];
  prepare(plan.argument);
  meet(shared, workers);
  const start = process.hrtime.bigint();
  const end = start + BigInt(Math.round(milliseconds * 1e6));
  let operations = 0n;
  if (plan.calls) {
    for (let number = 0; number < plan.calls; number += 1) {
      operations += call(plan.argument);
      if (plan.in_step) {
        meet(shared, workers, true);
      }
    }
  } else {
    do {
      operations += call(plan.argument);
    } while (process.hrtime.bigint() < end);
  }
  operations += finish?.(plan.argument) ?? 0n;
  const nanoseconds = process.hrtime.bigint() - start;
  meet(shared, workers);
  return { operations: Number(operations), nanoseconds: Number(nanoseconds) };
};

const obey = (order) => {
  try {
    const exports = instantiate(order);
    if (order.plan.warm_up_milliseconds > 0) {
      work(exports, order, order.plan.warm_up_milliseconds);
    }
    const done = work(exports, order, order.plan.milliseconds);
    const pages = (order.memory ?? exports.memory).grow(0);
    parentPort.postMessage({ ...done, pages, heap_base: exports.heap_base() });
  } catch (error) {
    Atomics.store(order.shared, STOPPED, 1);
    parentPort.postMessage({ error: error.message });
  }
};

// ---- In the main thread

const start = (count) => Array.from({ length: count }, () => new Worker(new URL(import.meta.url)));

const answer = (worker) =>
  new Promise((resolve) => {
    const done = (message) => {
      worker.off("message", done);
      worker.off("error", failed);
      resolve(message);
    };
    const failed = (error) => done({ error: error.message });
    worker.on("message", done);
    worker.on("error", failed);
  });

const lead = async () => {
  const plan = JSON.parse(readFileSync(0, "utf8"));
  const most = Math.max(...plan.subjects.map(({ workers }) => workers));
  let pool = start(most);

  // A module that cannot be compiled is no reason to stop the others.
  const load = (subject) => {
    try {
      return [{ ...subject, module: new WebAssembly.Module(readFileSync(subject.path)), failed: false }];
    } catch (error) {
      emit({ event: "failed", subject: subject.id, reason: `cannot be compiled: ${error.message}` });
      return [];
    }
  };
  const subjects = plan.subjects.flatMap(load);

  const measure = async (subject, warmUp) => {
    emit({ event: "started", subject: subject.id });
    const { module, workers, pages } = subject;
    const memory = pages && new WebAssembly.Memory({ initial: pages, maximum: plan.most_pages, shared: true });
    const shared = new Int32Array(new SharedArrayBuffer(4 * WORDS));
    const chosen = pool.slice(0, workers);
    const answers = chosen.map(answer);
    chosen.forEach((it, worker) => it.postMessage({ plan, module, memory, shared, worker, workers }));
    // One that stopped may leave others waiting for it forever.
    const stopped = new Promise((resolve) => answers.forEach((it) => it.then(({ error }) => error && resolve(error))));
    const reason = await Promise.race([stopped, Promise.all(answers).then(() => null)]);
    if (reason) {
      subject.failed = true;
      emit({ event: "failed", subject: subject.id, reason });
      await Promise.all(pool.map((it) => it.terminate()));
      pool = start(most);
      return;
    }
    const parts = await Promise.all(answers);
    emit({
      event: "sample",
      subject: subject.id,
      warm_up: warmUp,
      operations_per_second: parts.reduce((sum, part) => sum + (part.operations / part.nanoseconds) * 1e9, 0),
      pages: Math.max(...parts.map((part) => part.pages)),
      heap_base: parts[0].heap_base,
    });
    globalThis.gc?.();
  };

  for (let round = 0; round < plan.warm_up_runs + plan.runs; round += 1) {
    // Each round starts with another subject: none always runs after the same neighbour.
    for (let turn = 0; turn < subjects.length; turn += 1) {
      const subject = subjects[(round + turn) % subjects.length];
      if (!subject.failed) {
        await measure(subject, round < plan.warm_up_runs);
      }
    }
  }
  emit({ event: "done" });
  await Promise.all(pool.map((it) => it.terminate()));
};

if (isMainThread) {
  await lead();
} else {
  parentPort.on("message", obey);
}
