// Runs the component of `guest-tests/modules/component` in Node, as jco translates it: whatever crosses the border is allocated
// by one side and released by the other, and the memory stays as it is.
//
// usage: COMPONENT=FILE node --test component.test.mjs; `cargo make test-component-in-node` builds the file.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { transpile, writeFiles } from "@bytecodealliance/jco-transpile";
import { _setArgs, _setEnv } from "@bytecodealliance/preview2-shim/cli";

const LONG = "v".repeat(2000);

// Below this folder, so that the translated component finds the packages beside it.
let folder;
let guest;

before(async () => {
  _setEnv({ LONG, SHORT: "v" });
  _setArgs(["program", "first", LONG]);
  folder = await mkdtemp(join(import.meta.dirname, "translated-"));
  const { files } = await transpile(process.env.COMPONENT, { outDir: folder, name: "component" });
  await writeFiles(files);
  guest = await import(pathToFileURL(join(folder, "component.js")));
});

after(() => rm(folder, { recursive: true }));

// Calls again and again, and asserts that each call returns this and that the memory stays as it is after the first hundred.
const repeat = (calls, name, call, expected) => {
  let settled;
  for (let number = 0; number < calls; number += 1) {
    assert.deepEqual(call(), expected, `${name}, call ${number}`);
    if (number === 100) {
      settled = guest.pages();
    }
  }
  assert.equal(guest.pages(), settled, `${name}: the pages after ${calls} calls`);
};

for (const bytes of [1, 24, 200, 513, 1000, 20000]) {
  test(`strings of ${bytes} bytes cross the border 100,000 times in both directions in a flat memory`, () => {
    const text = "t".repeat(bytes);
    repeat(100_000, "text", () => guest.text(bytes), text);
    repeat(100_000, "length", () => guest.length(text), bytes);
  });
}

test("lists of strings cross the border in a flat memory", () => {
  const texts = ["a", "", "some text of about fifty bytes, for a middle size", "long ".repeat(300)];
  repeat(10_000, "reversed", () => guest.reversed(texts), texts.toReversed());
});

test("environment and arguments can be read again and again", () => {
  const environment = [
    ["LONG", LONG],
    ["SHORT", "v"],
  ];
  repeat(1000, "environment", () => guest.environment(), environment);
  repeat(1000, "programArguments", () => guest.programArguments(), ["first", LONG]);
});

test("a request that C's malloc refuses sets errno", () => {
  // As wasi-libc's `errno.h` has it.
  const ENOMEM = 48;
  assert.equal(guest.mallocError(100), undefined);
  assert.equal(guest.mallocError(2 ** 32 - 1), ENOMEM);
});
