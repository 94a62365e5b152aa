// Runs one module on command. Each line of the standard input is a command as JSON, each line of the output its answer.

import { createInterface } from "node:readline";

const PAGE_BYTES = 65536;

let exports;
let memory;

const bytesAt = (address, length) => new Uint8Array(memory.buffer, address, length);

const commands = {
  instantiate({ module, memory: imported }) {
    const imports = imported ? { env: { memory: new WebAssembly.Memory(imported) } } : {};
    ({ exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(module)), imports));
    memory = imports.env?.memory ?? exports.memory;
    return null;
  },
  call({ function: name, arguments: values }) {
    try {
      const returned = exports[name](...values);
      return returned === undefined ? {} : { returned: returned >>> 0 };
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) {
        return { trap: error.message };
      }
      throw error;
    }
  },
  global: ({ name }) => (name in exports ? exports[name].value >>> 0 : null),
  pages: () => memory.buffer.byteLength / PAGE_BYTES,
  grow({ pages }) {
    try {
      memory.grow(pages);
      return true;
    } catch (error) {
      if (error instanceof RangeError) {
        return false;
      }
      throw error;
    }
  },
  read: ({ address, length }) => [...bytesAt(address, length)],
  write({ address, bytes }) {
    bytesAt(address, bytes.length).set(bytes);
    return null;
  },
  fill({ address, length, fill }) {
    bytesAt(address, length).fill(fill);
    return null;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(commands[command.do](command))}\n`);
}
