// The checks of threads of wasm-bindgen, in a page of a real browser. Its main thread may not wait: `Atomics.wait` and
// `memory.atomic.wait` are errors there.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
// The browser that the report's page is tested in.
import { launch } from "../../../compare/page/browser.mjs";
import { times } from "../modules.mjs";
import { checks } from "./checks.mjs";
import { serve } from "./serve.mjs";

const errors = [];
let server;
let browser;
let tab;

before(async () => {
  server = await serve();
  browser = await launch();
  tab = await browser.newPage();
  tab.on("pageerror", (error) => errors.push(error.message));
  tab.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await tab.goto(`http://127.0.0.1:${server.address().port}/guest-tests/thread-checks/in-page/page.html`);
  await tab.waitForFunction(() => window.check);
});

after(async () => {
  await browser?.close();
  server?.close();
});

test("the page may share memory, and its main thread may not wait", async () => {
  assert.equal(await tab.evaluate(() => crossOriginIsolated), true);
  const outcome = await tab.evaluate(() => {
    try {
      return Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    } catch (error) {
      return error.name;
    }
  });
  assert.equal(outcome, "TypeError");
});

for (const name of Object.keys(checks)) {
  test(name, async () => {
    await tab.evaluate(([name, times]) => window.check(name, times), [name, times]);
    assert.deepEqual(errors, []);
  });
}
