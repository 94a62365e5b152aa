// The checks of threads of wasm-bindgen, in Node.

import { readFileSync } from "node:fs";
import { test } from "node:test";
import { times } from "../modules.mjs";
import { check, checks } from "./checks.mjs";

const bytes = readFileSync(new URL("../../../target/threads/in-page/threads_in_page_module_bg.wasm", import.meta.url));
const module = new WebAssembly.Module(bytes);

for (const name of Object.keys(checks)) {
  test(name, () => check(name, module, times));
}
