// The modules under test, and how long to test them.

import { fileURLToPath } from "node:url";
import { load } from "./host.mjs";

const built = (name) => load(fileURLToPath(new URL(`../../target/threads/wasm32-unknown-unknown/speed/${name}.wasm`, import.meta.url)));

/** `allocator-module`: the functions of the allocator. */
export const heap = () => built("allocator_module");

/** `threads-module`: threads that exchange blocks and check them. */
export const scenarios = () => built("threads_module");

/** How often the random tests do what they do. */
export const times = Number(process.env.TIMES ?? 1);

/** What random tests follow from. A failure says it. */
export const seed = Number(process.env.FREEING_BUMP_SEED ?? 1);
