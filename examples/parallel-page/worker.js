// One thread of a module. Its first message says which module and which memory, the second which function to call.

let functions;
let exports;

async function answer({ glue, module, memory, stackBytes, call }) {
  if (glue) {
    functions = await import(glue);
    exports = await functions.default({ module_or_path: module, memory, thread_stack_size: stackBytes });
    return {};
  }
  functions[call]();
  // The last call in this thread: whatever allocated after it would take a heap again.
  functions.release_thread();
  // What the page's thread needs to know to release the stack and the thread-local storage.
  return { storage: exports.__tls_base.value, stack: exports.__stack_alloc.value };
}

onmessage = async ({ data }) => {
  try {
    postMessage(await answer(data));
  } catch (error) {
    postMessage({ error: `${error.stack ?? error}` });
  }
};
