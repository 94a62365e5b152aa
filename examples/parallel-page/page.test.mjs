// The page in a real browser. Run by `cargo make test-parallel-page`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
// The browser that the report's page is tested in.
import { desk, launch, phone } from "../../compare/page/browser.mjs";
import { serve } from "./serve.mjs";

/** What the page believes about the machine, so that the test is the same on each. */
const cores = 4;

const errors = [];
let server;
let browser;
let tab;

const origin = (server) => `http://127.0.0.1:${server.address().port}/`;

async function open() {
  const tab = await browser.newPage({ viewport: desk, colorScheme: "light" });
  await tab.addInitScript((cores) => Object.defineProperty(navigator, "hardwareConcurrency", { value: cores }), cores);
  return tab;
}

/** Runs both modules with so many workers. Returns what the page says at the end. */
async function run(tab, workers) {
  await tab.locator("#workers").evaluate((input, workers) => {
    input.value = workers;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, workers);
  // It waits until the button is enabled.
  await tab.locator("#run").click();
  await tab.waitForFunction(() => /^(Both have made|The results differ|Error:)/.test(document.getElementById("state").textContent));
  return tab.locator("#state").textContent();
}

/** The table: for each number of workers the milliseconds and the pages of both modules. */
const rows = () =>
  tab.locator("#results").evaluate((body) =>
    [...body.rows].map(({ cells }) => {
      const [workers, time, pages, itsTime, itsPages, ratio] = [...cells].map(({ textContent }) => parseFloat(textContent));
      return { workers, times: [time, itsTime], pages: [pages, itsPages], ratio };
    }),
  );

before(async () => {
  server = await serve(0);
  browser = await launch();
  tab = await open();
  tab.on("pageerror", (error) => errors.push(error.message));
  tab.on("console", (message) => ["error", "warning"].includes(message.type()) && errors.push(message.text()));
  tab.on("request", (request) => request.url().startsWith(origin(server)) || request.url().startsWith("data:") || errors.push(`request: ${request.url()}`));
  await tab.goto(origin(server));
});

after(async () => {
  await browser?.close();
  server?.close();
});

test("the reader chooses from one worker to as many as the machine has cores", async () => {
  const workers = tab.locator("#workers");
  assert.deepEqual([await workers.getAttribute("min"), await workers.getAttribute("max")], ["1", `${cores}`]);
});

test("one worker and two render the same with both modules, and the page shows the time and the memory of each", async () => {
  const said = [await run(tab, 1), await run(tab, 2)];
  assert.match(said[0], /^Both have made the same: 2000 pages, \d{7} bytes of HTML, hash [0-9a-f]{16}\.$/);
  assert.equal(said[1], said[0]);
  const shown = await rows();
  assert.deepEqual(shown.map(({ workers }) => workers), [1, 2]);
  for (const { times, pages, ratio } of shown) {
    assert.ok(times.every((time) => time > 1), `${times} ms`);
    // The posts and the HTML alone are some megabytes, and a memory of these modules ends at 1 GiB.
    assert.ok(pages.every((pages) => pages > 100 && pages < 16384), `${pages} pages`);
    assert.ok(Math.abs(ratio - times[1] / times[0]) < 0.02, `${ratio} for ${times} ms`);
  }
});

test("workers that come and go leave nothing behind", async () => {
  const [first] = await rows();
  for (let time = 0; time < 3; time += 1) await run(tab, 1);
  const [last] = await rows();
  for (const [at, pages] of last.pages.entries()) {
    // The stacks of the 15 workers of these runs had 60 pages, and each heap needs some hundred.
    assert.ok(pages < first.pages[at] + 20, `module ${at}: ${first.pages[at]} pages, then ${pages}`);
  }
});

test("none of this is an error, and the page asks nothing of others", () => {
  assert.deepEqual(errors, []);
});

test("modules that render differently are reported, and run no more", async () => {
  const tab = await open();
  await tab.route("**/pkg/freeing-bump/parallel_page.js?*", async (route) => {
    const response = await route.fetch();
    const glue = await response.text();
    await route.fulfill({ response, body: glue.replace("return getStringFromWasm0(", "return 'not ' + getStringFromWasm0(") });
  });
  await tab.goto(origin(server));
  assert.match(await run(tab, 1), /^The results differ: (.*); not \1$/);
  assert.ok(await tab.locator("#run").isDisabled());
  await tab.close();
});

test("a worker that fails is reported with its error", async () => {
  const tab = await open();
  await tab.route("**/pkg/default/parallel_page.js?*", async (route) => {
    const response = await route.fetch();
    const glue = await response.text();
    await route.fulfill({ response, body: glue.replace("wasm.render_posts();", "throw new Error('no more paper');") });
  });
  await tab.goto(origin(server));
  assert.match(await run(tab, 2), /Error: no more paper/);
  await tab.close();
});

test("a server without the headers gets told what is missing", async () => {
  const bare = await serve(0, {});
  const tab = await open();
  await tab.goto(origin(bare));
  await tab.waitForFunction(() => document.getElementById("state").textContent !== "");
  assert.match(await tab.locator("#state").textContent(), /headers that shared memory needs/);
  assert.ok(await tab.locator("#run").isDisabled());
  await tab.close();
  bare.close();
});

test("the page is no wider than the screen, light or dark as the reader's system is", async () => {
  for (const screen of [desk, phone, { width: 320, height: 600 }]) {
    await tab.setViewportSize(screen);
    const width = await tab.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= screen.width, `the page is ${width} pixels wide on a screen of ${screen.width}`);
  }
  const ground = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await ground(), "rgb(255, 255, 255)");
  await tab.emulateMedia({ colorScheme: "dark" });
  assert.equal(await ground(), "rgb(20, 24, 30)");
});
