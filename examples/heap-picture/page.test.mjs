// The page in a real browser. Run by `cargo make test-heap-picture`.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
// The browser that the report's page is tested in.
import { desk, launch, phone } from "../../compare/page/browser.mjs";
import { serve } from "./serve.mjs";


const errors = [];
let server;
let browser;
let tab;

/** What the picture shows now, drawn for this call. */
const frame = () =>
  tab.evaluate(() => {
    const picture = document.querySelector("heap-picture");
    picture.draw();
    const { shares, ...head } = picture.frame;
    return { ...head, shares: [...shares] };
  });

const setRange = (id, value) =>
  tab.locator(`#${id}`).evaluate((input, value) => {
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, value);

const documents = () => tab.locator("#documents").textContent().then((text) => Number(text.replaceAll(",", "")));

const shown = (id) => tab.locator(`heap-picture #${id}`).textContent();

before(async () => {
  server = await serve(0);
  browser = await launch();
  tab = await browser.newPage({ viewport: desk, colorScheme: "light" });
  const origin = `http://127.0.0.1:${server.address().port}/`;
  tab.on("pageerror", (error) => errors.push(error.message));
  tab.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  tab.on("request", (request) => request.url().startsWith(origin) || request.url().startsWith("data:") || errors.push(`request: ${request.url()}`));
  await tab.goto(origin);
  await tab.waitForFunction(() => Number(document.getElementById("documents").textContent.replaceAll(",", "")) > 300);
  await tab.locator("#pause").click();
});

after(async () => {
  await browser?.close();
  server?.close();
});

test("the page works without an error and asks nothing of others", () => {
  assert.deepEqual(errors, []);
});

test("every byte of the heap is of one kind, and the cells cover all of them", async () => {
  const { heapBytes, liveBytes, freeBytes, tailBytes, ownBytes, foreignBytes, ...it } = await frame();
  assert.equal(liveBytes + freeBytes + tailBytes + ownBytes + foreignBytes, heapBytes);
  assert.equal(it.cells, Math.ceil(heapBytes / it.bytesPerCell));
  assert.equal(it.shares.length, 4 * it.cells);
  for (const [kind, bytes] of [liveBytes, freeBytes, tailBytes, ownBytes].entries()) {
    const drawn = it.shares.filter((_, at) => at % 4 === kind).reduce((sum, share) => sum + share, 0);
    // A share is rounded down, by less than one of 255.
    const most = (bytes / it.bytesPerCell) * 255;
    assert.ok(drawn <= most + 1 && drawn > most - it.cells - 1, `kind ${kind}: ${drawn} of ${most}`);
  }
});

test("a heap that nothing changes is drawn the same again", async () => {
  assert.deepEqual(await frame(), await frame());
});

test("live blocks come with documents and go with them", async () => {
  const few = await frame();
  await tab.locator("#pause").click();
  const first = await documents();
  await tab.waitForFunction((first) => Number(document.getElementById("documents").textContent.replaceAll(",", "")) > first + 200, first);
  await tab.locator("#pause").click();
  const many = await frame();
  assert.ok(many.liveBlocks > few.liveBlocks + 1000, `${few.liveBlocks} blocks, then ${many.liveBlocks}`);
  await tab.locator("#drop").click();
  assert.equal(await documents(), 0);
  const none = await frame();
  assert.ok(none.liveBytes * 4 < many.liveBytes, `${none.liveBytes} of ${many.liveBytes} bytes stay live`);
  assert.equal(none.heapBytes, many.heapBytes);
});

test("what old documents leave between those that stay is fragmentation", async () => {
  await setRange("keep", 3000);
  await tab.evaluate(async () => (await import("./pkg/heap_picture.js")).add_documents(6000));
  await setRange("keep", 250);
  const { fragmentation, freeBytes, tailBytes, largestFreeBytes } = await frame();
  assert.ok(fragmentation > 0.1 && fragmentation < 1, `${fragmentation}`);
  assert.ok(Math.abs(fragmentation - (1 - largestFreeBytes / (freeBytes + tailBytes))) < 1e-9);
  assert.equal(await shown("fragmentation"), `${(100 * fragmentation).toFixed(0)} %`);
  assert.match(await shown("largest"), /^[\d.]+ [KM]iB$/);
});

test("the store finds what it has", async () => {
  await tab.locator("#word").fill("falcon");
  const [, found] = (await tab.locator("#matches").textContent()).match(/^in ([\d,]+)$/);
  assert.ok(Number(found) > 0);
  await tab.locator("#word").fill("nothing");
  assert.equal(await tab.locator("#matches").textContent(), "in 0");
});

test("the pointer tells what it is on", async () => {
  const box = await tab.locator("heap-picture canvas").boundingBox();
  await tab.mouse.move(box.x + 2, box.y + 2);
  const { address } = await frame();
  const line = await shown("line");
  assert.ok(line.startsWith(`0x${address.toString(16).padStart(8, "0")}: `) && line.includes(" % "), line);
  await tab.mouse.move(box.x + 2, box.y + box.height + 60);
  assert.match(await shown("line"), /^Each cell is /);
});

test("the picture has the colours of what it shows, light or dark as the reader's system is", async () => {
  const pixels = () =>
    tab.evaluate(() => {
      const canvas = document.querySelector("heap-picture").shadowRoot.querySelector("canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return new Set(Array.from({ length: data.length / 4 }, (_, at) => data.slice(4 * at, 4 * at + 3).join())).size;
    });
  const ground = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await ground(), "rgb(255, 255, 255)");
  await frame();
  assert.ok((await pixels()) > 10, "the picture has few colours");
  await tab.emulateMedia({ colorScheme: "dark" });
  assert.equal(await ground(), "rgb(20, 24, 30)");
  await tab.emulateMedia({ colorScheme: "light" });
});

test("the page is no wider than the screen, and the picture is on the first screen of a desk and a phone", async () => {
  for (const screen of [desk, phone, { width: 320, height: 600 }]) {
    await tab.setViewportSize(screen);
    const width = await tab.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= screen.width, `the page is ${width} pixels wide on a screen of ${screen.width}`);
    const { y, height } = await tab.locator("heap-picture canvas").boundingBox();
    assert.ok(y + height <= screen.height, `the picture ends at ${y + height} of ${screen.height}`);
  }
});
