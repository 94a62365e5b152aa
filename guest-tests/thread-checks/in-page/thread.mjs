// One thread of wasm-bindgen, in a worker of Node or of a page. wasm-bindgen gives it its stack and its storage.

import { initSync, sort_words } from "../../../target/threads/in-page/threads_in_page_module.js";

const inNode = typeof process !== "undefined";
const port = inNode ? (await import("node:worker_threads")).parentPort : self;

let exports;

const functions = {
  // Returns what another thread needs to destroy this one.
  start(module, memory, stackBytes) {
    exports = initSync({ module, memory, thread_stack_size: stackBytes });
    return [exports.__tls_base.value, exports.__stack_alloc.value];
  },
  call: (name, ...values) => exports[name](...values),
  sortWords: (text) => sort_words(text),
};

port.onmessage = ({ data: { id, name, values } }) => {
  try {
    port.postMessage({ id, returned: functions[name](...values) });
  } catch (error) {
    port.postMessage({ id, error: `${error}` });
  }
};
port.postMessage({ id: 0 });
