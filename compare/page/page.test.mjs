// The report's page in a real browser. Run by `cargo make test-page` after `cargo make report`.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const page = fileURLToPath(new URL("../../target/report/index.html", import.meta.url));
const folders = (process.env.PATH ?? "").split(delimiter);
const programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const browserPath =
  process.env.CHROMIUM ?? programs.flatMap((program) => folders.map((folder) => join(folder, program))).find(existsSync);

const errors = [];
let browser;
let tab;

before(async () => {
  assert.ok(existsSync(page), "there is no report yet: run `cargo make report` first");
  assert.ok(browserPath, "no Chromium in PATH: install it from your operating system, or name its program in the environment variable CHROMIUM");
  browser = await chromium.launch({
    executablePath: browserPath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  tab = await browser.newPage({ viewport: { width: 390, height: 800 }, colorScheme: "dark" });
  tab.on("pageerror", (error) => errors.push(error.message));
  tab.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  tab.on("request", (request) => request.url().startsWith("file:") || request.url().startsWith("data:") || request.url().startsWith("blob:") || errors.push(`request: ${request.url()}`));
  await tab.goto(`file://${page}`);
});

after(() => browser?.close());

test("the page loads without an error and asks nothing of the network", () => {
  assert.deepEqual(errors, []);
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

test("the page is dark where the reader's system is, and fits a phone", async () => {
  const ground = await tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(ground, "rgb(20, 24, 30)");
  const width = await tab.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 390, `the page is ${width} pixels wide on a screen of 390`);
});
