// Runs one workload on modules that differ only in their allocator, in turn, and prints what it measured. For Node and
// for Bun.
//
// Standard input: one plan as JSON, as `Plan` in src/measure/plan.rs writes it. Standard output: one JSON object per line.
// The caller watches the clock: a module that runs forever blocks this process, which the caller then ends.

import { readFileSync, writeSync } from "node:fs";
import { performance } from "node:perf_hooks";

const PAGE_BYTES = 65536;
const plan = JSON.parse(readFileSync(0, "utf8"));

const emit = (event) => writeSync(1, `${JSON.stringify(event)}\n`);

// Otherwise the engine collects, and returns memory to the system, while a module is timed.
const collectGarbage = () => (globalThis.Bun ? Bun.gc(true) : globalThis.gc?.());

const pagesOf = (instance) => instance.exports.memory.buffer.byteLength / PAGE_BYTES;

// Why the module stopped. It ran out of memory if its allocator refuses a small block, or if most of the memory that a
// module may have is in use: then a block of another size may still be free.
const reasonOf = (error, instance) => {
  if (!instance) {
    return `cannot be instantiated: ${error.message}`;
  }
  const bytes = pagesOf(instance) * PAGE_BYTES;
  const outOfMemory = `out of memory at ${(bytes / 1048576).toFixed(1)} MiB`;
  if (bytes > plan.most_memory_bytes / 2) {
    return outOfMemory;
  }
  try {
    return instance.exports.can_allocate(PAGE_BYTES) === 0 ? outOfMemory : `trap: ${error.message}`;
  } catch {
    return `trap: ${error.message}, then a trap in the allocator`;
  }
};

const call = (instance, name, argument) => {
  const workload = instance.exports[name];
  if (workload === undefined) {
    throw new Error(`the module does not export ${name}`);
  }
  return BigInt.asUintN(64, workload(argument)).toString(16);
};

const OPERATION_WORDS = 3;
const operations = plan.operations && new Uint32Array(new Uint8Array(readFileSync(plan.operations)).buffer);

// Replays the operations in portions that fit the module's buffer; the time is that of the calls alone.
const replay = (instance) => {
  const buffer = Number.parseInt(call(instance, `${plan.export}_buffer`, 0), 16);
  const portionWords = Number.parseInt(call(instance, `${plan.export}_capacity`, 0), 16) * OPERATION_WORDS;
  let milliseconds = 0;
  let checksum = 0n;
  for (let at = 0; at < operations.length; at += portionWords) {
    const portion = operations.subarray(at, at + portionWords);
    new Uint32Array(instance.exports.memory.buffer, buffer, portion.length).set(portion);
    const start = performance.now();
    const sum = instance.exports[plan.export](portion.length / OPERATION_WORDS);
    milliseconds += performance.now() - start;
    checksum = BigInt.asUintN(64, checksum + sum);
  }
  return { milliseconds, checksum: checksum.toString(16) };
};

const execute = (instance) => {
  if (operations) {
    return replay(instance);
  }
  const start = performance.now();
  const checksum = call(instance, plan.export, plan.argument);
  return { milliseconds: performance.now() - start, checksum };
};

const SERVED = ["blocks_before_refusal", "bytes_before_refusal", "blocks_after_release", "bytes_after_release"];

// What a module that runs into its memory's maximum was served, as it counted.
const servedIn = (instance) =>
  plan.counts_served ? Object.fromEntries(SERVED.map((name) => [name, instance.exports[`served_${name}`]() >>> 0])) : null;

// The instructions that a counting module has executed so far; null where the module does not count.
const executedIn = (instance) => (instance.exports.executed_instructions ? Number(instance.exports.executed_instructions.value) : null);

// Calls the export again and again, as a host does that keeps an instance. Each call must compute what the first did.
const callAgain = (instance, expected) => {
  if (plan.further_calls === 0) {
    return null;
  }
  let last;
  for (let number = 2; number <= 1 + plan.further_calls; number += 1) {
    last = execute(instance);
    if (last.checksum !== expected) {
      throw new Error(`call ${number} computed ${last.checksum}, the first ${expected}`);
    }
  }
  return { milliseconds: last.milliseconds, pages: pagesOf(instance) };
};

const measure = (subject, warmUp) => {
  emit({ event: "started", subject: subject.id });
  let { instance } = subject;
  try {
    if (!instance) {
      instance = new WebAssembly.Instance(subject.module, {});
      if (plan.prepare) {
        call(instance, `${plan.export}_prepare`, plan.argument);
      }
    }
    // One that is not kept is collected before the next is timed.
    if (plan.same_instance) {
      subject.instance = instance;
    }
    collectGarbage();
    const executedBefore = executedIn(instance);
    const { milliseconds, checksum } = execute(instance);
    const executed = executedIn(instance);
    subject.spent += warmUp ? 0 : milliseconds;
    const pages = pagesOf(instance);
    emit({
      event: "sample",
      subject: subject.id,
      warm_up: warmUp,
      milliseconds,
      checksum,
      pages,
      heap_base: instance.exports.heap_base(),
      served: servedIn(instance),
      instructions: executed === null ? null : executed - executedBefore,
      peak_live_bytes: instance.exports.peak_live_bytes ? instance.exports.peak_live_bytes() >>> 0 : null,
      last: callAgain(instance, checksum),
    });
  } catch (error) {
    subject.failed = true;
    emit({ event: "failed", subject: subject.id, reason: reasonOf(error, instance) });
  }
};

// Runs a program on and on in one instance; emits the pages after the number of cycles that each point of the plan names.
const followMemory = (subject) => {
  let instance;
  try {
    instance = new WebAssembly.Instance(subject.module, {});
    let done = 0;
    for (const cycle of plan.points) {
      emit({ event: "started", subject: subject.id });
      call(instance, plan.export, cycle - done);
      done = cycle;
      emit({ event: "point", subject: subject.id, cycle, pages: pagesOf(instance) });
    }
  } catch (error) {
    emit({ event: "failed", subject: subject.id, reason: reasonOf(error, instance) });
  }
};

const measureAll = () => {
  for (let round = 0; round < plan.warm_up_runs + plan.runs; round += 1) {
    const warmUp = round < plan.warm_up_runs;
    // Each round starts with another subject: none always runs after the same neighbour.
    for (let turn = 0; turn < subjects.length; turn += 1) {
      const subject = subjects[(round + turn) % subjects.length];
      const measured = round - plan.warm_up_runs;
      const enough = measured >= plan.least_runs && subject.spent > plan.budget_milliseconds;
      if (!subject.failed && !enough) {
        measure(subject, warmUp);
      }
    }
  }
};

// A module that starts with more memory than its maximum is invalid, which is no reason to stop the others.
const load = ({ id, path }) => {
  try {
    return [{ id, module: new WebAssembly.Module(readFileSync(path)), spent: 0, failed: false }];
  } catch (error) {
    emit({ event: "failed", subject: id, reason: `cannot be compiled: ${error.message}` });
    return [];
  }
};

const subjects = plan.subjects.flatMap(load);

if (plan.points.length > 0) {
  subjects.forEach(followMemory);
} else {
  measureAll();
}
emit({ event: "done" });
