// The browser in which pages are tested: Chromium in PATH, or the program that the variable CHROMIUM names.

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

export const phone = { width: 390, height: 844 };
export const desk = { width: 1280, height: 900 };

const folders = (process.env.PATH ?? "").split(delimiter);
const programs = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const browserPath =
  process.env.CHROMIUM ?? programs.flatMap((program) => folders.map((folder) => join(folder, program))).find(existsSync);

// Starts it.
export const launch = () => {
  assert.ok(browserPath, "no Chromium in PATH: install it from your operating system, or name its program in the environment variable CHROMIUM");
  return chromium.launch({
    executablePath: browserPath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
};
