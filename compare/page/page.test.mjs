// The page in a real browser: one of made-up figures, or the one that the variable PAGE names. Run by `cargo make test-page`.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { desk, launch, phone } from "./browser.mjs";

const sample = fileURLToPath(new URL("../../target/report/sample/index.html", import.meta.url));
const page = process.env.PAGE ? resolve(process.env.PAGE) : sample;

const errors = [];
let browser;
let tab;

before(async () => {
  assert.ok(existsSync(page), `there is no ${page}: run \`cargo make test-page\`, which writes a page and tests it`);
  browser = await launch();
  tab = await browser.newPage({ viewport: phone, colorScheme: "dark" });
  tab.on("pageerror", (error) => errors.push(error.message));
  tab.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  tab.on("request", (request) => request.url().startsWith("file:") || request.url().startsWith("data:") || request.url().startsWith("blob:") || errors.push(`request: ${request.url()}`));
  await tab.goto(`file://${page}`);
});

after(() => browser?.close());

test("the page loads without an error and asks nothing of the network", () => {
  assert.deepEqual(errors, []);
});

test("the first screen answers: a phone shows the picture, a desk the picture and the three numbers", async () => {
  const bottom = (locator) => locator.boundingBox().then(({ y, height }) => y + height);
  const picture = tab.locator("#answer svg:visible");
  assert.equal(await picture.count(), 1);
  assert.ok((await bottom(picture)) <= phone.height, "the picture does not fit the first screen of a phone");
  await tab.setViewportSize(desk);
  assert.equal(await picture.count(), 1);
  assert.ok((await bottom(picture)) <= desk.height, "the picture does not fit the first screen of a desk");
  const numbers = tab.locator("#answer tbody tr").first();
  assert.ok((await bottom(numbers)) <= desk.height, "the table does not start on the first screen of a desk");
  await tab.setViewportSize(phone);
});

test("the picture has a label for each allocator that has a time and a memory", async () => {
  const { lines } = await tab.evaluate(() => answers.overall.overview);
  const expected = lines.filter(({ time, memory }) => time !== null && memory !== null).map(({ name }) => name);
  const texts = await tab.$$eval("#answer .narrow text", (all) => all.map((text) => text.textContent.trim()));
  assert.ok(expected.length > 0, "the report has no numbers");
  expected.forEach((name) => assert.ok(texts.some((text) => text.startsWith(name)), `${name} has no label`));
});

test("the page says which allocator to take for each need", async () => {
  const sentences = await tab.evaluate(() => answers.story);
  assert.equal(sentences.length, 3);
  const text = await tab.textContent("#answer .story");
  sentences.forEach((sentence) => assert.ok(text.includes(sentence), `${sentence} is not in ${text}`));
});

test("the list of sections leads to each of them", async () => {
  const targets = await tab.$$eval("#sections a", (links) => links.map((link) => document.querySelector(link.hash)?.tagName));
  assert.ok(targets.length > 0 && targets.every((tag) => tag === "H2"), `${targets}`);
});

test("every chart has marks", async () => {
  const marks = await tab.$$eval(".chart", (charts) => charts.map((chart) => chart.querySelectorAll(".point").length));
  assert.ok(marks.length > 0, "there is no chart");
  marks.forEach((count, index) => assert.ok(count > 0, `chart ${index} has no marks`));
});

test("no cell of a table is empty", async () => {
  assert.equal(await tab.$$eval("td", (cells) => cells.filter((cell) => cell.textContent.trim() === "").length), 0);
});

test("a click on a heading sorts the table by that column, and another click turns it round", async () => {
  const table = tab.locator("table.sortable").first();
  const column = async () =>
    (await table.locator("tbody tr").evaluateAll((rows) => rows.map((row) => Number(row.cells[1].dataset.sort))));
  const click = async () => {
    // A table is sorted some time after the click.
    const sorted = table.evaluate((element) => new Promise((done) => element.addEventListener("sort-end", () => done(), { once: true })));
    await table.locator("thead th").nth(1).click();
    await sorted;
  };
  await click();
  const once = await column();
  assert.deepEqual(once, [...once].sort((one, other) => one - other));
  await click();
  const twice = await column();
  assert.deepEqual(twice, [...twice].sort((one, other) => other - one));
});

test("the page is light or dark as the reader's system is", async () => {
  const ground = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await ground(), "rgb(20, 24, 30)");
  await tab.emulateMedia({ colorScheme: "light" });
  assert.equal(await ground(), "rgb(255, 255, 255)");
});

test("the list of versions is in words, and has each product of the report", async () => {
  const lines = await tab.$$eval("#versions li", (all) => all.map((line) => line.textContent));
  assert.ok(lines.every((line) => !/null|undefined|\[object/.test(line)), lines.join("\n"));
  const products = await tab.evaluate(() => report.products.map(({ name }) => name));
  for (const name of products) {
    assert.ok(lines.some((line) => line.startsWith(`the product ${name}: `)), `no version of ${name}`);
  }
});

test("the page is no wider than the screen", async () => {
  for (const screen of [phone, { width: 320, height: 600 }, desk]) {
    await tab.setViewportSize(screen);
    const fits = (most) => document.documentElement.scrollWidth <= most;
    // Charts follow the screen some time after it changed.
    await tab.waitForFunction(fits, screen.width, { timeout: 10_000 }).catch(() => {});
    const width = await tab.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= screen.width, `the page is ${width} pixels wide on a screen of ${screen.width}`);
  }
});
